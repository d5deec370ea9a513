"""Writes attendance files row by row, oddities among them, and judges every row.

The judging is a model of its own, written from the rules of the file format for the part of them
that the files made here touch. It knows nothing of the services.
"""

import hashlib

from people import WHEN_PROBLEM

# Problems in the order in which the first one decides.
UNMATCHED = ["doctor_unknown", "kana_mismatch", "numbers_disagree", "doctor_closed"]
REJECTED = ["field_count", "number_missing", "register_no_format", "session_missing",
            "session_unknown", "kind_unknown", "kind_not_offered", "units_format", "units_differ",
            "attended_format", "time_format", "time_incomplete", "time_order", "late_arrival",
            "early_leave", "held_before_cutover", "session_not_ended", "conflicts_with_posted",
            "leader_excluded"]
RANK = {code: place for place, code in enumerate(UNMATCHED + REJECTED)}
ENCODINGS = {"utf-8": ("utf-8", b""), "bom": ("utf-8", b"\xef\xbb\xbf"), "cp932": ("cp932", b"")}
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
PLAIN_SHARE = 0.8
NULL = "\\N"  # for COPY


COLUMNS = ["session_no", "register_no", "mamis_no", "name_kana", "kind", "units", "entered_at",
           "left_at", "attended"]
MENDABLE_MOST = 200  # rows of a file that are remembered


def row_line(file, row_no, outcome, reason):
    return f"{file.number}\t{row_no}\t{outcome}\t{reason or NULL}\n"


class Writer:
    """Writes one file row by row and judges each."""

    def __init__(self, seminar, file):
        self.seminar, self.file = seminar, file
        self.doctors, self.chance = seminar.doctors, seminar.chance
        self.several = len(seminar.sessions) > 1
        self.lines, self.rows_out, self.entries_out = [], [], []
        self.seen = set()   # (doctor, session) that posted, wait or stood already
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
        n = self.doctors.who[n]
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

    def other_kind(self, cells, n, session):
        """Another kind than that which an empty cell means, if there is one."""
        own = session.wish[self.doctors.certified[n]]
        wish = {programme: (kind, half_units) for programme, kinds in session.kinds.items()
                for kind, half_units in kinds.items() if own[programme][0] != kind}
        if not wish or self.doctors.waits[n]:
            return {}
        cells[4] = "/".join(kind for kind, _ in wish.values())
        return {"wish": wish}

    def write(self, n, place, plain=False, other_kind=False):
        session = self.seminar.sessions[place]
        cells = self.cells(n, place)
        told = {}
        if other_kind:
            told = self.other_kind(cells, n, session)
        elif not plain and self.chance.random() > PLAIN_SHARE:
            told = self.chance.choice(self.oddities)(cells, n, session)
        self.lines.append(cells)
        self.judge_row(n, place, told)
        if told.get("problems"):
            self._remember(n, place, cells, "field_count" in told["problems"])

    def _remember(self, n, place, cells, whole):
        """How the row would be cured. Doctors who get mail are left out, so that one mail for each
        upload and doctor stays the rule, and those whose rows would wait."""
        doctors, file = self.doctors, self.file
        if n < doctors.with_mail or doctors.waits[n] or len(file.mendable) >= MENDABLE_MOST:
            return
        clean = self.cells(n, place)
        cure = {name: clean[at] for at, name in enumerate(COLUMNS)
                if whole or clean[at] != cells[at]}
        file.mendable.append((self.row_no, n, place, cure))

    def judge_row(self, n, place, told):
        self.row_no += 1
        file = self.file
        outcome, reason, posts = self.judge(n, self.seminar.sessions[place], **told)
        file.counts[outcome] += 1
        file.items.append((n, place, told))
        if outcome == "waiting":
            file.waiting.append((n, self.row_no, place))
        self.rows_out.append(row_line(file, self.row_no, outcome, reason))
        self.entries_out += self.seminar.post(file, self.row_no, n, place, posts)

    def end(self):
        file = self.file
        file.rows, file.entries, file.seen = self.row_no, len(self.entries_out), self.seen
        file.rows_text, file.entries_text = "".join(self.rows_out), "".join(self.entries_out)

    def encode(self, encoding, delimiter, line_end, header):
        file = self.file
        codec, mark = ENCODINGS[encoding]
        lines = [delimiter.join(header)]
        lines += [delimiter.join(cells + [""] * (self.columns - len(cells)))
                  for cells in self.lines]
        file.data = mark + (line_end.join(lines) + line_end).encode(codec)
        file.sha256 = hashlib.sha256(file.data).hexdigest()
        file.encoding, file.delimiter = codec, delimiter
