"""The tray: dry runs that are posted, rows that are mended in place, rows that wait and expire."""

import contextlib
import csv
import datetime
import http.client
import io
import socket
import urllib.parse
import uuid

import pytest

from maildir import mails_to, text_of, wait_mail
from running.process import wait_for
from stack import DATA, PASSWORD

SEMINAR = "S2026-0001"
WAIT_S = 60
HEAD = "医籍登録番号,セッション番号,単位種別,氏名カナ\n"


@pytest.fixture(scope="module")
def organiser(stack):
    return stack.organiser_client(SEMINAR)


@pytest.fixture(scope="module")
def doctors():
    """Whose My Page is complete; each test takes its own."""
    with open(DATA / "members.csv", encoding="utf-8", newline="") as file:
        return iter([row for row in csv.DictReader(file) if row["my_page"] == "active"])


def finished(client, upload_id):
    def over():
        upload = client.upload(upload_id)
        return upload if upload["done_at"] else None

    return wait_for(over, WAIT_S, "the upload's end")


def send(client, text, seminar=SEMINAR, dry_run=False):
    data = (HEAD + text).encode()
    answer = client.post_attendance(seminar, data, "出席簿.csv", dry_run=dry_run).expect(202)
    return finished(client, answer.json["upload_id"])


def rows_of(client, upload):
    return client.get(f"/uploads/{upload['upload_id']}/rows?limit=200").expect(200).json["items"]


def row_of(client, upload, row_no):
    return next(row for row in rows_of(client, upload) if row["row_no"] == row_no)


def fix(client, upload, row_no, **cells):
    return client.request("PATCH", f"/uploads/{upload['upload_id']}/rows/{row_no}", cells)


def everything(stack):
    """What a dry run must not touch."""
    return stack.one("SELECT (SELECT count(*) FROM credit.ledger),"
                     " (SELECT count(*) FROM credit.upload_row WHERE waiting_since IS NOT NULL),"
                     " (SELECT count(*) FROM credit.outbox WHERE topic <> 'mamis.credit.work'),"
                     " (SELECT count(*) FROM notification.mail)")


def nobody(stack, place):
    """Register number of a doctor without a My Page."""
    return stack.one("SELECT register_no FROM credit.doctor WHERE my_page = 'none'"
                     " ORDER BY doctor_id OFFSET %s LIMIT 1", (place,))[0]


# ---- dry runs ----

def test_a_dry_run_changes_nothing_and_posts_the_same(stack, organiser, doctors):
    good = next(doctors)
    text = (f"{good['register_no']},1,,\n{good['register_no']},1,,\n9999999,1,,\n"
            f"{nobody(stack, 0)},1,,\n{next(doctors)['register_no']},1,XX,\n")
    before = everything(stack)
    dry = send(organiser, text, dry_run=True)
    assert dry["dry_run"] and dry["status"] == "done"
    assert dry["counts"] == {"posted": 1, "already_posted": 1, "waiting": 1, "unmatched": 1,
                             "absent": 0, "rejected": 1}
    tried = rows_of(organiser, dry)
    assert everything(stack) == before
    assert fix(organiser, dry, 3, kind="").expect(409).json["code"] == "upload_dry_run"

    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"/uploads/{dry['upload_id']}/post"
    answer = organiser.post(path, {}, key).expect(202)
    assert answer.json["upload_id"] == dry["upload_id"]
    assert answer.json["seminar_no"] == SEMINAR and not answer.json["dry_run"]
    assert answer.headers["Location"] == f"/api/v1/uploads/{dry['upload_id']}"
    real = finished(organiser, dry["upload_id"])
    assert (real["counts"], real["sha256"]) == (dry["counts"], dry["sha256"])
    # Only now does a row wait: until then nobody is told of a day.
    assert [{**row, "waits_until": None} for row in rows_of(organiser, real)] == tried
    assert stack.one("SELECT count(*) FROM credit.ledger")[0] == before[0] + 3

    # Once more by the same key is the first answer, otherwise there is nothing to post.
    organiser.post(path, {}, key).expect(202)
    assert organiser.post(path, {}).expect(409).json["code"] == "upload_not_dry_run"
    assert stack.one("SELECT count(*) FROM credit.ledger")[0] == before[0] + 3


