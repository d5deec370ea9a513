"""The load: files are sent through both gateways until they are accepted, whatever happens
meanwhile; a seminar's next file follows when the one before is done."""

import collections
import http.client
import random
import threading
import time

import psycopg2

import checker
from running.api import Client

SENDERS = 2
LOOK_S = 0.1
RETRY_MOST_S = 2  # a fault is over sooner than what Retry-After may say
GIVE_UP_S = 300
SLOW_S = 5
SMALL_ROWS = 200
# Before the next file of a seminar: all of its last one is taken back, or some credits.
UNDO_SHARE, CANCEL_SHARE, CANCELS = 0.05, 0.3, 4
REPEAT_SHARE = 0.05  # of accepted files are sent once more with the same key


class Sql:
    """A connection for one thread that comes back when PostgreSQL does."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.connection = None

    def ask(self, statement, values=None, seconds=60):
        until = time.monotonic() + seconds
        while True:
            try:
                if self.connection is None:
                    self.connection = self.fleet.sql()
                with self.connection.cursor() as cursor:
                    cursor.execute(statement, values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg2.Error as error:
                # Without a code, or: connection, resources, server going down or coming up.
                gone = error.pgcode is None or error.pgcode[:2] in ("08", "53", "57")
                self.close()
                if not gone or time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Load:
    def __init__(self, fleet, world, token, rows, open_max, postings, seed):
        self.fleet, self.world, self.token = fleet, world, token
        self.rows, self.open_max, self.postings = rows, open_max, postings
        self.chance = random.Random(seed)
        self.ready = collections.deque(world.seminars)
        self.open = {}       # upload_id -> file
        self.cancelled = self.undone = 0
        self.sending = 0
        self.made = 0        # entries of all files made so far
        self.done_entries = self.done_rows = self.done_files = 0
        self.statuses = collections.Counter()
        self.violations = []
        self.slow = []
        self.stop = threading.Event()
        self.end = threading.Event()  # of watching
        self.changed = threading.Condition()
        self.local = threading.local()
        self.threads = [threading.Thread(target=self._guard, args=(work,), daemon=True)
                        for work in [self._send_all] * SENDERS + [self._watch]]

    def start(self):
        for thread in self.threads:
            thread.start()

    def _guard(self, work):
        try:
            work()
        except Exception as error:  # a thread's end must not pass unseen
            self.violation(f"the load itself failed: {error!r}")
            raise

    def violation(self, text):
        if len(self.violations) < 100:
            self.violations.append(text)
            print(f"VIOLATION {text}", flush=True)

    @property
    def sql(self):
        """This thread's connection."""
        if not hasattr(self.local, "sql"):
            self.local.sql = Sql(self.fleet)
        return self.local.sql

    # ---- sending ----

    def _next(self):
        """The next file to send; None when it is time to end."""
        with self.changed:
            while not self.stop.is_set():
                enough = self.made >= self.postings
                most = max(3, self.open_max // 4) if enough else self.open_max
                if self.ready and len(self.open) + self.sending < most:
                    seminar = self.ready.popleft()
                    self.sending += 1
                    break
                self.changed.wait(0.2)
            else:
                return None
        if seminar.stands:
            self._take_back(seminar)
        with self.changed:
            return self._make(seminar, self.chance.choice([self.rows] * 5 + [self.rows // 2,
                                                                            SMALL_ROWS]))

    def _make(self, seminar, rows):
        file = self.world.next_file(seminar, rows)
        self.made += file.entries
        return file

    def take(self, rows):
        """A new file of the first seminar that waits. Under `changed`."""
        self.sending += 1
        return self._make(self.ready.popleft(), rows)

    # ---- taking credits back ----

    def _take_back(self, seminar):
        """Of a seminar whose files are done: a few credits, or a whole file, or nothing. Afterwards
        the model knows."""
        what = self.chance.random()
        if what < UNDO_SHARE:
            if self._until_done(f"/uploads/{seminar.last.upload_id}/undo", f"undo-{seminar.no}"
                                                                           f"-{seminar.cancels}"):
                seminar.undo(seminar.last)
                self.undone += 1
        elif what < UNDO_SHARE + CANCEL_SHARE:
            for entry in seminar.choose_cancels(CANCELS):
                path = f"/credits/{self._entry_id(seminar, entry)}/cancel"
                if self._until_done(path, f"cancel-{seminar.no}-{seminar.cancels}"):
                    seminar.cancel(entry)
                    self.cancelled += 1

    def _entry_id(self, seminar, entry):
        (entry_id,), = self.sql.ask(
            "SELECT portal.entry_id(d.doctor_id, s.session_id, %s, %s::smallint)"
            " FROM registration.doctor d, credit.session s WHERE d.register_no = %s"
            " AND s.seminar_no = %s AND s.session_no = %s",
            (entry.programme, entry.revision, str(self.world.doctors.register[entry.n]),
             seminar.no, str(entry.place + 1)))
        return entry_id

    def _until_done(self, command, key):
        """A correction, repeated with its key until it is done."""
        until = time.monotonic() + GIVE_UP_S
        number, path = self.chance.choice([1, 2]), None
        while time.monotonic() < until:
            client = self.client(number)
            try:
                answer = self.timed(f"{key} {number}", lambda told=(client, path): told[0].post(
                    command, {"reason": "障害試験"}, {"Idempotency-Key": key})
                                    if told[1] is None else told[0].get(told[1]))
            except (OSError, http.client.HTTPException):
                answer = None
            number = 3 - number
            if answer is None or answer.status in (429, 503, 504):
                self.end.wait(0.2)
            elif answer.status == 200 and (path is None or answer.json["status"] == "done"):
                return True
            elif answer.status == 202:
                path = f"/operations/{answer.json['operation_id']}"
            elif answer.status == 200 and answer.json["status"] == "pending":
                self.end.wait(0.1)
            else:
                self.violation(f"{command} with {key}: HTTP {answer.status} {answer.body[:300]}")
                return False
        self.violation(f"{command} was not done within {GIVE_UP_S} s")
        return False

    def _send_all(self):
        while (file := self._next()) is not None:
            upload_id = self.send(file)
            if upload_id is not None and self.chance.random() < REPEAT_SHARE:
                again = self.send(file)
                if again not in (upload_id, None):
                    self.violation(f"key {file.key} gave {upload_id}, then {again}")
            self.accepted(file, upload_id)

    def accepted(self, file, upload_id):
        file.data = None
        with self.changed:
            self.sending -= 1
            if upload_id is not None:
                file.upload_id = upload_id
                self.open[upload_id] = file
            self.changed.notify_all()

    def accepted_later(self, file):
        """Sent on by a thread of its own that ends with the file."""
        thread = threading.Thread(target=lambda: self.accepted(file, self.send(file)), daemon=True)
        self.threads.append(thread)
        thread.start()

    def client(self, number=1):
        return Client(f"http://127.0.0.1:{self.fleet.http[number]}", token=self.token)

    def timed(self, what, ask):
        """What `ask()` answers; the slowest answers are kept."""
        begun = time.monotonic()
        try:
            return ask()
        finally:
            took = time.monotonic() - begun
            if took > SLOW_S:
                self.slow.append((took, what, time.strftime("%H:%M:%S")))

    def post(self, file, number):
        """One try: (status, answer or None). 0: nobody knows."""
        try:
            answer = self.timed(f"upload {number}", lambda: self.client(number).post_attendance(
                file.seminar.no, file.data, f"{file.key}.csv", key=file.key))
        except (OSError, http.client.HTTPException) as error:
            self.statuses[type(error).__name__] += 1
            return 0, None
        self.statuses[answer.status] += 1
        return answer.status, answer

    def send(self, file):
        """Until it is accepted; the key makes it one upload however often it is sent."""
        number = self.chance.choice([1, 2])
        until = time.monotonic() + GIVE_UP_S
        while time.monotonic() < until:
            status, answer = self.post(file, number)
            if status == 202:
                return answer.json["upload_id"]
            pause = 0.1
            if status in (429, 503):
                if "Retry-After" not in answer.headers:
                    self.violation(f"{status} without Retry-After: {answer.body[:200]}")
                pause = min(float(answer.headers.get("Retry-After", "1")), RETRY_MOST_S)
            elif status not in (0, 504):
                self.violation(f"{file.key}: HTTP {status} {answer.body[:300]}")
                pause = 1
            number = 3 - number
            self.end.wait(pause)
        self.violation(f"{file.key} was not accepted within {GIVE_UP_S} s")
        return None

    # ---- watching ----

    def _watch(self):
        sql = Sql(self.fleet)
        while not self.end.is_set():
            with self.changed:
                ids = list(self.open)
            if ids:
                sql.ask(checker.NOTE_OPEN, (ids,))
                rows = sql.ask("SELECT upload_id::text, status FROM credit.upload"
                               " WHERE upload_id = ANY (%s::uuid[])", (ids,))
                self._note(rows)
            self.end.wait(LOOK_S)
        sql.close()

    def _note(self, rows):
        for upload_id, status in rows:
            if status in ("received", "reading", "posting"):
                continue
            with self.changed:
                file = self.open.pop(upload_id)
                self.done_files += 1
                self.done_rows += file.rows
                self.done_entries += file.entries
                if status == "done" and file.seminar.left() > 0:
                    # Mostly soon again: seminars with several files matter more than many.
                    (self.ready.appendleft if self.chance.random() < 0.7
                     else self.ready.append)(file.seminar)
                else:
                    file.seminar.stands.clear()  # nobody asks any more
                self.changed.notify_all()
            if status != "done":
                self.violation(f"upload {upload_id} is {status}")

    def close(self, seconds):
        """Sends no more; True when everything accepted was done in time."""
        self.stop.set()
        until = time.monotonic() + seconds
        with self.changed:
            while (self.open or self.sending) and time.monotonic() < until:
                self.changed.wait(0.2)
                self.fleet.revive()
        self.end.set()
        for thread in self.threads:
            thread.join(10)
        return not self.open and not self.sending
