"""The load: files are sent through both gateways until they are accepted, whatever happens
meanwhile; a seminar's next file follows when the one before is done."""

import collections
import http.client
import random
import threading
import time

import psycopg2

import checker
from deeds import UNDO_POSTING_SHARE, Deeds
from running.api import Client

SENDERS = 2
LOOK_S = 0.1
RETRY_MOST_S = 2  # a fault is over sooner than what Retry-After may say
GIVE_UP_S = 300
SLOW_S = 5
SMALL_ROWS = 200
REPEAT_SHARE = 0.05  # of accepted files are sent once more with the same key
# Postings may be so far ahead of the faults, so that both last equally long.
AHEAD_SHARE, AHEAD_LEAST = 0.01, 30000
FOUND_S = 15  # until an upload without a key, whose answer was lost, must have shown itself


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


class Load(Deeds):
    def __init__(self, fleet, world, token, rows, open_max, postings, seed,
                 password):
        self.fleet, self.world, self.token = fleet, world, token
        self.password = password
        self.rows, self.open_max, self.postings = rows, open_max, postings
        self.chance = random.Random(seed)
        self.ready = collections.deque(world.seminars)
        self.open = {}       # upload_id -> file
        self.cancelled = self.undone = self.undone_posting = self.mended = self.released = 0
        self.same = 0
        self.merged = self.merged_under_way = self.merged_at_once = 0
        self.part = 1.0      # of the faults that were struck; postings keep step
        self.hungry = False  # a fault waits for an upload
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
                        for work in [self._send_all] * SENDERS + [self._watch, self._release_all,
                                                           self._merge_all]]

    def start(self):
        for thread in self.threads:
            thread.start()

    def _guard(self, work, *values):
        try:
            work(*values)
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
                if self.ready and len(self.open) + self.sending < self._open_most():
                    seminar = self.ready.popleft()
                    seminar.held = True
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

    def _open_most(self):
        """Uploads that may be open now. Ahead of the faults only what a fault waits for."""
        ahead = max(AHEAD_LEAST, self.postings * AHEAD_SHARE)
        if self.made < self.postings * self.part + ahead:
            return self.open_max
        return max(3, self.open_max // 4) if self.hungry else 0

    def _make(self, seminar, rows, anew=False):
        file = self.world.next_file(seminar, rows, anew)
        seminar.held = False
        file.undoing = file.key is not None and self.chance.random() < UNDO_POSTING_SHARE
        self.made += file.entries
        return file

    def take(self, rows):
        """A new file of the first seminar that waits. Under `changed`."""
        self.sending += 1
        return self._make(self.ready.popleft(), rows, anew=True)

    def _send_all(self):
        while (file := self._next()) is not None:
            upload_id = self.send(file)
            if upload_id is not None and file.key and self.chance.random() < REPEAT_SHARE:
                again = self.send(file)
                if again not in (upload_id, None):
                    self.violation(f"key {file.key} gave {upload_id}, then {again}")
            self.accepted(file, upload_id)

    def accepted(self, file, upload_id):
        with self.changed:
            self.sending -= 1
            if upload_id is not None:
                file.upload_id = upload_id
                self.open[upload_id] = file
                self.same += file.key is None
            self.changed.notify_all()
        if upload_id is not None and file.undoing:
            self.aside(self.undo_while_posting, file)

    def accepted_later(self, file):
        """Sent on by a thread of its own that ends with the file."""
        self.aside(lambda: self.accepted(file, self.send(file)))

    def aside(self, work, *values):
        """In a thread of its own."""
        thread = threading.Thread(target=self._guard, args=(work, *values), daemon=True)
        with self.changed:
            self.threads = [one for one in self.threads if one.is_alive() or one.ident is None]
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
                file.seminar.no, file.data, f"{file.name}.csv", key=file.key))
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
            if file.key is None and status != 429 and (found := self._find(file)):
                return found
            pause = 0.1
            if status in (429, 503):
                if "Retry-After" not in answer.headers:
                    self.violation(f"{status} without Retry-After: {answer.body[:200]}")
                pause = min(float(answer.headers.get("Retry-After", "1")), RETRY_MOST_S)
            elif status not in (0, 504):
                self.violation(f"{file.name}: HTTP {status} {answer.body[:300]}")
                pause = 1
            number = 3 - number
            self.end.wait(pause)
        self.violation(f"{file.name} was not accepted within {GIVE_UP_S} s")
        return None

    def _find(self, file):
        """The upload that was sent without a key and whose answer was lost, if it is there."""
        until = time.monotonic() + FOUND_S
        while time.monotonic() < until:
            rows = self.sql.ask("SELECT upload_id::text FROM credit.upload WHERE file_name = %s",
                                (f"{file.name}.csv",))
            if rows:
                return rows[0][0]
            self.end.wait(0.2)
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
                file = self.open.get(upload_id)
                if file is None or file.undoing:  # whoever undoes it settles it
                    continue
                self.settle(file)
            if status != "done":
                self.violation(f"upload {upload_id} is {status}")

    def settle(self, file):
        """It is done, or undone. Under `changed`."""
        del self.open[file.upload_id]
        self.done_files += 1
        self.done_rows += file.rows
        self.done_entries += file.entries
        self.world.settled(file)
        if file.seminar.left() > 0:
            # Mostly soon again: seminars with several files matter more than many.
            (self.ready.appendleft if self.chance.random() < 0.7
             else self.ready.append)(file.seminar)
        else:
            file.seminar.rest(self.world.twin_doctors)
            file.forget()
        self.changed.notify_all()

    def close(self, seconds):
        """Sends no more; True when everything accepted was done in time."""
        self.stop.set()
        until = time.monotonic() + seconds
        with self.changed:
            while (self.open or self.sending) and time.monotonic() < until:
                self.changed.wait(0.2)
                self.fleet.revive()
        self.end.set()
        for thread in list(self.threads):
            thread.join(60)
            if thread.is_alive():
                self.violation(f"a thread of the load did not end: {thread}")
        return not self.open and not self.sending
