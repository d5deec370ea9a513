"""Renewal of a certificate by the API: standing, handbook, application, review at L2 and L3, the
new period and the mails (domain 2.8, 2.13, 4.4)."""

import csv
import io
import itertools

import pytest

from maildir import text_of, wait_mail
from membership import test_membership, test_training  # noqa: F401 - they need a stack
from running.process import wait_for
from stack import PASSWORD

STANDING_S = 10
MEMBERS = ("mamis_no register_no licensed_on name name_kana former_name former_name_kana sex"
           " birth_on email l1_code l2_code l3_category my_page op_no op_from op_to sp_no sp_from"
           " sp_to").split()
SEMINARS = ("seminar_no title organiser_code session_no session_title starts_at ends_at delivery"
            " grace_minutes capacity offers leader_register_no").split()
# One seminar of several sessions; by session: kind, units, delivery.
SESSIONS = {"1": ("OPL-S", 6, "venue"), "2": ("OPL-R", 2, "venue"), "3": ("OPL-J", 2, "visit"),
            "4": ("OPL-S", 4, "web"), "5": ("OPL-R", 3, "web"), "6": ("OPL-S", 4, "venue")}
HANDBOOK = [{"kind": "OPL-R", "half_units": 4, "last_on": "2024-10-01"},
            {"kind": "OPL-S", "half_units": 16, "last_on": "2025-03-31"}]
numbers = itertools.count(7700001)


