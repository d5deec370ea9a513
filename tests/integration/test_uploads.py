"""Taking attendance in: every way a file can come, limits, progress, lists, and the pages."""

import collections
import concurrent.futures
import contextlib
import gzip
import http.client
import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from running.api import Client
from running.process import wait_for
from stack import DATA

SEMINAR = "S2026-0001"
ATTENDANCE = f"/api/v1/seminars/{SEMINAR}/attendance"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def organiser(stack):
    return stack.organiser_client(SEMINAR)


def code(answer, status):
    return answer.expect(status).json["code"]


def finished(client, upload_id):
    return wait_for(lambda: (lambda upload: upload if upload["done_at"] else None)(
        client.upload(upload_id)), 30, "the upload's end")


def multipart(*parts, boundary="XyZ"):
    body = b""
    for head, content in parts:
        body += f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


FILE = 'Content-Disposition: form-data; name="file"; filename="../../名簿.csv"'
ROWS = [{"register_no": "384411", "session_no": "1"}, {"register_no": "9999999", "session_no": "1"}]
CSV = b"register_no,session_no\r\n384411,1\r\n9999999,1\r\n"


# ---- ways in ----

def test_three_ways_are_one(organiser):
    raw = organiser.post(ATTENDANCE, CSV, {"Content-Type": "text/csv"})
    form = organiser.post(ATTENDANCE, multipart(
        ('Content-Disposition: form-data; name="note"', b"hello"), (FILE, CSV)),
        {"Content-Type": "multipart/form-data; boundary=XyZ"})
    rows = organiser.post(ATTENDANCE, {"rows": ROWS})
    ends = [finished(organiser, answer.expect(202).json["upload_id"])
            for answer in (raw, form, rows)]
    assert len({end["sha256"] for end in ends}) == 1
    assert {end["rows_total"] for end in ends} == {2}
    assert [end["file_name"] for end in ends] == ["attendance.csv", "名簿.csv", "rows.json"]
    assert all(end["counts"]["unmatched"] == 1 for end in ends)


@pytest.mark.parametrize("kind,body", [
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=" + "b" * 300, b"x"),
    ("multipart/form-data; boundary=XyZ", b""),
    ("multipart/form-data; boundary=XyZ", multipart()),
    ("multipart/form-data; boundary=XyZ", multipart((FILE, b"a"), (FILE, b"b"))),
    ("multipart/form-data; boundary=XyZ", multipart((FILE, b"a"))[:-10]),
    ("multipart/form-data; boundary=XyZ", multipart(
        (FILE + "\r\nContent-Type: multipart/mixed; boundary=q", b"a"))),
    ("multipart/mixed; boundary=XyZ", multipart((FILE, b"a"))),
])
def test_bad_multipart_is_refused(organiser, kind, body):
    answer = organiser.post(ATTENDANCE, body, {"Content-Type": kind})
    assert code(answer, 400) == "multipart_bad"


@pytest.mark.parametrize("body,why", [
    (b"{", "json_syntax"),
    (b'{"rows":[]}', "schema"),
    (b'{"rows":[{"register_no":1}]}', "schema"),
    (b'{"rows":[{}],"more":1}', "schema"),
    (json.dumps({"rows": [{"register_no": "1"}] * 501}).encode(), "schema"),
])
def test_bad_rows_are_refused(organiser, body, why):
    answer = organiser.post(ATTENDANCE, body, {"Content-Type": "application/json"})
    assert code(answer, 400) == why


def test_other_types_are_refused(organiser):
    for headers in ({"Content-Type": "application/x-www-form-urlencoded"},
                    {"Content-Type": "text/csv", "Content-Encoding": "gzip"}):
        assert code(organiser.post(ATTENDANCE, CSV, headers), 415) == "content_type_bad"


# ---- limits ----