def test_only_ones_own_dry_runs(organiser, stranger, doctors):
    dry = send(organiser, f"{next(doctors)['register_no']},1,,\n", dry_run=True)
    assert stranger.post(f"/uploads/{dry['upload_id']}/post", {}).status == 404
    assert organiser.upload(dry["upload_id"])["dry_run"]
    assert organiser.post(f"/uploads/{uuid.uuid4()}/post").status == 404
    # Without a body it is the same.
    organiser.post(f"/uploads/{dry['upload_id']}/post").expect(202)
    assert finished(organiser, dry["upload_id"])["counts"]["posted"] == 1


def test_a_result_whose_dry_run_posts_meanwhile_is_cut_off(organiser):
    """Its rows would be told as what they are not: a short file must not look like a whole one."""
    text = "医籍登録番号,セッション番号,出欠,備考\n" + f"1,1,×,{'あ' * 600}\n" * 4000
    answer = organiser.post_attendance(SEMINAR, text.encode(), "a.csv", dry_run=True).expect(202)
    path = f"/uploads/{finished(organiser, answer.json['upload_id'])['upload_id']}"
    link = http.client.HTTPConnection(organiser.host, organiser.port, timeout=WAIT_S)
    link.sock = socket.socket()
    link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read waits
    link.sock.connect((organiser.host, organiser.port))
    with contextlib.closing(link):
        link.request("GET", f"/api/v1{path}/result.csv",
                     headers={"Authorization": f"Bearer {organiser.token}"})
        result = link.getresponse()
        assert result.status == 200 and result.read(1000)
        organiser.post(f"{path}/post").expect(202)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            result.read()
    finished(organiser, answer.json["upload_id"])


# ---- mending ----

def test_rows_are_mended_one_by_one(stack, organiser, doctors):
    people = [next(doctors) for _ in range(4)]
    numbers = [person["register_no"] for person in people]
    upload = send(organiser, f"9999999,1,,\n{numbers[1]},7,,\n{numbers[2]},1,XX,\n"
                             f"{numbers[3]},1,,マチガイ　カナ\n")
    assert upload["counts"]["unmatched"] == 2 and upload["counts"]["rejected"] == 2
    cases = [(1, {"register_no": numbers[0]}), (2, {"session_no": "１"}), (3, {"kind": "OPL-S"}),
             (4, {"name_kana": people[3]["name_kana"]})]
    for done, (row_no, cells) in enumerate(cases, 1):
        row = fix(organiser, upload, row_no, **cells).expect(200).json
        assert (row["row_no"], row["outcome"], row["problems"]) == (row_no, "posted", [])
        assert row["register_no"] == numbers[row_no - 1]
        assert row["fixed"]["cells"] == cells and row["fixed"]["at"].endswith("+09:00")
        assert row == row_of(organiser, upload, row_no)
        now = organiser.upload(upload["upload_id"])
        assert now["counts"]["posted"] == done
        assert sum(now["counts"].values()) == now["rows_total"] == 4
        assert stack.doctor_client(numbers[row_no - 1]).get("/me/credits").json["items"]
    again = fix(organiser, upload, 1, kind="OPB-K")
    assert again.expect(409).json["code"] == "row_stands"
    result = organiser.get(f"/uploads/{upload['upload_id']}/result.csv?only=fix").body.decode()
    assert result.count("\r\n") == 1  # the header alone


def result_of(client, upload, only=""):
    body = client.get(f"/uploads/{upload['upload_id']}/result.csv{only}").expect(200).body
    return body, list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_what_was_mended_is_in_the_result_file(organiser, doctors):
    people = [next(doctors) for _ in range(3)]
    upload = send(organiser, f"9999999,1,,\n{people[1]['register_no']},7,XX,\n"
                             f"{people[2]['register_no']},1,,\n")
    before, _ = result_of(organiser, upload)
    assert organiser.get(f"/uploads/{upload['upload_id']}/result.csv").body == before
    fix(organiser, upload, 1, register_no=people[0]["register_no"], units="").expect(200)
    half = fix(organiser, upload, 2, session_no="1").expect(200).json
    assert half["outcome"] == "rejected"
    body, rows = result_of(organiser, upload)
    assert [row["医籍登録番号"] for row in rows] == [person["register_no"] for person in people]
    assert [row["セッション番号"] for row in rows] == ["1", "1", "1"]
    assert [row["結果"] for row in rows][1:] == ["要修正", rows[0]["結果"]]
    assert "9999999" in rows[0]["説明"] and people[0]["register_no"] in rows[0]["説明"]
    assert "「7」" in rows[1]["説明"] and "「XX」" in rows[1]["説明"] and rows[1]["直し方"]
    assert rows[2]["説明"] == ""
    assert result_of(organiser, upload, "?only=fix")[1] == [rows[1]]
    # It can be sent again as it is: what posted stands, what is left is the same.
    again = organiser.post_attendance(SEMINAR, body, "result.csv").expect(202).json["upload_id"]
    counts = finished(organiser, again)["counts"]
    assert (counts["already_posted"], counts["rejected"]) == (2, 1)


