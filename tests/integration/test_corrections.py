"""Corrections by counter-entry: one credit cancelled and posted again, a whole upload undone, also
while it posts; who may do it, and what the doctor sees of it."""

import pytest

from maildir import mails_to, text_of, wait_mail
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
    first = next(item["kind"] for item in credits_of(doctor) if item["programme"] == "OP")
    other = {"OPL-S": "OPB-K", "OPB-K": "OPL-S"}[first]
    for credit in credits_of(doctor, "posted"):
        finished(organiser, cancel(organiser, credit["entry_id"]))
    assert not credits_of(doctor, "posted")
    upload = post_rows(organiser, [{"register_no": register_no, "session_no": "1", "kind": other}])
    assert upload["counts"]["posted"] == 1
    posted = credits_of(doctor, "posted")
    assert [item["kind"] for item in posted] == [other]
    assert len({item["entry_id"] for item in credits_of(doctor)}) == len(credits_of(doctor))


def test_the_history_is_seen_by_both(stack, organiser, doctor, register_no):
    credit = credits_of(doctor, "posted")[0]
    own = doctor.get(f"/me/credits/{credit['entry_id']}").expect(200).json
    assert {name: own[name] for name in credit} == credit
    assert [step["action"] for step in own["history"]] == ["posted", "cancelled", "posted"]
    first, second, third = (step["kind"] for step in own["history"])
    assert first == second != third == credit["kind"]
    assert [step["reason"] for step in own["history"]] == [None, REASON, None]
    name = stack.one("SELECT o.name FROM credit.seminar s JOIN credit.organiser o"
                     " USING (organiser_code) WHERE seminar_no = %s", (SEMINAR,))[0]
    assert {(step["role"], step["office_name"]) for step in own["history"]} == {("organiser", name)}
    upload_id = organiser.get(f"/uploads?seminar_no={SEMINAR}&limit=1").json["items"][0]["upload_id"]
    path = f"/uploads/{upload_id}/rows/1/credits"
    assert organiser.get(path).expect(200).json["items"] == [own]
    assert organiser.get(f"/uploads/{upload_id}/rows/2/credits").expect(200).json["items"] == []
    other = next(row.split(",")[0] for row in (DATA / "attendance" / FILE).read_text(
        encoding="utf-8").splitlines()[2:] if row.split(",")[0] != register_no)
    assert stack.doctor_client(other).get(f"/me/credits/{credit['entry_id']}").status == 404
    assert doctor.get("/me/credits/nothing").status == 404
    stranger = stack.staff_client("organiser", "--organiser", stack.one(
        "SELECT organiser_code FROM credit.organiser WHERE name <> %s LIMIT 1", (name,))[0])
    assert stranger.get(path).status == 404


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


# ---- a whole upload ----

def send(client, name, seminar_no=SEMINAR):
    data = (DATA / "attendance" / name).read_bytes()
    return client.post_attendance(seminar_no, data, name).expect(202).json["upload_id"]


def ended(client, upload_id):
    return wait_for(lambda: (lambda upload: upload if upload["done_at"] else None)(
        client.upload(upload_id)), DONE_S, "the upload's end")


def undo(client, upload_id, reason=REASON):
    return client.post(f"/uploads/{upload_id}/undo", {"reason": reason})


def books(stack):
    """What stands: entries and half units."""
    return stack.one("SELECT count(*) FILTER (WHERE half_units > 0) - count(*) FILTER (WHERE"
                     " half_units < 0), coalesce(sum(half_units), 0) FROM credit.ledger")


def test_an_upload_is_undone_and_posts_again(stack, organiser, doctor):
    before, totals = books(stack), totals_of(doctor)
    upload_id = send(organiser, FILE)
    done = ended(organiser, upload_id)
    assert done["undo"] is None and done["counts"]["posted"] > 0
    posted = books(stack)
    credit = credits_of(doctor, "posted")[0]
    undone = finished(organiser, undo(organiser, upload_id))
    assert cancel(organiser, credit["entry_id"]).expect(409).json["code"] == "credit_cancelled"
    assert undone["status"] == "undone" and undone["counts"] == done["counts"]
    assert undone["undo"]["reason"] == REASON and undone["undo"]["role"] == "organiser"
    assert undone["undo"]["office_name"] and undone["undo"]["done_at"]
    assert books(stack) == before and totals_of(doctor) == totals
    # Again: the same answer, nothing changes.
    assert finished(organiser, undo(organiser, upload_id, "もう一度"))["undo"] == undone["undo"]
    assert books(stack) == before
    again = send(organiser, FILE)
    assert ended(organiser, again)["counts"] == done["counts"]
    assert books(stack) == posted
    finished(organiser, undo(organiser, again))
    assert books(stack) == before


