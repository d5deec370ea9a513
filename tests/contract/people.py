"""People and seminars that the contract tests bring along, beside the samples."""
import csv
import email
import email.policy
import datetime
import random
import re
import time

JAPAN = datetime.timezone(datetime.timedelta(hours=9))
PASSWORD = "contract test password"
WAIT_SECONDS = 30
MEMBER_COLUMNS = ["mamis_no", "register_no", "licensed_on", "name", "name_kana", "former_name",
                  "former_name_kana", "sex", "birth_on", "email", "l1_code", "l2_code",
                  "l3_category", "my_page", "op_no", "op_from", "op_to", "sp_no", "sp_from",
                  "sp_to", "training_ends_on"]
SEMINAR_COLUMNS = ["seminar_no", "title", "organiser_code", "session_no", "session_title",
                   "starts_at", "ends_at", "delivery", "grace_minutes", "capacity", "offers",
                   "leader_register_no"]
LINK = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}\.[A-Za-z0-9_-]{20,}")


def wait_for(what, look):
    """The first true value of look(), asked again until the deadline."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS} s for {what}"
        time.sleep(0.1)  # between two looks; the deadline above ends it


def mamis_no(body):
    """Nine digits with the check digit of ISO/IEC 7064 MOD 11,10."""
    rest = 10
    for digit in body:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return body + str((11 - rest) % 10)


def write(path, columns, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


class People:
    """Two doctors who can apply, two with postcards, one to suspend, a trainee, one on record thrice,
    a seminar with 20 units and one to come, offices, a second officer of the national one."""

    def __init__(self, demo, folder, place=("13001", "13", "P13")):
        """`place`: codes of the L1, its L2 and the L2's organiser."""
        self.demo = demo
        self.random = random.Random()
        self.now = datetime.datetime.now(JAPAN) + datetime.timedelta(microseconds=demo.offset_us())
        self.l1_code, self.l2_code, self.organiser_code = place
        self.doctors = [self.doctor(), self.doctor()]
        self.newcomer = {**self.doctor(), "my_page": "temp_issued", "mamis_no": ""}
        self.caller = {**self.doctor(), "my_page": "temp_issued"}
        self.suspended = self.doctor()
        self.outsider = {**self.doctor(), "l1_code": "", "l3_category": ""}
        self.thrice = [self.outsider_again() for _ in range(3)]
        self.trainee = {**self.doctor(), "l3_category": "C", "training_ends_on": "2030-03-31"}
        self.seminar_no = f"C{self.digits(8)}"
        self.coming_no = f"D{self.digits(8)}"
        self.load(folder)
        self.staff = {role: self.make_account(role, *words) for role, *words in (
            ("organiser", "--organiser", self.organiser_code),
            ("office_l1", "--l1", self.l1_code),
            ("office_l2", "--l2", self.l2_code), ("office_l3",), ("call_centre",), ("admin",),
            ("auditor",))}
        self.second_officer = self.make_account("office_l3")

    def digits(self, count):
        return "".join(self.random.choice("123456789") for _ in range(count))

    def doctor(self):
        """Active, with an OP certificate that ends in 80 days: the window is open."""
        ends = self.now.date() + datetime.timedelta(days=80)
        begins = ends.replace(year=ends.year - 5, day=min(ends.day, 28)) + datetime.timedelta(days=1)
        number = "9" + self.digits(6)
        return {"mamis_no": mamis_no(self.digits(9)), "register_no": number,
                "licensed_on": "2000-04-01", "name": "契約　確認", "name_kana": "ケイヤク　カクニン",
                "sex": "F", "birth_on": "1970-01-02", "email": f"c{number}@example.jp",
                "l1_code": self.l1_code, "l2_code": self.l2_code, "l3_category": "B",
                "my_page": "active", "op_no": self.digits(8), "op_from": begins.isoformat(),
                "op_to": ends.isoformat()}

    def outsider_again(self):
        """On record once more, without a membership or a certificate."""
        return {**self.doctor(), "l1_code": "", "l3_category": "", "op_no": "", "op_from": "",
                "op_to": ""}

    def load(self, folder):
        day = (self.now - datetime.timedelta(days=10)).strftime("%Y-%m-%d")
        soon = (self.now + datetime.timedelta(days=20)).strftime("%Y-%m-%d")
        sessions = [("1", "OPL-R:6;CME-001:6", "09:00", "12:00"), ("2", "OPL-J:6", "13:00", "15:00"),
                    ("3", "OPL-S:8", "15:00", "18:00")]
        members = write(folder / "members.csv", MEMBER_COLUMNS, [
            *self.doctors, self.newcomer, self.outsider, self.trainee, self.caller, self.suspended,
            *self.thrice])
        seminars = write(folder / "seminars.csv", SEMINAR_COLUMNS, [
            {"seminar_no": self.seminar_no, "title": "契約の試験", "organiser_code": self.organiser_code,
             "session_no": number, "session_title": f"第{number}部", "starts_at": f"{day} {begin}",
             "ends_at": f"{day} {end}", "delivery": "venue", "grace_minutes": 0, "capacity": 100,
             "offers": offers} for number, offers, begin, end in sessions] + [
            {"seminar_no": self.coming_no, "title": "申し込みの試験",
             "organiser_code": self.organiser_code, "session_no": "1", "session_title": "これから",
             "starts_at": f"{soon} 13:00", "ends_at": f"{soon} 15:00", "delivery": "venue",
             "grace_minutes": 0, "capacity": 1, "offers": "OPB-K:4|OPL-S:4"}])
        postcards = folder / "postcards.csv"
        self.demo.mamisctl("import", "members", members, "--password-for-tests", PASSWORD,
                           "--postcards", str(postcards))
        self.demo.mamisctl("import", "seminars", seminars)
        with open(postcards, encoding="utf-8-sig", newline="") as file:
            cards = {row["register_no"]: row for row in csv.DictReader(file)}
        self.postcard = cards[self.newcomer["register_no"]]
        self.callers_postcard = cards[self.caller["register_no"]]

    def make_account(self, role, *words):
        login = f"{role.replace('_', '-')}-{self.digits(6)}"
        self.demo.mamisctl("account", "create", "--role", role, "--login", login, "--password",
                           PASSWORD, "--name", "契約の試験", "--administrator", *words)
        return {"login_id": login, "password": PASSWORD}

    def attendance(self, doctors):
        """CSV of these doctors at all sessions."""
        rows = [f"{doctor['register_no']},{session}" for doctor in doctors for session in "123"]
        return "\r\n".join(["register_no,session_no", *rows, ""]).encode()

    def mailed_link(self, address, known=()):
        """The newest link mailed to an address, other than those known."""
        def look():
            for path in sorted(self.demo.mail_dir.glob("new/*")):
                mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                if address in str(mail["To"]):
                    for link in LINK.findall(mail.get_body(("plain",)).get_content()):
                        if link not in known:
                            return link
            return None

        return wait_for(f"a mail to {address}", look)