def to_csv(columns, rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def import_csv(stack, what, columns, rows, *options):
    path = stack.folder / f"{what}-{next(numbers)}.csv"
    path.write_text(to_csv(columns, rows), encoding="utf-8")
    stack.copy.mamisctl("import", what, str(path), *options)


@pytest.fixture(scope="module")
def seminar(stack):
    rows = [{"seminar_no": "R-1", "title": "産業医生涯研修会", "organiser_code": "P13",
             "session_no": number, "starts_at": f"2026-10-{10 + int(number):02} 09:00",
             "ends_at": f"2026-10-{10 + int(number):02} 16:00", "delivery": delivery,
             "grace_minutes": "0", "capacity": "100", "offers": f"{kind}:{units}"}
            for number, (kind, units, delivery) in SESSIONS.items()]
    import_csv(stack, "seminars", SEMINARS, rows)
    return stack.client(token=stack.organiser_token("P13"))


class Doctor:
    """A certified occupational physician of prefecture 13 whose certificate ends on 2027-01-31."""

    def __init__(self, stack, seminar, **fields):
        self.stack, self.seminar = stack, seminar
        self.register_no = str(next(numbers))
        self.address = f"r{self.register_no}@example.jp"
        row = {"register_no": self.register_no, "licensed_on": "2003-05-01",
               "name": "見本　更新", "name_kana": "ミホン　コウシン", "sex": "F",
               "birth_on": "1978-05-05", "email": self.address, "l1_code": "13001",
               "l2_code": "13", "l3_category": "A1", "my_page": "active",
               "op_no": self.register_no, "op_from": "2022-02-01", "op_to": "2027-01-31"}
        self.row = {**row, **fields}
        import_csv(stack, "members", MEMBERS, [self.row], "--password-for-tests", PASSWORD)
        self.client = stack.doctor_client(self.register_no)

    def attend(self, *sessions):
        rows = "".join(f"{self.register_no},{session},○\r\n" for session in sessions)
        data = ("医籍登録番号,セッション番号,出欠\r\n" + rows).encode()
        upload_id = self.seminar.post_attendance("R-1", data, "r.csv").expect(202).json["upload_id"]
        state = wait_for(lambda: (found := self.seminar.upload(upload_id))["status"] == "done"
                         and found, 30, "posting")
        assert state["counts"]["posted"] == len(sessions), state
        return upload_id

    def standing(self):
        items = self.client.get("/me/standing").expect(200).json["items"]
        return items[0] if items else None

    def wait_standing(self, counted):
        def there():
            found = self.standing()
            return found and found["counted_half_units"] == counted and found

        return wait_for(there, STANDING_S, f"a standing of {counted} half units")

    def declare(self, lines=None):
        return self.client.put("/me/handbook", {"programme": "OP", "lines": lines or HANDBOOK})

    def apply(self):
        return self.client.post("/me/applications", {"programme": "OP"})


@pytest.fixture
def doctor(stack, seminar):
    return Doctor(stack, seminar)


@pytest.fixture
def doctor_without_membership(stack, seminar):
    return Doctor(stack, seminar, l1_code="", l2_code="13", l3_category="")


@pytest.fixture
def trainee(stack, seminar):
    return Doctor(stack, seminar, l3_category="C", licensed_on="2025-04-01")


@pytest.fixture(scope="module")
def l2(stack):
    return stack.staff_client("office_l2", "--l2", "13")


@pytest.fixture(scope="module")
def other_l2(stack):
    return stack.staff_client("office_l2", "--l2", "14")


@pytest.fixture(scope="module")
def l3(stack):
    return stack.staff_client("office_l3")


def code(answer, status):
    return answer.expect(status).json["code"]


def line(standing, kind):
    return next(item for item in standing["lines"] if item["kind"] == kind)


def test_standing_follows_the_posted_credits(doctor):
    first = doctor.wait_standing(0)
    assert first["needed_half_units"] == 40 and not first["can_apply"]
    assert first["why_not"] == "requirement_not_met"
    doctor.attend("1", "4", "5")
    standing = doctor.wait_standing(12 + 10)  # of 7 web units 5 count (R-SEM-12)
    assert line(standing, "OPL-R")["counted_half_units"] >= 2
    capped = [credit for credit in standing["credits"] if credit["not_counted_reason"] == "web_cap"]
    assert sum(credit["half_units"] - credit["counted_half_units"] for credit in capped) == 4
    assert {(item["kind"], item["half_units"]) for item in standing["missing"]} == {
        ("OPL-J", 2), (None, 18)}
    told = doctor.client.request("GET", "/me/standing", headers={"Accept-Language": "en"})
    english = told.expect(200).json["items"][0]
    assert [line(each, "OPL-R")["kind_name"] for each in (standing, english)] == \
        ["生涯・更新", "lifelong, renewal"]
    own = {credit["entry_id"] for credit in doctor.client.get("/me/credits").json["items"]}
    assert {credit["entry_id"] for credit in standing["credits"]} <= own


def test_what_falls_short_is_named(doctor):
    doctor.attend("1", "2", "6")
    doctor.wait_standing(24)
    doctor.declare().expect(200)
    standing = doctor.standing()  # the declaration counts at once
    assert standing["counted_half_units"] == 44 and not standing["eligible"]
    answer = doctor.apply().expect(422).json
    assert answer["code"] == "requirement_not_met"
    assert [(item["kind"], item["half_units"]) for item in answer["missing"]] == [("OPL-J", 2)]


def test_handbook_lines_are_checked(doctor):
    doctor.wait_standing(0)
    for lines, wanted in (
            ([{"kind": "OPL-S", "half_units": 2, "last_on": "2025-04-02"}], "handbook_date"),
            ([{"kind": "OPL-S", "half_units": 2, "last_on": "2022-01-31"}], "handbook_date"),
            ([{"kind": "OPL-S", "half_units": 3, "last_on": "2025-03-01"}], "handbook_half_units"),
            ([{"kind": "OPB-K", "half_units": 2, "last_on": "2025-03-01"}], "handbook_kind")):
        assert code(doctor.declare(lines), 422) == wanted
    assert doctor.client.get("/me/handbook").expect(200).json["items"] == []
    answer = doctor.declare().expect(200).json["items"]
    assert [item["kind"] for item in answer[0]["lines"]] == ["OPL-R", "OPL-S"]


def ready(doctor):
    """Ten units posted, ten declared."""
    doctor.attend("1", "2", "3")
    doctor.wait_standing(20)
    doctor.declare().expect(200)
    return doctor.apply().expect(201).json


def test_from_application_to_the_new_period(stack, doctor, l2, other_l2, l3):
    sent = ready(doctor)
    path = "/applications/" + sent["application_id"]
    assert sent["status"] == "submitted" and sent["cycle"] == "OP-2027-01"
    assert sent["handbook"] == "awaited" and sent["depends_on_declared"]
    assert len(sent["credits"]) == 3 and sent["doctor"] is None
    assert code(doctor.apply(), 409) == "application_open"
    standing = doctor.standing()
    assert standing["open_application_id"] == sent["application_id"] and not standing["can_apply"]
    text = text_of(wait_mail(stack, doctor.address, "受け付けました"))
    assert sent["application_id"] in text and "手帳" in text  # M28, M29
    # Only the association it belongs to, and the national one, see it.
    seen = l2.get(path).expect(200).json
    assert seen["doctor"]["register_no"] == doctor.register_no
    assert code(other_l2.get(path), 404) == "not_found"
    assert code(other_l2.post(path + "/forward", {}), 404) == "not_found"
    listed = l2.get("/applications?status=submitted").expect(200).json["items"]
    assert sent["application_id"] in {item["application_id"] for item in listed}
    assert other_l2.get("/applications").expect(200).json["items"] == []
    # The checklist.
    assert code(l2.post(path + "/forward", {}), 409) == "handbook_missing"
    lines = [{"kind": item["kind"], "half_units": item["half_units"]} for item in HANDBOOK]
    seen = l2.post(path + "/handbook", {"lines": lines}).expect(200).json
    assert seen["handbook"] == "received" and seen["status"] == "l2_review"
    assert not seen["depends_on_declared"]
    assert code(l2.post(path + "/forward", {}), 409) == "fee_missing"
    l2.post(path + "/fee", {"fee": "paid"}).expect(200)
    assert code(l2.post(path + "/approve", {}), 403) == "forbidden"
    assert l2.post(path + "/forward", {}).expect(200).json["status"] == "l3_queued"
    # Approval, once.
    approved = l3.post(path + "/approve", {}).expect(200).json
    assert approved["status"] == "approved"
    assert approved["new_period"] == {"valid_from": "2027-02-01", "valid_to": "2032-01-31"}
    assert code(l3.post(path + "/approve", {}), 409) == "state_conflict"
    certificate = doctor.client.get("/me/certificates").expect(200).json["items"][0]
    assert certificate["number"] == doctor.register_no
    assert (certificate["valid_from"], certificate["valid_to"]) == ("2027-02-01", "2032-01-31")
    assert [period["valid_to"] for period in certificate["periods"]] == ["2032-01-31", "2027-01-31"]
    text = text_of(wait_mail(stack, doctor.address, "承認されました"))
    assert doctor.register_no in text and "2032年1月31日" in text
    own = doctor.client.get("/me" + path).expect(200).json
    assert [entry["action"] for entry in own["history"]] == [
        "submit", "verify_handbook", "set_fee", "forward", "approve"]
    assert [entry["actor_role"] for entry in own["history"]] == [
        "doctor", "office_l2", "office_l2", "office_l2", "office_l3"]
    # What was used is used: the new period begins with nothing.
    fresh = doctor.wait_standing(0)
    assert fresh["certificate"]["valid_from"] == "2027-02-01"
    assert fresh["why_not"] == "window_not_open"


def test_a_short_handbook_goes_back_to_the_doctor(stack, doctor, l2, l3):
    sent = ready(doctor)
    path = "/applications/" + sent["application_id"]
    shown = [{"kind": "OPL-R", "half_units": 4}, {"kind": "OPL-S", "half_units": 14}]
    seen = l2.post(path + "/handbook", {"lines": shown}).expect(200).json
    assert not seen["eligible"] and seen["missing"] == [
        {"kind": None, "kind_name": None, "half_units": 2}]
    assert code(l2.post(path + "/forward", {"override_reason": "事情"}), 422) == "requirement_not_met"
    assert code(l2.post(path + "/return", {"reason": "不足", "until": "2026-11-22"}), 422) == (
        "return_until_past")
    seen = l2.post(path + "/return", {"reason": "手帳が1単位足りません", "until": "2026-12-20"})
    assert seen.expect(200).json["status"] == "returned"
    assert "手帳が1単位足りません" in text_of(wait_mail(stack, doctor.address, "修正のお願い"))
    own = doctor.client.get("/me" + path).expect(200).json
    assert (own["return_reason"], own["return_until"]) == ("手帳が1単位足りません", "2026-12-20")
    again = f"/me{path}/resubmit"
    assert code(doctor.client.post(again, {}), 422) == "requirement_not_met"
    doctor.attend("6")
    # The application takes in what was posted since, though the standing may still lag.
    sent = wait_for(lambda: (answer := doctor.client.post(again, {})).status == 200 and answer.json,
                    STANDING_S, "the new credit in the application")
    assert sent["status"] == "l2_review" and len(sent["credits"]) == 4
    l2.post(path + "/fee", {"fee": "waived"}).expect(200)
    l2.post(path + "/forward", {}).expect(200)
    rejected = l3.post(path + "/reject", {"reason": "審査の結果"}).expect(200).json
    assert rejected["status"] == "rejected_l3"
    # Nothing is open any more: the doctor may apply once more.
    doctor.apply().expect(201)


def test_standing_and_application_follow_corrections(doctor, seminar, l2):
    """Cancelled, posted again, undone: the standing follows, and the application flags it."""
    sent = ready(doctor)
    path = "/applications/" + sent["application_id"]
    credit = next(item for item in doctor.client.get("/me/credits").json["items"]
                  if item["kind"] == "OPL-S")

    def flagged():
        seen = l2.get(path).expect(200).json["credits"]
        listed = next(item for item in l2.get("/applications?limit=200").json["items"]
                      if item["application_id"] == sent["application_id"])
        cancelled = [item["session_no"] for item in seen if item["status"] == "cancelled"]
        assert listed["credits_cancelled"] == len(cancelled)
        return cancelled

    assert flagged() == [] and doctor.standing()["counted_half_units"] == 40
    seminar.post(f"/credits/{credit['entry_id']}/cancel", {"reason": "出席の誤り"}).expect(200)
    doctor.wait_standing(40 - credit["half_units"])
    assert flagged() == [credit["session_no"]]
    # The review counts again, so nobody forwards what is short now.
    lines = [{"kind": item["kind"], "half_units": item["half_units"]} for item in HANDBOOK]
    assert not l2.post(path + "/handbook", {"lines": lines}).expect(200).json["eligible"]
    l2.post(path + "/fee", {"fee": "paid"}).expect(200)
    assert code(l2.post(path + "/forward", {}), 422) == "requirement_not_met"
    # Posted again it counts again; so it does in the application.
    upload_id = doctor.attend(credit["session_no"])
    doctor.wait_standing(40)
    assert flagged() == []
    seminar.post(f"/uploads/{upload_id}/undo", {"reason": "二度目の誤り"}).expect(200)
    doctor.wait_standing(40 - credit["half_units"])
    assert flagged() == [credit["session_no"]]
    assert code(l2.post(path + "/forward", {}), 422) == "requirement_not_met"
    doctor.attend(credit["session_no"])
    doctor.wait_standing(40)
    assert l2.post(path + "/forward", {}).expect(200).json["status"] == "l3_queued"


def test_the_same_key_applies_once(doctor):
    doctor.attend("1", "2", "3")
    doctor.wait_standing(20)
    doctor.declare().expect(200)
    key = {"Idempotency-Key": "k-" + doctor.register_no}
    first = doctor.client.post("/me/applications", {"programme": "OP"}, key).expect(201).json
    again = doctor.client.post("/me/applications", {"programme": "OP"}, key).expect(201).json
    assert first["application_id"] == again["application_id"]
    items = doctor.client.get("/me/applications").expect(200).json["items"]
    assert [item["application_id"] for item in items] == [first["application_id"]]


def test_doctors_see_only_their_own(stack, seminar, doctor):
    sent = ready(doctor)
    other = Doctor(stack, seminar)
    path = "/me/applications/" + sent["application_id"]
    assert code(other.client.get(path), 404) == "not_found"
    assert code(other.client.post(path + "/resubmit", {}), 404) == "not_found"
    assert code(other.client.get("/applications/" + sent["application_id"]), 403) == "forbidden"
    assert other.client.get("/me/applications").expect(200).json["items"] == []


def test_a_certificate_far_from_its_end_cannot_be_renewed_yet(stack, seminar):
    doctor = Doctor(stack, seminar, op_from="2024-02-01", op_to="2029-01-31")
    doctor.attend("1", "2", "3")
    standing = doctor.wait_standing(20)
    assert standing["why_not"] == "window_not_open" and standing["opens_on"] == "2028-09-30"
    assert code(doctor.apply(), 409) == "window_not_open"


def test_without_a_certificate_there_is_nothing_to_renew(stack, seminar):
    doctor = Doctor(stack, seminar, op_no="", op_from="", op_to="")
    assert doctor.client.get("/me/certificates").expect(200).json["items"] == []
    assert doctor.client.get("/me/standing").expect(200).json["items"] == []
    assert code(doctor.apply(), 409) == "certificate_missing"
    assert code(doctor.declare(), 409) == "certificate_missing"


def test_an_application_goes_along_with_its_doctor(stack, doctor, l2, other_l2):
    """Edge 60: not forwarded yet, so the new prefecture has it; all three hear of it."""
    sent = ready(doctor)
    path = "/applications/" + sent["application_id"]
    l2.get(path).expect(200)
    import_csv(stack, "members", MEMBERS, [{**doctor.row, "l1_code": "14001", "l2_code": "14"}])
    wait_for(lambda: other_l2.get(path).status == 200, STANDING_S, "the application at its new L2")
    assert code(l2.get(path), 404) == "not_found"
    assert other_l2.get(path).json["history"][-1]["action"] == "hand_over"
    wait_mail(stack, doctor.address, "更新申請の担当の医師会が変わりました")