def test_a_mended_cell_without_a_column_is_in_the_result_file(organiser, doctors):
    """Sent again it means the same: what was left out when the row was mended stays out."""
    one, other = next(doctors), next(doctors)
    text = f"医籍登録番号,備考\n9999999,あ\n{other['register_no']},い\n".encode()
    answer = organiser.post_attendance(SEMINAR, text, "a.csv").expect(202)
    upload = finished(organiser, answer.json["upload_id"])
    told = ["結果", "理由", "説明", "直し方"]
    assert list(result_of(organiser, upload)[1][0]) == ["医籍登録番号", "備考", *told]
    fix(organiser, upload, 1, register_no=one["register_no"], kind="CME-007",
        units="").expect(200)
    body, rows = result_of(organiser, upload)
    assert list(rows[0]) == ["医籍登録番号", "備考", "単位種別", *told]
    assert [(row["備考"], row["単位種別"]) for row in rows] == [("あ", "CME-007"), ("い", "")]
    again = organiser.post_attendance(SEMINAR, body, "result.csv").expect(202).json["upload_id"]
    counts = finished(organiser, again)["counts"]
    assert (counts["already_posted"], counts["posted"]) == (2, 0)


def test_a_lost_character_is_told_by_the_row(organiser, doctors):
    """The same as in the result file, in both languages, posted or not."""
    text = ("医籍登録番号,セッション番号,氏名\n" f"{next(doctors)['register_no']},1,?野\n"
            f"{next(doctors)['register_no']},1,高野\n" "9999999,1,山?\n").encode("cp932")
    answer = organiser.post_attendance(SEMINAR, text, "a.csv").expect(202)
    upload = finished(organiser, answer.json["upload_id"])
    assert upload["encoding"] == "cp932"
    rows = rows_of(organiser, upload)
    assert [[(note["code"], note["column"], note["value"]) for note in row["notes"]]
            for row in rows] == [[("lost_character", "氏名", "?野")], [],
                                 [("lost_character", "氏名", "山?")]]
    told = result_of(organiser, upload)[1][0]
    assert (told["説明"], told["直し方"]) == (rows[0]["notes"][0]["detail"],
                                           rows[0]["notes"][0]["cure"])
    english = organiser.request("GET", f"/uploads/{upload['upload_id']}/rows?outcome=posted",
                                headers={"Accept-Language": "en"}).expect(200).json["items"]
    assert "lost a character" in english[0]["notes"][0]["detail"]
    assert found(organiser, upload, q="9999999") == [3]
    mended = fix(organiser, upload, 3, name="髙山").expect(200).json
    assert (mended["outcome"], mended["notes"]) == ("unmatched", [])


def found(client, upload, **wishes):
    query = urllib.parse.urlencode(wishes)
    answer = client.get(f"/uploads/{upload['upload_id']}/rows?{query}").expect(200)
    return [row["row_no"] for row in answer.json["items"]]


def test_mended_rows_are_found_and_grouped_as_they_are(organiser, doctors):
    one, other = next(doctors), next(doctors)
    upload = send(organiser, f"9999999,1,,\n9999998,1,,\n{other['register_no']},7,,\n")
    path = f"/uploads/{upload['upload_id']}/reasons"
    groups = organiser.get(path).expect(200).json["items"]
    assert {(group["reason"], group["rows"]) for group in groups} == {
        ("doctor_unknown", 2), ("session_unknown", 1)}
    fix(organiser, upload, 1, register_no="", mamis_no=one["mamis_no"], kind="XX").expect(200)
    groups = organiser.get(path).expect(200).json["items"]
    assert {(group["reason"], group["rows"]) for group in groups} == {
        ("doctor_unknown", 1), ("session_unknown", 1), ("kind_unknown", 1)}
    assert found(organiser, upload, reason="doctor_unknown") == [2]
    assert found(organiser, upload, reason="kind_unknown") == [1]
    for word in (one["mamis_no"], one["register_no"]):
        assert found(organiser, upload, q=word) == [1]
    assert found(organiser, upload, q=one["mamis_no"], outcome="posted") == []
    assert found(organiser, upload, q=one["mamis_no"], reason="doctor_unknown") == []
    assert found(organiser, upload, q="9999999") == []
    assert found(organiser, upload, q="9999998") == [2]
    fix(organiser, upload, 1, kind="").expect(200)
    assert found(organiser, upload, q=one["mamis_no"], outcome="posted") == [1]
    assert {group["reason"] for group in organiser.get(path).json["items"]} == {
        "doctor_unknown", "session_unknown"}


