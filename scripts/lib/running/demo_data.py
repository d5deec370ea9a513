"""Sample people and seminars that depend on the copy's day: two certified occupational physicians
whose certificates end soon, one who can renew and one who lacks practical training (実地)."""

import csv
import datetime
import io

# Nothing was posted for days before this one; handbooks hold what was before.
CUT_OVER = datetime.date(2025, 4, 1)

MEMBER_COLUMNS = ["mamis_no", "register_no", "licensed_on", "name", "name_kana", "former_name",
                  "former_name_kana", "sex", "birth_on", "email", "l1_code", "l2_code",
                  "l3_category", "my_page", "op_no", "op_from", "op_to", "sp_no", "sp_from",
                  "sp_to"]
SEMINAR_COLUMNS = ["seminar_no", "title", "organiser_code", "session_no", "session_title",
                   "starts_at", "ends_at", "delivery", "grace_minutes", "capacity", "offers",
                   "leader_register_no"]

READY = {"register_no": "7770001", "name": "見本　更新", "name_kana": "ミホン　コウシン",
         "sex": "F", "birth_on": "1978-05-05", "email": "demo-ready@example.jp",
         "op_no": "7770001"}
LACKING = {"register_no": "7770002", "name": "見本　不足", "name_kana": "ミホン　フソク",
           "sex": "M", "birth_on": "1971-11-03", "email": "demo-lacking@example.jp",
           "op_no": "7770002"}

# seminar, session, title, days ago, from, to, delivery, offers, whom it is for
SESSIONS = [
    ("DEMO-1", "1", "職場巡視と作業管理", 24, "09:30", "12:30", "venue", "OPL-S:3", "both"),
    ("DEMO-1", "2", "有害業務の管理", 24, "13:30", "16:30", "venue", "OPL-S:3", "both"),
    ("DEMO-1", "3", "法令改正の要点", 24, "16:40", "18:40", "venue", "OPL-R:2", "both"),
    ("DEMO-2", "1", "事業場の実地研修", 17, "13:00", "15:00", "visit", "OPL-J:2", "ready"),
    ("DEMO-3", "1", "健康管理の実際", 10, "09:00", "13:00", "venue", "OPL-S:4", "lacking"),
    ("DEMO-3", "2", "メンタルヘルス対策", 10, "13:30", "17:30", "venue", "OPL-S:4", "lacking"),
    ("DEMO-3", "3", "安全衛生行政の動き", 9, "09:00", "13:00", "venue", "OPL-R:4", "lacking"),
]
TITLES = {"DEMO-1": "産業医生涯研修会（見本）", "DEMO-2": "産業医実地研修会（見本）",
          "DEMO-3": "産業医専門研修会（見本）"}


class DemoData:
    """For the copy's time `now`; seminars are held by `organiser`."""

    def __init__(self, now, organiser):
        self.today = now.date()
        self.organiser = organiser
        self.op_to = self.today + datetime.timedelta(days=75)
        self.op_from = _five_years_before(self.op_to + datetime.timedelta(days=1))

    @property
    def possible(self):
        """Sessions have to lie between the cut-over and yesterday."""
        return self.today > CUT_OVER

    @property
    def handbook_lines(self):
        """What READY has in the handbook: ten units. None when the period began after the cut-over;
        then READY went to all seminars."""
        last_on = min(datetime.date(2025, 3, 16), self.today)
        if self.op_from + datetime.timedelta(days=60) > last_on:
            return None
        return [{"kind": "OPL-R", "half_units": 4, "last_on": last_on.isoformat()},
                {"kind": "OPL-S", "half_units": 16, "last_on": last_on.isoformat()}]

    def members(self):
        shared = {"licensed_on": "2003-05-01", "l1_code": "13001", "l2_code": "13",
                  "l3_category": "A1", "my_page": "active", "op_from": self.op_from.isoformat(),
                  "op_to": self.op_to.isoformat()}
        return _csv(MEMBER_COLUMNS, [{**shared, **READY}, {**shared, **LACKING}])

    def seminars(self):
        rows = []
        for seminar, session, title, days_ago, begins, ends, delivery, offers, _ in SESSIONS:
            day = max(self.today - datetime.timedelta(days=days_ago), CUT_OVER)
            rows.append({"seminar_no": seminar, "title": TITLES[seminar],
                         "organiser_code": self.organiser, "session_no": session,
                         "session_title": title, "starts_at": f"{day} {begins}",
                         "ends_at": f"{day} {ends}", "delivery": delivery, "grace_minutes": "0",
                         "capacity": "100", "offers": offers})
        return _csv(SEMINAR_COLUMNS, rows)

    def attendance(self):
        """{seminar_no: file as an organiser would send it}."""
        files = {}
        for seminar, session, *_, whom in SESSIONS:
            rows = files.setdefault(seminar, [])
            if whom != "lacking" or self.handbook_lines is None:
                rows.append((READY, session))
            if whom != "ready":
                rows.append((LACKING, session))
        head = "医籍登録番号,氏名カナ,セッション番号,出欠\r\n"
        return {seminar: (head + "".join(
            f"{doctor['register_no']},{doctor['name_kana']},{session},出席\r\n"
            for doctor, session in rows)).encode()
            for seminar, rows in files.items()}


def _five_years_before(day):
    try:
        return day.replace(year=day.year - 5)
    except ValueError:
        return day.replace(year=day.year - 5, day=28)


def _csv(columns, rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
