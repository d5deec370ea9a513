"""Doctors and sessions, as they are imported. Seeded."""

import csv
import io

FAMILY = ["サトウ", "スズキ", "タカハシ", "タナカ", "イトウ", "ワタナベ", "ヤマモト", "ナカムラ"]
GIVEN = ["ハルト", "ユイ", "ケンイチ", "ミドリ", "タケシ", "アヤ", "ヒロシ", "ナオ", "キョウコ"]
MEMBER_COLUMNS = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,"
                  "sex,birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,"
                  "sp_from,sp_to").split(",")

# As imported; and the same as programme -> alternatives of (kind, half units).
OFFERS = {
    "OPL-S:2;CME-007:1.5": {"OP": [("OPL-S", 4)], "CME": [("CME-007", 3)]},
    "OPB-K:2|OPL-S:2;CME-015:2": {"OP": [("OPB-K", 4), ("OPL-S", 4)], "CME": [("CME-015", 4)]},
    "CME-007:2": {"CME": [("CME-007", 4)]},
    "OPB-K:1": {"OP": [("OPB-K", 2)]},
}
DAYS = {"past": "2026-10-{:02}", "future": "2027-01-{:02}", "before": "2025-03-{:02}"}
WHEN_PROBLEM = {"past": None, "future": "session_not_ended", "before": "held_before_cutover"}


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
        self.mail = [f"chaos{n}@example.jp" if n < with_mail and not self.waits[n] else ""
                     for n in range(count)]
        self.certified = [n % 3 == 0 for n in range(count)]
        self.who = list(range(count))  # whom their numbers lead to, since records became one

    def members(self, some=None, page=None):
        """The table of all, or of some with that My Page."""
        rows = []
        for n in some or range(self.count):
            page_now = page or ("closed" if self.closed[n] else "none" if self.waits[n]
                                else "active")
            op = [f"{n:07}", "2023-04-01", "2028-03-31"] if self.certified[n] else [""] * 3
            rows.append([self.mamis[n], self.register[n], "2001-04-01", "試験　太郎", self.kana[n],
                         "", "", "M", "1975-01-01", self.mail[n], "13001", "13", "A1", page_now,
                         *op, "", "", ""])
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