def test_asking_for_another_verdict_mends_nothing(stack, organiser):
    """Nothing was written, so the row is not told as mended, and its days go on."""
    upload = send(organiser, f"{nobody(stack, 40)},1,,\n")
    since = ("SELECT waiting_since FROM credit.upload_row r JOIN credit.upload u USING (upload_no)"
             " WHERE u.upload_id = %s", (upload["upload_id"],))
    before = stack.one(*since)
    row = fix(organiser, upload, 1).expect(200).json
    assert row["outcome"] == "waiting" and row["fixed"] is None
    assert stack.one(*since) == before and before[0]
    assert fix(organiser, upload, 1, kind="OPL-S").expect(200).json["fixed"]["cells"]
    assert stack.one(*since) > before


def test_what_stays_wrong_says_why(organiser, doctors):
    number = next(doctors)["register_no"]
    upload = send(organiser, "9999999,9,,\n")
    row = fix(organiser, upload, 1, register_no=number).expect(200).json
    assert (row["outcome"], row["reason"]) == ("rejected", "session_unknown")
    assert row["problems"][0]["cure"]
    assert organiser.upload(upload["upload_id"])["counts"]["rejected"] == 1
    assert fix(organiser, upload, 1, session_no="1").expect(200).json["outcome"] == "posted"
    assert row_of(organiser, upload, 1)["fixed"]["cells"] == {"register_no": number,
                                                              "session_no": "1"}


def test_bad_requests_to_mend(organiser, stranger):
    upload = send(organiser, "9999999,1,,\n")
    assert fix(stranger, upload, 1, kind="").status == 404
    assert fix(organiser, upload, 2, kind="").status == 404
    assert fix(organiser, upload, 0, kind="").status == 404
    assert fix(organiser, upload, 1, no_such_column="x").status == 400
    assert fix(organiser, upload, 1, kind=1).status == 400
    assert fix(organiser, upload, 1, kind="x" * 201).status == 400
    assert row_of(organiser, upload, 1)["fixed"] is None


def test_a_near_number_is_suggested(stack, organiser, doctors):
    doctor = next(doctors)
    number = int(doctor["register_no"])
    wrong = number + 1 if number % 10 < 9 else number - 1
    upload = send(organiser, f"{wrong},1,,{doctor['name_kana']}\n{wrong},1,,ベツノ　ナマエ\n")
    first, second = rows_of(organiser, upload)
    assert first["outcome"] == "unmatched"
    assert first["suggestion"] == {"register_no": doctor["register_no"],
                                   "name_kana": doctor["name_kana"]}
    assert second["suggestion"] is None
    row = fix(organiser, upload, 1, register_no=first["suggestion"]["register_no"]).expect(200).json
    assert row["outcome"] == "posted" and row["suggestion"] is None


# ---- waiting ----

def complete(stack, register_no, my_page="active"):
    """As an import, or the last step of first login, tells all services."""
    path = stack.folder / "member.csv"
    with open(DATA / "members.csv", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        row = next(row for row in reader if row["register_no"] == str(register_no))
    row["my_page"] = my_page
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames)
        writer.writeheader()
        writer.writerow(row)
    stack.copy.mamisctl("import", "members", str(path), "--password-for-tests", PASSWORD)


def test_waiting_rows_post_when_my_page_is_complete(stack, organiser):
    number = nobody(stack, 1)
    first = send(organiser, f"{number},1,,\n{number},1,,\n")
    other = send(stack.organiser_client("S2026-0002"), f"{number},1,,\n", "S2026-0002")
    assert (first["counts"]["waiting"], other["counts"]["waiting"]) == (1, 1)
    complete(stack, number)
    wait_for(lambda: organiser.upload(first["upload_id"])["counts"]["posted"] == 1, WAIT_S,
             "the waiting row")
    wait_for(lambda: stack.one("SELECT posted FROM credit.upload WHERE upload_id = %s",
                               (other["upload_id"],))[0] == 1, WAIT_S, "the other seminar's row")
    assert row_of(organiser, first, 1)["outcome"] == "posted"
    assert row_of(organiser, first, 1)["fixed"] is None
    credits = stack.doctor_client(number).get("/me/credits").expect(200).json["items"]
    assert {credit["seminar_no"] for credit in credits} == {SEMINAR, "S2026-0002"}


