"""People, seminars and attendance files, and what must become of every row. Seeded.

The judging here is a model of its own, written from the rules of the file format for the part of
them that the files made here touch. It knows nothing of the services.
"""

import csv
import hashlib
import io
import random

ORGANISER = "CHAOS"
FAMILY = ["サトウ", "スズキ", "タカハシ", "タナカ", "イトウ", "ワタナベ", "ヤマモト", "ナカムラ"]
GIVEN = ["ハルト", "ユイ", "ケンイチ", "ミドリ", "タケシ", "アヤ", "ヒロシ", "ナオ", "キョウコ"]
MEMBER_COLUMNS = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,"
                  "birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,"
                  "sp_from,sp_to").split(",")
SEMINAR_COLUMNS = ("seminar_no,title,organiser_code,session_no,session_title,starts_at,ends_at,"
                   "delivery,grace_minutes,capacity,offers,leader_register_no").split(",")

# Problems in the order in which the first one decides.
UNMATCHED = ["doctor_unknown", "kana_mismatch", "numbers_disagree", "doctor_closed"]
REJECTED = ["field_count", "number_missing", "register_no_format", "session_missing",
            "session_unknown", "kind_unknown", "kind_not_offered", "units_format", "units_differ",
            "attended_format", "time_format", "time_incomplete", "time_order", "late_arrival",
            "early_leave", "held_before_cutover", "session_not_ended", "conflicts_with_posted",
            "leader_excluded"]
RANK = {code: place for place, code in enumerate(UNMATCHED + REJECTED)}

# As imported; and the same as programme -> alternatives of (kind, half units).
OFFERS = {
    "OPL-S:2;CME-007:1.5": {"OP": [("OPL-S", 4)], "CME": [("CME-007", 3)]},
    "OPB-K:2|OPL-S:2;CME-015:2": {"OP": [("OPB-K", 4), ("OPL-S", 4)], "CME": [("CME-015", 4)]},
    "CME-007:2": {"CME": [("CME-007", 4)]},
    "OPB-K:1": {"OP": [("OPB-K", 2)]},
}
DAYS = {"past": "2026-10-{:02}", "future": "2027-01-{:02}", "before": "2025-03-{:02}"}
WHEN_PROBLEM = {"past": None, "future": "session_not_ended", "before": "held_before_cutover"}
HEADERS = ["セッション番号,医籍登録番号,MAMIS番号,氏名カナ,単位種別,単位数,入室時刻,退室時刻,出欠",
           "回,医籍番号,会員番号,フリガナ,種別,単位,受付時刻,退室時刻,出席",
           "session_no,register_no,mamis_no,name_kana,kind,units,entered_at,left_at,attended",
           "セッション番号,医籍登録番号,MAMIS番号,氏名カナ,単位種別,単位数,入室時刻,退室時刻,出欠,備考"]
ENCODINGS = {"utf-8": ("utf-8", b""), "bom": ("utf-8", b"\xef\xbb\xbf"), "cp932": ("cp932", b"")}
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
PLAIN_SHARE = 0.8
NULL = "\\N"  # for COPY
AGAIN_MOST = 1000  # rows of a file for what was taken back
OVERLAP = 0.12  # of a file's doctors stood in an earlier file of the seminar


