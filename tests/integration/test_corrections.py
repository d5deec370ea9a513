"""Corrections by counter-entry: one credit cancelled and posted again, who may do it, what the doctor
sees of it."""

import pytest

from running.process import wait_for
from stack import DATA

SEMINAR = "S2026-0001"
FILE = "01-clean-utf8.csv"
REASON = "受講者を取り違えたため"
DONE_S = 60


@pytest.fixture(scope="module")
def organiser(stack):
    return stack.organiser_client(SEMINAR)


@pytest.fixture(scope="module")
def register_no():
    """The first doctor of the file."""
    return (DATA / "attendance" / FILE).read_text(encoding="utf-8").splitlines()[1].split(",")[0]


@pytest.fixture(scope="module")
def doctor(stack, register_no):
    return stack.doctor_client(register_no)


def post_rows(client, rows):
    """Post rows of JSON and wait for the end."""
    path = f"/seminars/{SEMINAR}/attendance"
    upload_id = client.post(path, {"rows": rows}).expect(202).json["upload_id"]
    return wait_for(lambda: (lambda upload: upload if upload["done_at"] else None)(
        client.upload(upload_id)), DONE_S, "the upload's end")


def finished(client, answer):
    """The object that a command changed, also when it took longer."""
    if answer.expect(200, 202).status == 200:
        return answer.json
    operation = wait_for(lambda: (lambda told: told if told["status"] != "pending" else None)(
        client.get(f"/operations/{answer.json['operation_id']}").expect(200).json), DONE_S,
        "the command's end")
    assert operation["status"] == "done", operation
    return operation["result"]


def credits_of(doctor, status=None):
    items = doctor.get("/me/credits?limit=500").expect(200).json["items"]
    return [item for item in items
            if item["seminar_no"] == SEMINAR and status in (None, item["status"])]


def totals_of(doctor):
    return {(total["programme"], total["kind"]): total["half_units"]
            for total in doctor.get("/me/credits").expect(200).json["totals"]}


def cancel(client, entry_id, reason=REASON, key=None):
    return client.post(f"/credits/{entry_id}/cancel", {"reason": reason},
                       {"Idempotency-Key": key} if key else None)


def test_a_credit_is_cancelled_once(organiser, doctor, register_no):
    before = totals_of(doctor)
    post_rows(organiser, [{"register_no": register_no, "session_no": "1"}])
    credit = next(item for item in credits_of(doctor) if item["programme"] == "OP")
    cancelled = finished(organiser, cancel(organiser, credit["entry_id"]))
    assert cancelled == {**credit, "status": "cancelled"}
    assert [item["entry_id"] for item in credits_of(doctor, "cancelled")] == [credit["entry_id"]]
    key = (credit["programme"], credit["kind"])
    assert totals_of(doctor).get(key, 0) == before.get(key, 0)
    problem = cancel(organiser, credit["entry_id"]).expect(409).json
    assert problem["code"] == "credit_cancelled" and problem["detail"] and problem["cure"]


def test_a_repeated_key_gets_the_first_answer(organiser, doctor):
    credit = next(item for item in credits_of(doctor, "posted"))
    first = finished(organiser, cancel(organiser, credit["entry_id"], key="cancel-once"))
    again = finished(organiser, cancel(organiser, credit["entry_id"], key="cancel-once"))
    assert first == again and first["status"] == "cancelled"
    assert cancel(organiser, credit["entry_id"], "別の理由", "cancel-once").expect(409).json[
        "code"] == "idempotency_conflict"


def test_what_was_cancelled_posts_again_with_another_kind(organiser, doctor, register_no):
    for credit in credits_of(doctor, "posted"):
        finished(organiser, cancel(organiser, credit["entry_id"]))
    assert not credits_of(doctor, "posted")
    upload = post_rows(organiser, [{"register_no": register_no, "session_no": "1", "kind": "OPB-K"}])
    assert upload["counts"]["posted"] == 1
    posted = credits_of(doctor, "posted")
    assert [item["kind"] for item in posted] == ["OPB-K"]
    assert len({item["entry_id"] for item in credits_of(doctor)}) == len(credits_of(doctor))


def test_who_may_cancel(stack, doctor, organiser):
    entry_id = credits_of(doctor, "posted")[0]["entry_id"]
    code, l2_code = stack.one(
        "SELECT o.organiser_code, o.l2_code FROM credit.seminar s JOIN credit.organiser o"
        " USING (organiser_code) WHERE seminar_no = %s", (SEMINAR,))
    other = stack.one("SELECT organiser_code FROM credit.seminar WHERE organiser_code <> %s LIMIT 1",
                      (code,))[0]
    assert cancel(stack.client(token=stack.organiser_token(other)), entry_id).status == 404
    assert cancel(stack.client(), entry_id).status == 401
    assert cancel(doctor, entry_id).expect(403).json["code"] == "forbidden"
    foreign = stack.staff_client("office_l2", "--l2", "47" if l2_code != "47" else "01")
    assert cancel(foreign, entry_id).status == 404
    for reason in ("", "あ" * 501):
        assert cancel(organiser, entry_id, reason).status == 400
    assert organiser.post(f"/credits/{entry_id}/cancel", {}).status == 400
    for nonsense in ("x", "A" * 27, "A" * 40, "____________________________", "%20"):
        assert cancel(organiser, nonsense).status in (400, 404), nonsense
    national = stack.staff_client("office_l3")
    finished(national, cancel(national, entry_id))
    assert not credits_of(doctor, "posted")


def test_the_books_are_right(stack):
    stack.copy.mamisctl("verify", "--wait", "60", seconds=120)
