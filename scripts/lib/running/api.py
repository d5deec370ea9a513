"""A small client of the HTTP API: signs in, keeps the cookie, sends the CSRF token."""

import http.client
import json
import time
import urllib.parse


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def expect(self, *statuses):
        """Itself when the status is one of these, else an ApiError with the problem's words."""
        if self.status not in statuses:
            raise ApiError(self)
        return self


class ApiError(Exception):
    def __init__(self, answer):
        super().__init__(f"HTTP {answer.status}: {answer.body[:600].decode('utf-8', 'replace')}")
        self.answer = answer


def _events(answer, count):
    lines, heard = [], 0
    while heard < count or lines[-1].strip():  # to the blank line after the last one
        line = answer.readline()
        if not line:
            break
        lines.append(line)
        heard += line.startswith(b"event:")
    return b"".join(lines)


class Client:
    """One person's or program's way in. `token`: that of an organiser's program."""

    def __init__(self, base_url, token=None, language="ja", seconds=30):
        parts = urllib.parse.urlsplit(base_url)
        self.host, self.port, self.origin = parts.hostname, parts.port, base_url
        self.token, self.language, self.seconds = token, language, seconds
        self.cookie = self.csrf = None
        self.session = None
        self.last_byte_at = None  # monotonic seconds, of the last request

    def request(self, method, path, body=None, headers=None, events=None):
        """`path` stands below /api/v1 unless it begins with /api/. `body`: bytes, or what becomes
        JSON. `events`: of a stream of events that does not end, read only so many."""
        if not path.startswith("/api/"):
            path = "/api/v1" + path
        sent = {"Accept-Language": self.language}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        elif self.cookie:
            sent["Cookie"] = self.cookie
        if method not in ("GET", "HEAD"):
            if not self.token:
                sent["Origin"] = self.origin
            if self.csrf and not self.token:
                sent["X-CSRF-Token"] = self.csrf
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        link = http.client.HTTPConnection(self.host, self.port, timeout=self.seconds)
        try:
            link.request(method, path, body, sent)
            self.last_byte_at = time.monotonic()
            answer = link.getresponse()
            stream = answer.headers.get_content_type() == "text/event-stream"
            data = _events(answer, events) if stream and events else answer.read()
            return Answer(answer.status, answer.headers, data)
        finally:
            link.close()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def put(self, path, body=None):
        return self.request("PUT", path, body)

    def sign_in(self, login_id, password):
        answer = self.post("/session", {"login_id": login_id, "password": password}).expect(201)
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.session = answer.json
        self.csrf = self.session["csrf_token"]
        return self

    def sign_out(self):
        self.request("DELETE", "/session").expect(204)
        self.cookie = self.csrf = self.session = None

    def post_attendance(self, seminar_no, data, file_name, key=None, dry_run=False):
        headers = {
            "Content-Type": "text/csv",
            "Content-Disposition":
                "attachment; filename*=UTF-8''" + urllib.parse.quote(file_name),
        }
        if key:
            headers["Idempotency-Key"] = key
        path = f"/seminars/{urllib.parse.quote(seminar_no)}/attendance"
        return self.post(path + ("?dry_run=true" if dry_run else ""), data, headers)

    def upload(self, upload_id):
        return self.get(f"/uploads/{upload_id}").expect(200).json
