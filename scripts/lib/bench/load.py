"""The load: large files by a few senders at once, small files on a clock, their readers."""

import threading
import time

from running.api import Client

SENDERS = 4
SMALL_EVERY_S = 0.1
POLL_S = 0.04  # each reader asks so often: asking more would load what is measured
GIVE_UP_S = 120


class Large:
    """Posts the large files and waits until each is done."""

    def __init__(self, base_url, token, files):
        self.base_url, self.token = base_url, token
        self.waiting = list(files.items())
        self.lock = threading.Lock()
        self.uploads = []
        self.failures = []
        self.begun = self.ended = None

    def _send(self):
        client = Client(self.base_url, token=self.token, seconds=GIVE_UP_S)
        while True:
            with self.lock:
                if not self.waiting:
                    return
                seminar_no, data = self.waiting.pop()
            answer = client.post_attendance(seminar_no, data, f"{seminar_no}.csv")
            with self.lock:
                if answer.status == 202:
                    self.uploads.append(answer.json["upload_id"])
                elif answer.status == 429:
                    self.waiting.append((seminar_no, data))
                else:
                    self.failures.append((seminar_no, answer.status, answer.body[:300]))
            if answer.status == 429:
                time.sleep(float(answer.headers.get("Retry-After", "1")))

    def run(self):
        self.begun = time.monotonic()
        senders = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(GIVE_UP_S)
        client = Client(self.base_url, token=self.token)
        left = list(self.uploads)
        while left and time.monotonic() - self.begun < GIVE_UP_S * 5:
            state = client.upload(left[-1])
            if state["status"] in ("done", "refused"):
                left.pop()
            else:
                time.sleep(0.05)
        self.ended = time.monotonic()
        if left:
            self.failures.append(("not done", len(left), b""))


class Small:
    """A 50-row file every 100 ms, each to a seminar of its own; from the last byte sent to the
    credit in GET /me/credits of its first doctor."""

    def __init__(self, base_url, token, files, sessions):
        self.base_url, self.token = base_url, token
        self.files = list(files.items())
        self.sessions = sessions  # a signed-in client for each file
        self.seconds = []
        self.failures = []
        self.lock = threading.Lock()

    def _one(self, seminar_no, data, reader):
        client = Client(self.base_url, token=self.token)
        answer = client.post_attendance(seminar_no, data, f"{seminar_no}.csv")
        sent = client.last_byte_at
        if answer.status != 202:
            with self.lock:
                self.failures.append((seminar_no, answer.status, answer.body[:300]))
            return
        while time.monotonic() - sent < GIVE_UP_S:
            items = reader.get("/me/credits?limit=100").expect(200).json["items"]
            if any(item["seminar_no"] == seminar_no for item in items):
                with self.lock:
                    self.seconds.append(time.monotonic() - sent)
                return
            time.sleep(POLL_S)
        with self.lock:
            self.failures.append((seminar_no, 0, b"never visible"))

    def run(self, stop):
        """One file each 100 ms until all are sent or `stop` is set."""
        threads = []
        begun = time.monotonic()
        for number, ((seminar_no, data), reader) in enumerate(zip(self.files, self.sessions)):
            wait = begun + number * SMALL_EVERY_S - time.monotonic()
            if stop.wait(max(0, wait)):
                break
            thread = threading.Thread(target=self._one, args=(seminar_no, data, reader))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(GIVE_UP_S)