def send(stack, organiser, chunks, headers):
    """One request whose body is sent to its end before the answer is read."""
    parts = urllib.parse.urlsplit(stack.copy.base_url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        link.putrequest("POST", ATTENDANCE)
        for name, value in {"Authorization": f"Bearer {organiser.token}", **headers}.items():
            link.putheader(name, value)
        link.endheaders()
        for chunk in chunks:
            link.send(chunk)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        link.close()


def figure(service, name):
    with urllib.request.urlopen(service.admin_url + "/metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"mamis_{name} "):
                return int(line.split()[1])
    raise AssertionError(f"no {name}")


def most_kib(service, plain):
    """An address sanitizer keeps freed memory for a while."""
    with open(service.program, "rb") as program:
        return plain + 104 * 1024 if b"__asan_init" in program.read() else plain


def test_too_large_is_told_to_whoever_sends_it_all(stack, organiser):
    piece = b"x" * MIB
    status, problem = send(stack, organiser, [piece] * 100,
                           {"Content-Type": "text/csv", "Content-Length": str(100 * MIB)})
    assert (status, problem["code"]) == (413, "file_too_large")
    assert "64 MiB" in problem["detail"]
    chunk = b"%x\r\n%s\r\n" % (MIB, piece)
    status, problem = send(stack, organiser, [chunk] * 66 + [b"0\r\n\r\n"],
                           {"Content-Type": "text/csv", "Transfer-Encoding": "chunked"})
    assert (status, problem["code"]) == (413, "file_too_large")


def test_memory_stays_flat(stack, organiser):
    gateway = stack.copy.service("gateway")
    before = figure(gateway, "memory_peak_kib")
    line = b"not,a,header\r\n"
    piece = line * (MIB // len(line))
    status, told = send(stack, organiser, [piece] * 60,
                        {"Content-Type": "text/csv", "Content-Length": str(60 * len(piece))})
    assert status == 202, told
    end = finished(organiser, told["upload_id"])
    assert (end["status"], end["bytes"]) == ("refused", 60 * len(piece))
    assert figure(gateway, "memory_peak_kib") - before < most_kib(gateway, 24 * 1024)


def test_a_broken_upload_leaves_nothing(stack, organiser):
    before = stack.one("SELECT count(*) FROM credit.upload")[0]
    with begin(organiser, stack.copy.base_url, 1000000, b"x" * 600000):
        wait_for(lambda: stack.one("SELECT count(*) FROM credit.upload_part p WHERE NOT EXISTS"
                                   " (SELECT FROM credit.upload u"
                                   " WHERE u.upload_id = p.upload_id)")[0] >= 2, 10, "two parts")
    finished(organiser, organiser.post(ATTENDANCE, CSV).expect(202).json["upload_id"])
    assert stack.one("SELECT count(*) FROM credit.upload")[0] == before + 1


def test_too_many_at_once(stack, organiser):
    pid = stack.copy.service("credit").process.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(10) as threads:
            answers = list(threads.map(
                lambda i: organiser.post(ATTENDANCE, CSV + b"1,%d\r\n" % i), range(50)))
    finally:
        os.kill(pid, signal.SIGCONT)
    accepted = [answer.json["upload_id"] for answer in answers if answer.status == 202]
    refused = [answer for answer in answers if answer.status != 202]
    assert len(accepted) == 30
    assert {(answer.status, answer.json["code"]) for answer in refused} == {
        (429, "uploads_too_many")}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    for upload_id in accepted:
        finished(organiser, upload_id)
    organiser.post(ATTENDANCE, CSV).expect(202)


def ask(organiser, url, line, sent=b"", window=None):
    """A request whose answer is still to be read; its connection."""
    parts = urllib.parse.urlsplit(url)
    link = socket.socket()
    if window:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    link.settimeout(60)
    link.connect((parts.hostname, parts.port))
    link.sendall(f"{line} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                 f"Authorization: Bearer {organiser.token}\r\n".encode() + (sent or b"\r\n"))
    return link


def begin(organiser, url, size=1000, sent=b"register_no"):
    """A file whose body does not come to its end yet; its connection."""
    head = f"Content-Type: text/csv\r\nContent-Length: {size}\r\n\r\n"
    return ask(organiser, url, f"POST {ATTENDANCE}", head.encode() + sent)


def test_what_comes_in_at_other_gateways_counts(stack, organiser):
    """Files that stream at two gateways share the organiser's places; broken ones give theirs back,
    and so do, after a minute, those of a gateway that died."""
    def places():
        return stack.one("SELECT count(*) FROM gateway.upload_place")[0]

    def refused_at(client):
        answer = client.post(ATTENDANCE, CSV)
        assert code(answer, 429) == "uploads_too_many"
        return int(answer.headers["Retry-After"]) > 0

    service, other_url = stack.another_gateway()
    other = Client(other_url, token=organiser.token)
    wait_for(lambda: places() == 0, 10, "no file under way")
    links = [begin(organiser, stack.copy.base_url) for _ in range(15)]
    try:
        wait_for(lambda: places() == 15, 10, "the first gateway's files under way")
        with stack.sql() as cursor:
            cursor.execute("SELECT array_agg(upload_id::text) FROM gateway.upload_place")
            living = cursor.fetchone()[0]
        links += [begin(organiser, other_url) for _ in range(15)]
        wait_for(lambda: places() == 30, 10, "all files under way")
        assert refused_at(organiser) and refused_at(other)
        for link in (links[0], links[-1]):
            link.close()
        wait_for(lambda: places() == 28, 30, "two broken files")
        for client in (organiser, other):
            finished(client, client.post(ATTENDANCE, CSV).expect(202).json["upload_id"])
        links += [begin(organiser, other_url) for _ in range(2)]
        wait_for(lambda: places() == 30, 10, "all files under way")
        service.kill()
        assert refused_at(organiser)
        with stack.sql() as cursor:  # a minute later
            cursor.execute("UPDATE gateway.upload_place SET seen_at = seen_at - interval '1 minute'"
                           " WHERE upload_id::text <> ALL (%s)", (living,))
        finished(organiser, organiser.post(ATTENDANCE, CSV).expect(202).json["upload_id"])
        wait_for(lambda: places() == 14, 30, "the end of what was left behind")
    finally:
        for link in links:
            link.close()
        service.stop()
    wait_for(lambda: places() == 0, 30, "the end of all")


# ---- who may ----

def test_a_token_does_what_its_scope_says(stack, organiser):
    organiser.get("/seminars").expect(200)
    assert code(organiser.get("/me"), 403) == "forbidden"
    assert code(organiser.get("/me/credits"), 403) == "forbidden"
    wrong = stack.client(token="A" * 43)
    assert code(wrong.get("/seminars"), 401) == "token_invalid"


def test_strangers_find_nothing(organiser, stranger):
    upload_id = organiser.post(ATTENDANCE, CSV).expect(202).json["upload_id"]
    finished(organiser, upload_id)
    assert code(stranger.post(ATTENDANCE, CSV), 404) == "seminar_unknown"
    stranger.get(f"/seminars/{SEMINAR}").expect(404)
    for path in ("", "/rows", "/result.csv", "/events"):
        assert code(stranger.get(f"/uploads/{upload_id}{path}"), 404) == "not_found"
    listed = [item["upload_id"] for item in stranger.get("/uploads?limit=500").json["items"]]
    assert upload_id not in listed


# ---- progress ----

def events(stack, client, upload_id, last=None, seconds=20):
    """Status and the events of a stream: (id, name, data)."""
    headers = {"Authorization": f"Bearer {client.token}"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    request = urllib.request.Request(f"{stack.copy.base_url}/api/v1/uploads/{upload_id}/events",
                                     headers=headers)
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        text = answer.read().decode()
        found = []
        for block in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines()
                          if not line.startswith(":"))
            if "event" in fields:
                found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        return answer.status, answer.headers, found


def test_progress_is_told_to_the_end(stack, organiser):
    data = (DATA / "attendance" / "33-course-5000.csv").read_bytes()
    seminar = json.loads((DATA / "attendance" / "expected" / "33-course-5000.json").read_text())[
        "seminar_no"]
    client = stack.organiser_client(seminar)
    upload_id = client.post_attendance(seminar, data, "a.csv").expect(202).json["upload_id"]
    status, headers, told = events(stack, client, upload_id)
    assert status == 200 and headers["X-Accel-Buffering"] == "no"
    ids = [event[0] for event in told]
    assert ids == sorted(set(ids))
    assert told[-1][1] == "done" and {event[1] for event in told[:-1]} <= {"progress"}
    assert told[-1][2] == client.upload(upload_id)
    assert events(stack, client, upload_id, last=ids[-1])[0] == 204
    resumed = events(stack, client, upload_id, last=ids[-1] - 1)[2]
    assert [event[1] for event in resumed] == ["done"]


def test_many_watch_one_upload(stack, organiser):
    pid = stack.copy.service("credit").process.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        upload_id = organiser.post(ATTENDANCE, CSV).expect(202).json["upload_id"]
        results = []
        threads = [threading.Thread(target=lambda: results.append(
            events(stack, organiser, upload_id))) for _ in range(20)]
        for thread in threads:
            thread.start()
        url = stack.copy.service("gateway").admin_url + "/metrics"
        wait_for(lambda: 'mamis_watchers{of="uploads"} 20' in urllib.request.urlopen(url).read().decode(), 10,
                 "all streams")
    finally:
        os.kill(pid, signal.SIGCONT)
    for thread in threads:
        thread.join(30)
    assert len(results) == 20
    assert all(told[-1][1] == "done" for _, _, told in results)


# ---- lists ----

def pages(client, path, limit):
    items, cursor = [], None
    while True:
        page = client.get(f"{path}{'&' if '?' in path else '?'}limit={limit}"
                          + (f"&cursor={cursor}" if cursor else "")).expect(200).json
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_pages_make_the_whole(stack, organiser):
    for path, key in (("/uploads", "upload_id"), ("/seminars", "seminar_no")):
        whole = organiser.get(path + "?limit=500").expect(200).json
        assert whole["next_cursor"] is None
        for limit in (1, 3):
            assert pages(organiser, path, limit) == whole["items"], path
        assert len({item[key] for item in whole["items"]}) == len(whole["items"])
    upload = next(item for item in organiser.get("/uploads").json["items"]
                  if item["rows_total"] == 2)
    rows = f"/uploads/{upload['upload_id']}/rows"
    assert [item["row_no"] for item in pages(organiser, rows, 1)] == [1, 2]
    assert pages(organiser, "/seminars?q=" + urllib.parse.quote("産業医"), 2)


def test_credits_by_pages_and_totals(stack, organiser):
    mamis_no, count, total = stack.one(
        "SELECT d.mamis_no, count(*), sum(l.half_units) FROM credit.ledger l"
        " JOIN registration.doctor d USING (doctor_id) WHERE d.my_page = 'active'"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 1")
    doctor = stack.client().sign_in(mamis_no, "test-password-of-all")
    whole = doctor.get("/me/credits?limit=500").expect(200).json
    assert len(whole["items"]) == count
    assert sum(row["half_units"] for row in whole["totals"]) == total
    assert pages(doctor, "/me/credits", 2) == whole["items"]
    assert all(item["kind_name"] for item in whole["items"])
    day = whole["items"][0]["held_on"]
    some = doctor.get(f"/me/credits?from={day}&to={day}&limit=1").expect(200).json
    assert sum(row["half_units"] for row in some["totals"]) == sum(
        item["half_units"] for item in whole["items"] if item["held_on"] == day)


# ---- pages ----

def page(stack, path, headers=()):
    request = urllib.request.Request(stack.copy.base_url + path, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_pages_are_served(stack):
    status, headers, body = page(stack, "/")
    if status == 404:
        pytest.skip("the portal is not built")
    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-cache"
    assert page(stack, "/credits/any/address")[2] == body
    assert page(stack, "/../../etc/passwd")[2] == body
    assert page(stack, "/", {"If-None-Match": headers["ETag"]})[0] == 304
    asset = next(part.split('"')[0] for part in body.decode().split('"/assets/')[1:])
    status, headers, script = page(stack, "/assets/" + asset, {"Accept-Encoding": "gzip"})
    assert status == 200 and "immutable" in headers["Cache-Control"]
    if headers.get("Content-Encoding") == "gzip":
        assert gzip.decompress(script) == page(stack, "/assets/" + asset)[2]
    assert page(stack, "/assets/none.js")[0] == 404
    assert page(stack, "/api/v2/me")[0] == 404


GUARDS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
          "Cross-Origin-Resource-Policy": "same-origin"}


def test_every_answer_guards_itself(stack, organiser):
    """Nothing keeps, guesses, frames or runs it, whatever kind of answer it is."""
    upload_id = organiser.post(ATTENDANCE, CSV).expect(202).json["upload_id"]
    path = f"/uploads/{upload_id}"
    for answer in (organiser.get(path), organiser.get("/uploads/none"), organiser.get("/site"),
                   organiser.request("TRACE", "/site"), stack.client().get("/me"),
                   organiser.get(path + "/result.csv"),
                   organiser.request("GET", path + "/events", events=1)):
        for name, value in GUARDS.items():
            assert answer.headers[name] == value, name
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Access-Control-Allow-Origin"] is None
    status, headers, _ = page(stack, "/")
    if status == 200:
        assert {name: headers[name] for name in GUARDS} == GUARDS


# ---- the end ----

def test_sigterm_under_load(stack, organiser):
    """Stands last. Streams and slow bodies do not hold the process; accepted uploads finish."""
    process = stack.copy.service("gateway").process
    pid = process.pid()
    parts = urllib.parse.urlsplit(stack.copy.base_url)
    accepted = [organiser.post(ATTENDANCE, CSV).expect(202).json["upload_id"] for _ in range(5)]
    with socket.create_connection((parts.hostname, parts.port)) as link:
        link.sendall((f"POST {ATTENDANCE} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                      f"Authorization: Bearer {organiser.token}\r\nContent-Type: text/csv\r\n"
                      "Content-Length: 1000000\r\n\r\nx").encode())
        begun = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        stack.wait_gone(pid)
        assert time.monotonic() - begun < 3
    service = stack.copy.service("gateway")
    begun = time.monotonic()
    service.start()
    service.wait_ready()
    assert time.monotonic() - begun < 5
    for upload_id in accepted:
        finished(organiser, upload_id)


# ---- many at once ----

def answer_of(link):
    answer = http.client.HTTPResponse(link)
    answer.begin()
    return answer.status, answer.getheader("Retry-After")


def test_memory_has_an_end(stack, organiser):
    """Of 300 slow files some are told to come back; 150 slow readers cost a piece each; what is
    short comes through meanwhile."""
    service, url = stack.another_gateway(uploads_open_max=1000, db_waiting_max=1000,
                                         http_held_bytes_max=64 * MIB)
    client = Client(url, token=organiser.token)
    lines = "".join(f"99{i:05d},1,{'m' * 60}\r\n" for i in range(8000))
    upload_id = client.post(ATTENDANCE, b"register_no,session_no,memo\r\n" + lines.encode(),
                            {"Content-Type": "text/csv"}).expect(202).json["upload_id"]
    finished(client, upload_id)
    before = figure(service, "memory_peak_kib")
    links = [begin(organiser, url, 300000, b"x" * 250000) for _ in range(300)]
    try:
        wait_for(lambda: figure(service, "http_not_held_total") > 100, 20, "refused files")
        client.get("/seminars").expect(200)
        client.post(ATTENDANCE, CSV).expect(202)
        for link in links:
            with contextlib.suppress(OSError):
                link.sendall(b"x" * 50000)
        told = collections.Counter(answer_of(link) for link in links)
        assert sum(told.values()) == 300 and told[202, None] >= 150
        assert all(status == 202 or int(later) > 0 for status, later in told)
        wait_for(lambda: figure(service, "http_held_bytes") == 0, 10, "room")
        links += [ask(organiser, url, f"GET /api/v1/uploads/{upload_id}/result.csv", window=4096)
                  for _ in range(150)]
        assert {answer_of(link)[0] for link in links[300:]} == {200}
        assert figure(service, "memory_peak_kib") - before < most_kib(service, 96 * 1024)
    finally:
        for link in links:
            link.close()
        service.stop()