def test_undo_while_posting(stack):
    """A file of many chunks is taken back in the middle; what comes after it posts as ever."""
    seminar_no = "S2026-0004"
    organiser = stack.organiser_client(seminar_no)
    before = books(stack)
    course = (DATA / "attendance" / "33-course-5000.csv").read_bytes()
    header, rows = course.split(b"\n", 1)
    large = header + b"\n" + rows * 20
    upload_id = organiser.post_attendance(seminar_no, large, "large.csv").expect(202).json["upload_id"]
    wait_for(lambda: organiser.upload(upload_id)["counts"]["posted"] > 0, DONE_S, "the first chunk")
    ends = finished(organiser, undo(organiser, upload_id))
    assert ends["status"] == "undone" and ends["rows_total"] == 100000
    assert 0 < sum(ends["counts"].values()) < ends["rows_total"]
    assert books(stack) == before
    again = ended(organiser, send(organiser, "33-course-5000.csv", seminar_no))
    assert again["status"] == "done" and again["counts"]["posted"] > 4000
    assert organiser.upload(upload_id)["counts"] == ends["counts"]
    finished(organiser, undo(organiser, again["upload_id"]))
    assert books(stack) == before


POSTED, TAKEN_BACK = "登録されました", "取り消されました"


def address_of(stack, register_no):
    return stack.one("SELECT a.email FROM registration.doctor d JOIN registration.account a"
                     " USING (doctor_id) WHERE register_no = %s", (str(register_no),))[0]


def lines_of_mail(stack, address, reason):
    """The credits in the mail that gives this reason, once it is there."""
    def there():
        return [text for text in map(text_of, mails_to(stack, address, TAKEN_BACK))
                if reason in text]

    text = wait_for(there, DONE_S, f"the mail about {reason}")[0]
    return [line for line in text.splitlines() if line.startswith("・")]


def test_the_doctor_gets_one_mail(stack, organiser, doctor, register_no):
    address = address_of(stack, register_no)
    posted, taken_back = (len(mails_to(stack, address, words)) for words in (POSTED, TAKEN_BACK))
    upload_id = send(organiser, FILE)
    ended(organiser, upload_id)
    wait_mail(stack, address, POSTED, posted + 1)
    credit = credits_of(doctor, "posted")[0]
    finished(organiser, cancel(organiser, credit["entry_id"], "一件だけの理由"))
    assert len(lines_of_mail(stack, address, "一件だけの理由")) == 1
    finished(organiser, undo(organiser, upload_id, "全件の理由"))
    # What was cancelled before is not there.
    assert len(lines_of_mail(stack, address, "全件の理由")) == 2
    # No mail of the correction is left to send, and nobody got two of it.
    wait_for(lambda: stack.one("SELECT count(*) FROM notification.mail WHERE kind = 'M24'"
                               " AND finished_at IS NULL")[0] == 0, DONE_S, "the mails")
    assert len(mails_to(stack, address, TAKEN_BACK)) == taken_back + 2
    assert len(mails_to(stack, address, POSTED)) == posted + 1
    # Posted again it is one mail of that upload, and none about what was taken back.
    again = send(organiser, FILE)
    ended(organiser, again)
    wait_mail(stack, address, POSTED, posted + 2)
    wait_for(lambda: stack.one("SELECT count(*) FROM notification.mail"
                               " WHERE finished_at IS NULL")[0] == 0, DONE_S, "the mails")
    assert len(mails_to(stack, address, TAKEN_BACK)) == taken_back + 2
    assert len(mails_to(stack, address, POSTED)) == posted + 2
    finished(organiser, undo(organiser, again))


def test_who_may_undo(stack, doctor, organiser):
    upload_id = send(organiser, FILE)
    ended(organiser, upload_id)
    code = stack.one("SELECT organiser_code FROM credit.seminar WHERE seminar_no = %s",
                     (SEMINAR,))[0]
    other = stack.one("SELECT organiser_code FROM credit.seminar WHERE organiser_code <> %s LIMIT 1",
                      (code,))[0]
    assert undo(stack.client(token=stack.organiser_token(other)), upload_id).status == 404
    assert undo(doctor, upload_id).status == 403
    assert undo(stack.client(), upload_id).status == 401
    for nothing in ("", " ", "　\n\t　"):
        assert undo(organiser, upload_id, nothing).status == 400
    assert organiser.upload(upload_id)["status"] == "done"
    refused = send(organiser, "22-empty.csv")
    ended(organiser, refused)
    assert undo(organiser, refused).expect(409).json["code"] == "upload_state"
    finished(organiser, undo(organiser, upload_id))


def test_the_books_are_right(stack):
    stack.copy.mamisctl("verify", "--wait", "60", seconds=120)
