"""Seminars, their attendance files, and what becomes of both when credits are taken back, rows
are mended, doctors complete their My Page or two records become one (twins.py). Seeded; it knows
nothing of the services.
"""

import collections
import random

from people import DAYS, OFFERS, Doctors, Session, table
from twins import Twins
from writer import ENCODINGS, Writer, row_line

ORGANISER = "CHAOS"
SEMINAR_COLUMNS = ("seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,"
                   "delivery,grace_minutes,capacity,offers,leader_register_no").split(",")
HEADERS = ["セッション番号,医籍登録番号,MAMIS番号,氏名カナ,単位種別,単位数,入室時刻,退室時刻,出欠",
           "回,医籍番号,会員番号,フリガナ,種別,単位,受付時刻,退室時刻,出席",
           "session_no,register_no,mamis_no,name_kana,kind,units,entered_at,left_at,attended",
           "セッション番号,医籍登録番号,MAMIS番号,氏名カナ,単位種別,単位数,入室時刻,退室時刻,出欠,備考"]
AGAIN_MOST = 1000  # rows of a file for what was taken back
OVERLAP = 0.12  # of a file's doctors stood in an earlier file of the seminar
SAME_SHARE, CORRECTED_SHARE = 0.1, 0.08  # of files that follow another one


class File:
    """A file that is ready to send, and what must become of it. The texts are for COPY."""

    def __init__(self, number, seminar):
        self.number, self.seminar = number, seminar
        self.name = self.key = f"chaos-{number}"
        self.data = self.sha256 = self.encoding = self.delimiter = None
        self.counts = dict.fromkeys(
            ("posted", "already_posted", "waiting", "unmatched", "absent", "rejected"), 0)
        self.rows_text = self.entries_text = ""
        self.rows = self.entries = 0
        self.upload_id = None
        self.status = "done"
        self.settled = False  # no row of it will be judged any more, but when somebody mends it
        self.undoing = False  # to be taken back while it is posting
        self.releasing = 0    # doctors whose waiting rows are about to post
        self.waiting = []     # (doctor, row, place) that wait
        # Only while it is its seminar's newest:
        self.items = []       # (doctor, place, what was odd) of every row
        self.seen = set()     # (doctor, place) that posted, wait or stood already
        self.mendable = []    # (row, doctor, place, cells that cure it)

    def forget(self):
        self.data, self.items, self.seen, self.mendable = None, [], set(), []

    def rejudge(self, row_no, outcome, reason):
        """A row became something else."""
        begin = self.rows_text.index(f"\n{self.number}\t{row_no}\t") + 1 if row_no > 1 else 0
        end = self.rows_text.index("\n", begin) + 1
        before = self.rows_text[begin:end].split("\t")[2]
        self.counts[before] -= 1
        self.counts[outcome] += 1
        self.rows_text = (self.rows_text[:begin] + row_line(self, row_no, outcome, reason)
                          + self.rows_text[end:])

    def cut(self, rows):
        """Only its first rows were judged."""
        lines = self.rows_text.splitlines(True)[:rows]
        self.rows_text = "".join(lines)
        self.counts = dict.fromkeys(self.counts, 0)
        for line in lines:
            self.counts[line.split("\t")[2]] += 1
        kept = [line for line in self.entries_text.splitlines(True)
                if int(line.split("\t")[1]) <= rows]
        self.entries_text, self.entries = "".join(kept), len(kept)


class Entry:
    """A credit that stands."""

    __slots__ = ("file", "row_no", "n", "place", "programme", "kind", "half_units", "revision")

    def __init__(self, file, row_no, n, place, programme, kind, half_units, revision):
        self.file, self.row_no, self.n, self.place = file, row_no, n, place
        self.programme, self.kind = programme, kind
        self.half_units, self.revision = half_units, revision

    def line(self, half_units, revision):
        return (f"{self.file.number}\t{self.row_no}\t{self.file.seminar.doctors.register[self.n]}\t"
                f"{self.place + 1}\t{self.programme}\t{self.kind}\t{half_units}\t{revision}\n")


