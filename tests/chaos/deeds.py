"""What is done with credits beside posting them: some are taken back, a whole file is undone, also
while it is posting, rows are mended, doctors complete their My Page. Each until it is done,
whatever happens meanwhile; afterwards the model knows.
"""

import http.client
import pathlib
import tempfile
import time

from running.process import Failure

GIVE_UP_S = 300
# Before the next file of a seminar: all of its last one is taken back, or some credits, or rows of
# its last one are mended.
UNDO_SHARE, CANCEL_SHARE, CANCELS, MEND_SHARE, MENDS = 0.05, 0.3, 4, 0.3, 4
UNDO_POSTING_SHARE = 0.06
RELEASE_S, RELEASE_MOST = 4, 6  # doctors whose My Page is completed together, so often


class Deeds:
    # ---- taking credits back ----

    def _take_back(self, seminar):
        """Of a seminar whose files are done: a few credits, or a whole file, or nothing; or some
        of its rows are mended. Afterwards the model knows."""
        what, last = self.chance.random(), seminar.last
        if what < UNDO_SHARE:
            if last.status == "done" and not last.releasing and self._until_done(
                    "POST", f"/uploads/{last.upload_id}/undo", f"undo-{seminar.no}"
                                                              f"-{seminar.cancels}"):
                with self.changed:
                    seminar.undo(last)
                    self.world.gone(last)
                self.undone += 1
        elif what < UNDO_SHARE + CANCEL_SHARE:
            with self.changed:
                entries = seminar.choose_cancels(CANCELS)
            for entry in entries:
                path = f"/credits/{self._entry_id(seminar, entry)}/cancel"
                if self._until_done("POST", path, f"cancel-{seminar.no}-{seminar.cancels}"):
                    with self.changed:
                        seminar.cancel(entry)
                    self.cancelled += 1
        elif what < UNDO_SHARE + CANCEL_SHARE + MEND_SHARE and last.status == "done":
            self._mend(last)

    def _mend(self, file):
        for _ in range(min(MENDS, len(file.mendable))):
            row_no, n, place, cells = file.mendable.pop()
            if self._until_done("PATCH", f"/uploads/{file.upload_id}/rows/{row_no}",
                                f"mend-{file.number}-{row_no}", cells):
                with self.changed:
                    self.world.mend(file, row_no, n, place)
                self.mended += 1

    def undo_while_posting(self, file):
        """As soon as a chunk is posted and not all are, if that is ever seen."""
        until = time.monotonic() + GIVE_UP_S
        statement = ("SELECT status <> 'posting' OR next_chunk > 0 FROM credit.upload"
                     " WHERE upload_id = %s AND status NOT IN ('received', 'reading')")
        while time.monotonic() < until:
            rows = self.sql.ask(statement, (file.upload_id,))
            if rows and rows[0][0]:
                break
            time.sleep(0.02)
        if not self._until_done("POST", f"/uploads/{file.upload_id}/undo", f"undo-{file.number}"):
            return
        # How far it came is chance; that it is a beginning of the file, and which, is not.
        (rows,), = self.sql.ask("SELECT posted + already_posted + waiting + unmatched + absent"
                                " + rejected FROM credit.upload WHERE upload_id = %s",
                                (file.upload_id,))
        with self.changed:
            self.undone += 1
            self.undone_posting += rows < file.rows
            file.cut(rows)
            file.seminar.undo(file, rows)
            file.forget()
            self.settle(file)

    def _entry_id(self, seminar, entry):
        (entry_id,), = self.sql.ask(
            "SELECT portal.entry_id(d.doctor_id, s.session_id, %s, %s::smallint)"
            " FROM registration.doctor d, credit.session s WHERE d.register_no = %s"
            " AND s.seminar_no = %s AND s.session_no = %s",
            (entry.programme, entry.revision, str(self.world.doctors.register[entry.n]),
             seminar.no, str(entry.place + 1)))
        return entry_id

    def _until_done(self, method, command, key, body=None):
        """A correction, repeated with its key until it is done."""
        until = time.monotonic() + GIVE_UP_S
        number, path = self.chance.choice([1, 2]), None
        while time.monotonic() < until:
            client = self.client(number)
            try:
                answer = self.timed(f"{key} {number}", lambda told=(client, path): told[0].request(
                    method, command, body or {"reason": "障害試験"}, {"Idempotency-Key": key})
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

    # ---- My Pages ----

    def _release_all(self):
        """Every while a few doctors complete their My Page."""
        while not self.stop.wait(RELEASE_S):
            with self.changed:
                found = self.world.choose_released(RELEASE_MOST)
            if not found:
                continue
            self._import(found)
            self._until_released(found)
            with self.changed:
                self.made += sum(self.world.release(n) for n in found)
                self.released += len(found)

    def _import(self, found):
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
            file.write(self.world.doctors.members(found, "active"))
            file.flush()
            until = time.monotonic() + GIVE_UP_S
            while True:
                try:
                    self.fleet.copy.mamisctl("import", "members", str(pathlib.Path(file.name)),
                                             "--password-for-tests", self.password)
                    return
                except Failure:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.5)

    def _until_released(self, found):
        """Until none of their rows waits any more."""
        rows = [(file.upload_id, row_no) for n in found for file, row_no, _ in
                self.world.waiting[n]]
        until = time.monotonic() + GIVE_UP_S
        while time.monotonic() < until:
            (left,), = self.sql.ask(
                "SELECT count(*) FROM unnest(%s::uuid[], %s::int[]) AS w (upload_id, row_no)"
                " JOIN credit.upload USING (upload_id) JOIN credit.upload_row r"
                " USING (upload_no, row_no) WHERE r.outcome = 'waiting'",
                ([upload_id for upload_id, _ in rows], [row_no for _, row_no in rows]))
            if left == 0:
                return
            time.sleep(0.1)
        self.violation(f"rows of doctors {found} still wait after {GIVE_UP_S} s")