def check_digit(nine):
    """ISO/IEC 7064 MOD 11,10."""
    product = 10
    for digit in nine:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def table(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


class Doctors:
    def __init__(self, count, with_mail):
        self.count, self.with_mail = count, with_mail
        self.register = [3000000 + n for n in range(count)]
        self.mamis = [f"{300000000 + n}" + check_digit(f"{300000000 + n}") for n in range(count)]
        self.kana = [f"{FAMILY[n % 8]}　{GIVEN[n // 8 % 9]}" for n in range(count)]
        self.closed = [n % 61 == 17 for n in range(count)]
        self.waits = [n % 43 == 11 and n % 61 != 17 for n in range(count)]
        self.certified = [n % 3 == 0 for n in range(count)]

    def members(self):
        rows = []
        for n in range(self.count):
            page = "closed" if self.closed[n] else "none" if self.waits[n] else "active"
            mail = f"chaos{n}@example.jp" if n < self.with_mail else ""
            op = [f"{n:07}", "2023-04-01", "2028-03-31"] if self.certified[n] else [""] * 3
            rows.append([self.mamis[n], self.register[n], "2001-04-01", "試験　太郎", self.kana[n],
                         "", "", "M", "1975-01-01", mail, "13001", "13", "A1", page, *op]
                        + [""] * 3)
        return table(MEMBER_COLUMNS, rows)


class Session:
    def __init__(self, place, offers, when, leader):
        self.place, self.offers, self.when, self.leader = place, offers, when, leader
        self.day = DAYS[when].format(10 + place)
        choices = OFFERS[offers]
        # What an empty kind cell means for doctors without and with a certificate.
        self.wish = {certified: {programme: self._choose(programme, kinds, certified)
                                 for programme, kinds in choices.items()}
                     for certified in (False, True)}
        self.kinds = {programme: dict(kinds) for programme, kinds in choices.items()}

    @staticmethod
    def _choose(programme, kinds, certified):
        lifelong = [one for one in kinds if one[0].startswith("OPL")]
        return lifelong[0] if programme == "OP" and certified and lifelong else kinds[0]


class File:
    """A file that is ready to send, and what must become of it. The texts are for COPY."""

    def __init__(self, number, seminar):
        self.number, self.seminar = number, seminar
        self.key = f"chaos-{number}"
        self.data = self.sha256 = self.encoding = self.delimiter = None
        self.counts = dict.fromkeys(
            ("posted", "already_posted", "waiting", "unmatched", "absent", "rejected"), 0)
        self.rows_text = self.entries_text = ""
        self.rows = self.entries = 0
        self.upload_id = None
        self.status = "done"


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

    def lines(self):
        return [[self.no, f"障害試験 {self.no}", ORGANISER, s.place + 1, f"講演{s.place + 1}",
                 f"{s.day} 13:00", f"{s.day} 15:00", "venue", 10, "", s.offers,
                 "" if s.leader is None else self.doctors.register[s.leader]]
                for s in self.sessions]

    def left(self):
        """Rows that doctors who were in no file yet would give."""
        return (self.doctors.count - self.used) * len(self.sessions)

    def choose_cancels(self, most):
        """Some credits that stand, to be taken back."""
        keys = self.chance.sample(sorted(self.stands), min(most, len(self.stands)))
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

    def undo(self, file):
        """All that a file posted and that stands was taken back."""
        file.status = "undone"
        for entry in [entry for stands in self.stands.values() for entry in stands.values()
                      if entry.file is file]:
            self.cancel(entry)
        self.chance.shuffle(self.cancelled)
        del self.cancelled[AGAIN_MOST:]

    def items(self, rows):
        """(doctor, session) of the next file, in its order."""
        if self.orders is None:
            everybody = range(self.doctors.count)
            self.orders = [self.chance.sample(everybody, self.doctors.count)
                           for _ in self.sessions]
        each = min(max(1, rows // len(self.sessions)), self.doctors.count - self.used)
        items = []
        for place, order in enumerate(self.orders):
            again = min(self.used, int(each * OVERLAP))
            items += [(n, place) for n in order[self.used:self.used + each]]
            items += [(n, place) for n in self.chance.sample(order[:self.used], again)]
        items += self.cancelled  # what was taken back posts again
        self.cancelled = []
        self.used += each
        self.chance.shuffle(items)
        return items


class Writer:
    """Writes one file row by row and judges each."""

    def __init__(self, seminar, file):
        self.seminar, self.file = seminar, file
        self.doctors, self.chance = seminar.doctors, seminar.chance
        self.several = len(seminar.sessions) > 1
        self.lines, self.rows_out, self.entries_out = [], [], []
        self.seen = set()   # (doctor, session) that posted, wait or stood already
        self.before = []    # items written so far, for repeats
        self.row_no = 0
        self.columns = 9
        self.oddities = [getattr(self, name) for name in sorted(dir(self))
                         if name.startswith("odd_")]

    # ---- one row as cells, with the problems that were put into it ----

    def cells(self, n, place):
        return [str(place + 1), str(self.doctors.register[n]), "", self.doctors.kana[n], "", "", "",
                "", "出席"]

    # Each changes the cells and gives what judge() has to know: problems, whether the doctor is
    # found and the session known, the kinds wished. What is not given is as in an ordinary row.

    def odd_absent(self, cells, n, _session):
        cells[8] = self.chance.choice(["×", "0", "欠", "no"])
        return {"absent": True}

    def odd_unknown(self, cells, n, _session):
        cells[1] = "9999999"
        return {"problems": ["doctor_unknown"], "found": False}

    def odd_kana(self, cells, n, _session):
        cells[3] = "ベツノ　ヒト"
        return {"problems": ["kana_mismatch"]}

    def odd_disagree(self, cells, n, _session):
        cells[2] = self.doctors.mamis[(n + 1) % self.doctors.count]
        return {"problems": ["numbers_disagree"], "found": False}

    def odd_register_format(self, cells, n, _session):
        cells[1] = self.chance.choice(["12-3", "1.23E+05", "123,456".replace(",", "，"), "12a"])
        return {"problems": ["register_no_format"], "found": False}

    def odd_no_number(self, cells, n, _session):
        cells[1] = ""
        return {"problems": ["number_missing"], "found": False}

    def odd_session_unknown(self, cells, n, _session):
        cells[0] = "9"
        return {"problems": ["session_unknown"], "known": False}

    def odd_session_missing(self, cells, n, _session):
        cells[0] = ""
        return {"problems": ["session_missing"], "known": False} if self.several else {}

    def odd_kind_unknown(self, cells, n, _session):
        cells[4] = "XYZ-9"
        return {"problems": ["kind_unknown"], "wish": {}}

    def odd_kind_not_offered(self, cells, n, _session):
        cells[4] = "CSL-A1"
        return {"problems": ["kind_not_offered"], "wish": {}}

    def odd_units_format(self, cells, n, session):
        if len(session.kinds) > 1:
            cells[4], wish = self._one_kind(session)
        else:
            wish = None
        cells[5] = self.chance.choice(["1.25", "2単位", "x"])
        return {"problems": ["units_format"], "wish": wish}

    def odd_units_differ(self, cells, n, _session):
        cells[5] = "9"  # for one kind wrong, for several always
        return {"problems": ["units_differ"]}

    def odd_attended(self, cells, n, _session):
        cells[8] = "たぶん"
        return {"problems": ["attended_format"]}

    def odd_time_format(self, cells, n, _session):
        cells[6:8] = ["午後1時", "15:00"]
        return {"problems": ["time_format"]}

    def odd_time_incomplete(self, cells, n, _session):
        cells[6 + self.chance.randrange(2)] = "13:00"
        return {"problems": ["time_incomplete"]}

    def odd_time_order(self, cells, n, _session):
        cells[6:8] = ["14:00", "13:05"]
        return {"problems": ["time_order"]}

    def odd_late(self, cells, n, _session):
        cells[6:8] = [self.chance.choice(["13:10:01", "13:30"]), "15:00"]
        return {"problems": ["late_arrival"]}

    def odd_early(self, cells, n, _session):
        cells[6:8] = ["12:55", self.chance.choice(["14:49:59", "14:00"])]
        return {"problems": ["early_leave"]}

    def odd_in_time(self, cells, n, session):
        cells[6:8] = ["13:10", f"{session.day.replace('-', '/')} 14:50"]
        return {}

    def odd_field_count(self, cells, n, _session):
        cells += [""] * (self.columns - len(cells)) + ["余分"]
        return {"problems": ["field_count"], "found": False, "known": False}

    def odd_by_mamis_no(self, cells, n, _session):
        cells[1], cells[2] = "", self.doctors.mamis[n]
        return {}

    def odd_wide(self, cells, n, _session):
        cells[1] = " " + cells[1].translate(WIDE)
        return {}

    def _one_kind(self, session):
        programme = self.chance.choice(list(session.kinds))
        kind = self.chance.choice(list(session.kinds[programme]))
        return kind, {programme: (kind, session.kinds[programme][kind])}

    def odd_kind(self, cells, n, session):
        if self.doctors.waits[n]:
            return {}
        cells[4], wish = self._one_kind(session)
        if self.chance.random() < 0.3:
            (_, half_units), = wish.values()
            cells[5] = f"{half_units / 2:g}"
        return {"wish": wish}

    def odd_kinds(self, cells, n, session):
        if self.doctors.waits[n]:
            return {}
        wish = {programme: self.chance.choice(list(kinds.items()))
                for programme, kinds in session.kinds.items()}
        cells[4] = "/".join(kind for kind, _ in wish.values())
        return {"wish": wish}

    def odd_kind_more_often(self, cells, n, session):
        return self.odd_kind(cells, n, session)

    # ---- judging ----

    def judge(self, n, session, problems=(), found=True, known=True, wish=None, absent=False):
        """(outcome, reason, {programme: (kind, half units)} to post)"""
        if absent:
            return "absent", None, {}
        key = (n, session.place)
        stands = self.seminar.stands.get(key, {}) if found and known else {}
        if wish is None:
            wish = session.wish[self.doctors.certified[n]]
        all_problems = list(problems)
        if found and self.doctors.closed[n]:
            all_problems.append("doctor_closed")
        if known and WHEN_PROBLEM[session.when]:
            all_problems.append(WHEN_PROBLEM[session.when])
        if found and known:
            if session.leader == n:
                all_problems.append("leader_excluded")
            if any(programme in stands and stands[programme].kind != kind
                   for programme, (kind, _) in wish.items()):
                all_problems.append("conflicts_with_posted")
        if "field_count" in problems:
            all_problems = ["field_count"]
        if all_problems:
            reason = min(all_problems, key=RANK.__getitem__)
            return ("unmatched" if reason in UNMATCHED else "rejected"), reason, {}
        if key in self.seen:
            return "already_posted", "same_upload", {}
        self.seen.add(key)
        if self.doctors.waits[n]:
            return "waiting", "no_my_page", {}
        missing = {programme: kind for programme, kind in wish.items() if programme not in stands}
        if not missing:
            return "already_posted", "earlier_upload", {}
        return "posted", None, missing

    def write(self, n, place):
        chance, session = self.chance, self.seminar.sessions[place]
        cells = self.cells(n, place)
        told = {}
        if chance.random() > PLAIN_SHARE:
            told = chance.choice(self.oddities)(cells, n, session)
        self.lines.append(cells)
        self.row_no += 1
        outcome, reason, posts = self.judge(n, session, **told)
        file = self.file
        file.counts[outcome] += 1
        self.rows_out.append(f"{file.number}\t{self.row_no}\t{outcome}\t{reason or NULL}\n")
        for programme, (kind, half_units) in posts.items():
            revision = self.seminar.revisions.get((n, place, programme), 0)
            entry = Entry(file, self.row_no, n, place, programme, kind, half_units, revision)
            self.seminar.stands.setdefault((n, place), {})[programme] = entry
            self.entries_out.append(entry.line(half_units, revision))

    def finish(self, encoding, delimiter, line_end, header):
        file = self.file
        codec, mark = ENCODINGS[encoding]
        lines = [delimiter.join(header)]
        lines += [delimiter.join(cells + [""] * (self.columns - len(cells)))
                  for cells in self.lines]
        file.data = mark + (line_end.join(lines) + line_end).encode(codec)
        file.sha256 = hashlib.sha256(file.data).hexdigest()
        file.encoding, file.delimiter = codec, delimiter
        file.rows, file.entries = self.row_no, len(self.entries_out)
        file.rows_text, file.entries_text = "".join(self.rows_out), "".join(self.entries_out)


class World:
    """Everything is made from the seed; a seminar's files are made one after the other, since each
    is judged by what the ones before left."""

    def __init__(self, seed, doctors, seminars, with_mail=8):
        self.chance = random.Random(seed)
        self.doctors = Doctors(doctors, with_mail)
        self.seminars = [Seminar(number, random.Random(self.chance.getrandbits(64)), self.doctors)
                         for number in range(seminars)]
        self.files = []

    def organisers(self):
        return f"organiser_code,name,kind,l1_code,l2_code\n{ORGANISER},障害試験用主催者,other,,\n"

    def seminars_csv(self):
        return table(SEMINAR_COLUMNS, [line for one in self.seminars for line in one.lines()])

    def next_file(self, seminar, rows):
        """The next file of a seminar whose files before are done. Made under the caller's lock:
        numbers count up in the order of the calls."""
        file = File(len(self.files) + 1, seminar)
        self.files.append(file)
        seminar.last = file
        writer = Writer(seminar, file)
        chance = seminar.chance
        header = chance.choice(HEADERS).split(",")
        writer.columns = len(header)
        for n, place in seminar.items(rows):
            writer.write(n, place)
            writer.before.append((n, place))
            if chance.random() < 0.01:
                writer.write(*chance.choice(writer.before[-500:]))
        writer.finish(chance.choice(list(ENCODINGS)), chance.choice([",", "\t", ";"]),
                      chance.choice(["\r\n", "\n", "\r"]), header)
        return file
