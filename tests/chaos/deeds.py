"""What is done with credits beside posting them: some are taken back, a whole file is undone, also
while it is posting, rows are mended, doctors complete their My Page, two records of one doctor
become one. Each until it is done, whatever happens meanwhile; afterwards the model knows.
"""

import http.client
import pathlib
import tempfile
import time

from running.api import ApiError, Client
from running.process import Failure

GIVE_UP_S = 300
# Before the next file of a seminar: all of its last one is taken back, or some credits, or rows of
# its last one are mended.
UNDO_SHARE, CANCEL_SHARE, CANCELS, MEND_SHARE, MENDS = 0.05, 0.3, 4, 0.3, 4
UNDO_POSTING_SHARE = 0.06
RELEASE_S, RELEASE_MOST = 4, 6  # doctors whose My Page is completed together, so often
MERGE_S = 2  # from one merge to the next
OFFICERS = ("chaos-officer-1", "chaos-officer-2")  # one proposes, the other one confirms


class Deeds:
    # ---- taking credits back ----

    def _take_back(self, seminar):
        """Of a seminar whose files are done: a few credits, or a whole file, or nothing; or some
        of its rows are mended. Afterwards the model knows."""
        what, last = self.chance.random(), seminar.last
        if what < UNDO_SHARE:
            with self.changed:
                may = last.status == "done" and not last.releasing and self.world.untouched(seminar)
            if may and self._until_done("POST", f"/uploads/{last.upload_id}/undo",
                                        f"undo-{seminar.no}-{seminar.cancels}"):
                with self.changed:
                    seminar.undo(last)
                    self.world.gone(last)
                self.undone += 1
        elif what < UNDO_SHARE + CANCEL_SHARE:
            with self.changed:
                entries = seminar.choose_cancels(CANCELS, self.world.pending)
            for entry in entries:
                path = f"/credits/{self._entry_id(seminar, entry)}/cancel"
                if self._until_done("POST", path, f"cancel-{seminar.no}-{seminar.cancels}"):
                    with self.changed:
                        seminar.cancel(entry)
                    self.cancelled += 1
        elif what < UNDO_SHARE + CANCEL_SHARE + MEND_SHARE and last.status == "done":
            self._mend(last)

    def _mend(self, file):
        for _ in range(MENDS):
            with self.changed:
                if not file.mendable:
                    return
                row_no, n, place, cells = file.mendable.pop()
                if n in self.world.pending:
                    continue
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

    def _officer(self, login, number):
        return Client(f"http://127.0.0.1:{self.fleet.http[number]}").sign_in(login, self.password)

    def _until_done(self, method, command, key, body=None, officer=None):
        """A command of the organiser's, or of an officer's, repeated with its key until it is
        done."""
        until = time.monotonic() + GIVE_UP_S
        number, path = self.chance.choice([1, 2]), None
        while time.monotonic() < until:
            try:
                client = self._officer(officer, number) if officer else self.client(number)
                answer = self.timed(f"{key} {number}", lambda told=(client, path): told[0].request(
                    method, command, body or {"reason": "障害試験"}, {"Idempotency-Key": key})
                                    if told[1] is None else told[0].get(told[1]))
            except (OSError, http.client.HTTPException, ApiError):
                answer = None
            number = 3 - number
            if answer is None or answer.status in (429, 503, 504):
                self.end.wait(0.2)
            elif answer.status in (200, 201) and (path is None or answer.json["status"] == "done"):
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

    # ---- two records of one doctor ----

    def _merge_all(self):
        """Every while two officers say that two doctors on record are one person."""
        while not self.stop.wait(MERGE_S):
            with self.changed:
                found = self.world.choose_merge()
            if found:
                self._merge(*found)

    def _merge(self, kept, closed, under_way):
        register = self.world.doctors.register
        body = {"keep_register_no": str(register[kept]), "close_register_no": str(register[closed]),
                "reason": "障害試験"}
        if not self._until_done("POST", "/merges", f"merge-{closed}", body, OFFICERS[0]):
            return
        (merge_id,), = self.sql.ask("SELECT merge_id FROM registration.merge m JOIN"
                                    " registration.doctor d ON d.doctor_id = m.closed_id"
                                    " WHERE d.register_no = %s", (str(register[closed]),))
        if self._until_done("POST", f"/merges/{merge_id}/confirm", f"confirm-{closed}",
                            {"reason": "障害試験"}, OFFICERS[1]) \
                and self._until_moved(closed, under_way):
            at_once = [entry for entry in under_way if not self._stood(closed, entry)]
            with self.changed:
                self.world.merge(kept, closed, at_once)
                self.merged += 1
                self.merged_under_way += len(under_way)
                self.merged_at_once += len(at_once)

    def _until_moved(self, closed, under_way):
        """Until nothing stands for the closed one, and no row of his can post any more."""
        until = time.monotonic() + GIVE_UP_S
        while time.monotonic() < until:
            done = all(entry.file.settled for entry in under_way)
            (left,), = self.sql.ask(
                "SELECT count(*) FROM credit.ledger l JOIN registration.doctor d USING (doctor_id)"
                " WHERE d.register_no = %s AND l.revision %% 2 = 0 AND NOT EXISTS (SELECT FROM"
                " credit.ledger n WHERE (n.doctor_id, n.session_id, n.programme, n.revision)"
                " = (l.doctor_id, l.session_id, l.programme, l.revision + 1))",
                (str(self.world.doctors.register[closed]),))
            if done and left == 0:
                return True
            time.sleep(0.1)
        self.violation(f"{left} credits still stand for merged doctor {closed} after {GIVE_UP_S} s")
        return False

    def _stood(self, closed, entry):
        """Whether the row was judged before the merge: that is chance, what comes of it is not."""
        return self.sql.ask(
            "SELECT 1 FROM credit.ledger l JOIN registration.doctor d USING (doctor_id)"
            " JOIN credit.session s USING (session_id) WHERE d.register_no = %s"
            " AND s.seminar_no = %s AND s.session_no = %s AND l.programme = %s AND l.revision = %s",
            (str(self.world.doctors.register[closed]), entry.file.seminar.no, str(entry.place + 1),
             entry.programme, entry.revision))