def test_until_when_a_row_waits(stack, organiser, doctors):
    """By the setting of credit: in the row, the group's cure and the result file."""
    text = f"{nobody(stack, 41)},1,,\n{next(doctors)['register_no']},1,,\n"
    dry = send(organiser, text, dry_run=True)
    assert [row["waits_until"] for row in rows_of(organiser, dry)] == [None, None]
    upload = send(organiser, text)
    days = stack.one("SELECT days FROM credit.waiting_rule")[0]
    assert days == 90
    until = datetime.datetime.fromisoformat(upload["received_at"]) + datetime.timedelta(days)
    waits, posted = rows_of(organiser, upload)
    told = datetime.datetime.fromisoformat(waits["waits_until"])
    assert abs(told - until) < datetime.timedelta(seconds=2) and posted["waits_until"] is None
    sentence = f"{told.year}年{told.month}月{told.day}日 {told.hour}:{told:%M}まで待ちます。"
    groups = organiser.get(f"/uploads/{upload['upload_id']}/reasons").expect(200).json["items"]
    assert [group["reason"] for group in groups] == ["no_my_page"]
    assert sentence in groups[0]["cure"] and sentence in result_of(organiser, upload)[1][0]["直し方"]
    groups = organiser.get(f"/uploads/{dry['upload_id']}/reasons").expect(200).json["items"]
    assert "{" not in groups[0]["cure"] and "まで待ちます" not in groups[0]["cure"]


def test_waiting_ends_with_a_mail(stack):
    """Who sent the file has left by then: the organiser's other account is told."""
    number = nobody(stack, 2)
    gone, address = "gone@example.jp", "tray@example.jp"
    code = stack.one("SELECT organiser_code FROM credit.seminar WHERE seminar_no = %s",
                     (SEMINAR,))[0]
    sender, client = [stack.staff_client("organiser", "--organiser", code, "--email", email)
                      for email in (gone, address)]
    upload = send(sender, f"{number},1,,\n{number},1,,\n")
    assert upload["counts"]["waiting"] == 1
    login = sender.session["account"]["login_id"]
    stack.copy.mamisctl("account", "suspend", "--login", login)
    wait_for(lambda: stack.one("SELECT state FROM notification.account WHERE email = %s",
                               (gone,)) == ("suspended",), WAIT_S, "the suspension")
    with stack.sql() as cursor:
        cursor.execute("UPDATE credit.upload_row SET waiting_since = waiting_since"
                       " - interval '91 days' WHERE waiting_since IS NOT NULL AND upload_no ="
                       " (SELECT upload_no FROM credit.upload WHERE upload_id = %s)",
                       (upload["upload_id"],))
    wait_for(lambda: client.upload(upload["upload_id"])["counts"]["rejected"] == 2, 2 * WAIT_S,
             "the end of waiting")
    row = row_of(client, upload, 1)
    assert (row["outcome"], row["reason"]) == ("rejected", "no_my_page")
    assert stack.one("SELECT actor, detail ->> 'role', detail ->> 'rule', detail -> 'rows'"
                     " FROM credit.audit WHERE action = 'rows_expire' AND subject = %s",
                     (upload["upload_id"],)) == (None, "system", "R-ACC-10", [1, 2])
    mail = text_of(wait_mail(stack, address, "待機の期限"))
    assert "・1番目の行" in mail and upload["upload_id"] in mail and str(number) not in mail
    # My Page comes too late: the row is taken up by hand.
    complete(stack, number)
    assert fix(client, upload, 1).expect(200).json["outcome"] == "posted"
    assert len(mails_to(stack, address, "待機の期限")) == 1
    assert mails_to(stack, gone, "待機の期限") == []


# ---- undone ----

def undo(client, upload, reason="取り違え"):
    return client.post(f"/uploads/{upload['upload_id']}/undo", {"reason": reason})


def undone(client, upload):
    undo(client, upload).expect(200, 202)
    return wait_for(lambda: (now := client.upload(upload["upload_id"]))["status"] == "undone" and now,
                    WAIT_S, "the undo's end")