class Seminar:
    def __init__(self, number, chance, doctors):
        self.no = f"CH-{number:05}"
        self.doctors = doctors
        self.chance = chance
        self.sessions = []
        for place in range(chance.choice([1, 2, 2, 3])):
            when = chance.choices(list(DAYS), [0.94, 0.03, 0.03])[0] if place else "past"
            leader = chance.randrange(doctors.count) if chance.random() < 0.3 else None
            offers = chance.choice(list(OFFERS)) if place else "OPL-S:2;CME-007:1.5"
            self.sessions.append(Session(place, offers, when, leader))
        self.orders = None  # of doctors, one a session; made at first use
        self.used = 0
        self.last = None    # the newest file
        self.stands = {}    # (doctor, session) -> {programme: Entry}
        self.revisions = {}  # (doctor, session, programme) -> the next, where it is not 0
        self.cancelled = []  # (doctor, session) whose credits were taken back since the last file
        self.cancels = 0
        self.held = False    # somebody is at it

    def lines(self):
        return [[self.no, f"障害試験 {self.no}", ORGANISER, s.place + 1, f"講演{s.place + 1}",
                 f"{s.day} 13:00", f"{s.day} 15:00", "venue", 10, "", s.offers,
                 "" if s.leader is None else self.doctors.register[s.leader]]
                for s in self.sessions]

    def rest(self, some):
        """It had its last file: only credits of some doctors are still asked for."""
        self.stands = {key: stands for key, stands in self.stands.items() if key[0] in some}

    def left(self):
        """Rows that doctors who were in no file yet would give."""
        return (self.doctors.count - self.used) * len(self.sessions)

    def choose_cancels(self, most, pending):
        """Some credits that stand, to be taken back."""
        keys = sorted(key for key in self.stands if key[0] not in pending)
        keys = self.chance.sample(keys, min(most, len(keys)))
        return [self.chance.choice(sorted(self.stands[key].items()))[1] for key in keys]

    def cancel(self, entry):
        """`entry` was taken back."""
        key = (entry.n, entry.place)
        del self.stands[key][entry.programme]
        if not self.stands[key]:
            del self.stands[key]
        self.revisions[entry.n, entry.place, entry.programme] = entry.revision + 2
        entry.file.entries_text += entry.line(-entry.half_units, entry.revision + 1)
        self.cancelled.append(key)
        self.cancels += 1

    def undo(self, file, rows=None):
        """All that a file posted and that stands was taken back; while it was posting: of its
        first `rows` rows, and the others were never judged."""
        file.status = "undone"
        for entry in [entry for stands in self.stands.values() for entry in stands.values()
                      if entry.file is file]:
            if rows is None or entry.row_no <= rows:
                self.cancel(entry)
            else:
                self._never(entry)
        self.chance.shuffle(self.cancelled)
        del self.cancelled[AGAIN_MOST:]

    def _never(self, entry):
        key = (entry.n, entry.place)
        del self.stands[key][entry.programme]
        if not self.stands[key]:
            del self.stands[key]

    def post(self, file, row_no, n, place, posts):
        """A row's credits: the lines of the model's entries."""
        lines, n = [], self.doctors.who[n]
        for programme, (kind, half_units) in posts.items():
            revision = self.revisions.get((n, place, programme), 0)
            entry = Entry(file, row_no, n, place, programme, kind, half_units, revision)
            self.stands.setdefault((n, place), {})[programme] = entry
            lines.append(entry.line(half_units, revision))
        return lines

    def items(self, rows, pending):
        """(doctor, session, was taken back) of the next file, in its order."""
        if self.orders is None:
            everybody = range(self.doctors.count)
            self.orders = [self.chance.sample(everybody, self.doctors.count)
                           for _ in self.sessions]
        each = min(max(1, rows // len(self.sessions)), self.doctors.count - self.used)
        items = []
        for place, order in enumerate(self.orders):
            again = min(self.used, int(each * OVERLAP))
            items += [(n, place, False) for n in order[self.used:self.used + each]]
            items += [(n, place, False) for n in self.chance.sample(order[:self.used], again)]
        items += [(*key, True) for key in self.cancelled]  # posts again
        self.cancelled = []
        self.used += each
        self.chance.shuffle(items)
        return [item for item in items if item[0] not in pending]


class World(Twins):
    """Everything is made from the seed; a seminar's files are made one after the other, since each
    is judged by what the ones before left."""

    def __init__(self, seed, doctors, seminars, with_mail=8):
        self.chance = random.Random(seed)
        self.doctors = Doctors(doctors, with_mail)
        self.seminars = [Seminar(number, random.Random(self.chance.getrandbits(64)), self.doctors)
                         for number in range(seminars)]
        self.files = []
        self.waiting = collections.defaultdict(list)  # doctor -> (file, row, place), files done
        self.judging = collections.Counter()  # doctor -> files under way in which it may wait
        self.pending = set()  # doctors whose My Page is being completed, or who become one
        self.find_twins()

    def organisers(self):
        return f"organiser_code,name,kind,l1_code,l2_code\n{ORGANISER},障害試験用主催者,other,,\n"

    def seminars_csv(self, half):
        return table(SEMINAR_COLUMNS,
                     [line for one in self.seminars[half::2] for line in one.lines()])

    # ---- files ----

    def next_file(self, seminar, rows, anew=False):
        """The next file of a seminar whose files before are done. Made under the caller's lock:
        numbers count up in the order of the calls. `anew`: none that was sent before."""
        last = seminar.last
        file = File(len(self.files) + 1, seminar)
        self.files.append(file)
        what = seminar.chance.random()
        same = not anew and last and last.items and what < SAME_SHARE
        if same and not any(n in self.pending for n, _, _ in last.items):
            self._same(file, last)
        else:
            self._new(file, rows, last if what > 1 - CORRECTED_SHARE else None)
        if last:
            last.forget()
        seminar.last = file
        self.judging.update({n for n, _, _ in file.waiting})
        return file

    def _same(self, file, last):
        """The same bytes once more, without a key."""
        writer = Writer(file.seminar, file)
        for n, place, told in last.items:
            writer.judge_row(n, place, told)
        writer.end()
        file.key, file.data, file.sha256 = None, last.data, last.sha256
        file.encoding, file.delimiter = last.encoding, last.delimiter

    def _new(self, file, rows, corrects):
        """`corrects`: only what was wrong in that one, put right."""
        seminar, chance = file.seminar, file.seminar.chance
        writer = Writer(seminar, file)
        header = chance.choice(HEADERS).split(",")
        writer.columns = len(header)
        wrong = [(n, place) for _, n, place, _ in corrects.mendable if n not in self.pending] \
            if corrects else []
        if wrong:
            for n, place in wrong:
                writer.write(n, place, plain=True)
        else:
            for n, place, again in seminar.items(rows, self.pending):
                writer.write(n, place, other_kind=again and chance.random() < 0.5)
                if chance.random() < 0.01:
                    n, place, _ = chance.choice(file.items[-500:])
                    writer.write(n, place)
        writer.end()
        writer.encode(chance.choice(list(ENCODINGS)), chance.choice([",", "\t", ";"]),
                      chance.choice(["\r\n", "\n", "\r"]), header)

    def settled(self, file):
        """A file is done, or undone: what waits in it goes on waiting, or never posts."""
        file.settled = True
        for n in {n for n, _, _ in file.waiting}:
            self.judging[n] -= 1
        if file.status == "done":
            for n, row_no, place in file.waiting:
                self.waiting[n].append((file, row_no, place))

    def gone(self, file):
        """A file that was done was undone."""
        for n in {n for n, _, _ in file.waiting}:
            self.waiting[n] = [one for one in self.waiting[n] if one[0] is not file]

    # ---- My Pages ----

    def choose_released(self, most):
        """Doctors who wait, of whom it is certain which rows will post: of each session one, in no
        file that is under way, in no seminar that somebody is at."""
        found = []
        for n, rows in self.waiting.items():
            places = {(file.seminar.no, place) for file, _, place in rows}
            if rows and len(places) == len(rows) and not self.judging[n] and not any(
                    file.seminar.held for file, _, _ in rows):
                found.append(n)
                if len(found) == most:
                    break
        for n in found:
            self.pending.add(n)
            for file, _, _ in self.waiting[n]:
                file.releasing += 1
        return found

    def release(self, n):
        """Its My Page is complete, and its rows posted. Gives how many entries."""
        count = 0
        self.doctors.waits[n] = False
        self.pending.discard(n)
        for file, row_no, place in self.waiting.pop(n):
            seminar = file.seminar
            file.releasing -= 1
            file.rejudge(row_no, "posted", None)
            wish = seminar.sessions[place].wish[self.doctors.certified[n]]
            lines = seminar.post(file, row_no, n, place, wish)
            file.entries_text += "".join(lines)
            count += len(lines)
        return count

    # ---- mending ----

    def mend(self, file, row_no, n, place):
        """A row of the seminar's newest file was put right."""
        writer = Writer(file.seminar, file)
        writer.seen = file.seen
        outcome, reason, posts = writer.judge(n, file.seminar.sessions[place])
        file.rejudge(row_no, outcome, reason)
        file.entries_text += "".join(file.seminar.post(file, row_no, n, place, posts))