def test_undo_takes_mended_and_released_rows_back_too(stack, organiser, doctors):
    posted, mended, released, waits = (next(doctors)["register_no"], next(doctors)["register_no"],
                                       nobody(stack, 3), nobody(stack, 4))
    rows = (f"{posted},1,,\n9999999,1,,\n{released},1,,\n{waits},1,,\n9999998,1,,\n")
    stands = ("SELECT count(*) FILTER (WHERE half_units > 0) - count(*) FILTER (WHERE"
              " half_units < 0), coalesce(sum(half_units), 0) FROM credit.ledger")
    before = stack.one(stands)
    upload = send(organiser, rows)
    assert fix(organiser, upload, 2, register_no=mended).expect(200).json["outcome"] == "posted"
    complete(stack, released)
    wait_for(lambda: organiser.upload(upload["upload_id"])["counts"]["posted"] == 3, WAIT_S,
             "the waiting row")
    counts = organiser.upload(upload["upload_id"])["counts"]
    assert undone(organiser, upload)["counts"] == counts
    assert stack.one(stands) == before
    for number in (posted, mended, released):
        items = stack.doctor_client(number).get("/me/credits").expect(200).json["items"]
        mine = [item for item in items if item["seminar_no"] == SEMINAR]
        assert mine and {item["status"] for item in mine} == {"cancelled"}
    # Nothing more of it posts: no row is mended, none is released.
    for row_no in (2, 4, 5):
        problem = fix(organiser, upload, row_no, register_no=posted).expect(409).json
        assert problem["code"] == "upload_state" and "undone" in problem["detail"]
        assert problem["cure"]
    complete(stack, waits)
    # The same file posts what it held: the cells in it are those that were sent.
    again = send(organiser, rows)
    assert again["counts"]["posted"] == 3 and again["counts"]["unmatched"] == 2
    assert organiser.upload(upload["upload_id"])["counts"] == counts
    undone(organiser, again)
    assert stack.one(stands) == before


def test_a_dry_run_and_a_stranger_undo_nothing(organiser, stranger, doctors):
    text = f"{next(doctors)['register_no']},1,,\n"
    dry = send(organiser, text, dry_run=True)
    problem = undo(organiser, dry).expect(409).json
    assert problem["code"] == "upload_state" and "dry_run" in problem["detail"]
    assert organiser.upload(dry["upload_id"])["status"] == "done"
    real = send(organiser, text)
    assert undo(stranger, real).status == 404
    assert undone(organiser, real)["undo"]["reason"] == "取り違え"
    assert undo(organiser, real, "もう一度").expect(200).json["undo"]["reason"] == "取り違え"


def test_the_same_file_five_times_then_the_corrected_one(stack, organiser, doctors):
    one, other, third = (next(doctors)["register_no"] for _ in range(3))
    wrong = f"{one},1,,\n9999999,1,,\n{third},7,,\n"
    first = send(organiser, wrong)
    before = stack.one("SELECT count(*), sum(half_units) FROM credit.ledger")
    for _ in range(4):
        again = send(organiser, wrong)
        assert again["counts"] == {**first["counts"], "posted": 0, "already_posted": 1}
        assert [(row["outcome"], row["reason"]) for row in rows_of(organiser, again)] == [
            ("already_posted", "earlier_upload"), ("unmatched", "doctor_unknown"),
            ("rejected", "session_unknown")]
    assert stack.one("SELECT count(*), sum(half_units) FROM credit.ledger") == before
    corrected = send(organiser, f"{one},1,,\n{other},1,,\n{third},1,,\n")
    assert corrected["counts"]["posted"] == 2 and corrected["counts"]["already_posted"] == 1
    # Nobody can tell which old row it corrects; mended as well, that one says it is posted.
    row = fix(organiser, first, 2, register_no=other).expect(200).json
    assert (row["outcome"], row["reason"]) == ("already_posted", "earlier_upload")
    row = fix(organiser, first, 3, session_no="1").expect(200).json
    assert (row["outcome"], row["reason"]) == ("already_posted", "earlier_upload")
    # What is corrected in one file only is posted once, whichever comes first.
    counts = organiser.upload(first["upload_id"])["counts"]
    assert (counts["posted"], counts["already_posted"], counts["rejected"]) == (1, 2, 0)


def test_the_books_are_right(stack):
    """Stands last: after all that was mended, released and given up."""
    stack.copy.mamisctl("verify", "--wait", "60", seconds=120)
