"""Two records of one doctor are merged by two officers: nothing before the second one confirms, then
one account, one ledger, and numbers that lead to it. Another register number goes the same way."""

import csv
import io

import pytest

from maildir import mails_to, text_of, wait_mail
from running.process import wait_for
from stack import PASSWORD

SEMINAR = "S2026-0003"
REASON = "はがきの登録の後に、ご本人がもう一度申し込みました。"
WAIT_S = 30
COLUMNS = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,"
           "birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,sp_from,"
           "sp_to").split(",")


def check_digit(nine):
    """ISO/IEC 7064 MOD 11,10."""
    product = 10
    for digit in nine:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


class Person:
    """One who is on record twice: `kept` and `closed` are rows of a member list."""

    def __init__(self, number, kept, closed):
        self.rows = []
        for which, own in enumerate((kept, closed)):
            nine = f"{880000000 + 2 * number + which}"
            self.rows.append({
                "mamis_no": nine + check_digit(nine), "register_no": f"{8800000 + 2 * number + which}",
                "licensed_on": "2000-04-20", "name": "統合　花子", "name_kana": f"トウゴウ　ハナコ{number}",
                "sex": "F", "birth_on": "1972-03-04", "email": f"merge{number}-{which}@example.jp",
                "my_page": "active", **own})

    @property
    def kept(self):
        return self.rows[0]

    @property
    def closed(self):
        return self.rows[1]

    def numbers(self):
        return {"keep_register_no": self.kept["register_no"],
                "close_register_no": self.closed["register_no"]}


MEMBER = {"l1_code": "13001", "l2_code": "13", "l3_category": "A1"}
OP = {"op_no": "8800001", "op_from": "2023-04-01", "op_to": "2028-03-31"}


@pytest.fixture(scope="module")
def people(stack):
    found = {
        "plain": Person(1, MEMBER, {"name_kana": "キュウセイ　ハナコ", **OP}),
        "declined": Person(2, MEMBER, {}),
        "conflict": Person(3, MEMBER, {"l1_code": "27001", "l2_code": "27", "l3_category": "A1"}),
        "waits": Person(4, MEMBER, {"my_page": "none"}),
        "undone": Person(5, MEMBER, {}),
        "numbered": Person(6, MEMBER, {"birth_on": "1980-01-01"}),
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for person in found.values():
        writer.writerows(person.rows)
    path = stack.folder / "merged.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    stack.copy.mamisctl("import", "members", str(path), "--password-for-tests", PASSWORD)
    return found


@pytest.fixture(scope="module")
def officers(stack):
    return stack.staff_client("office_l3"), stack.staff_client("office_l3")


@pytest.fixture(scope="module")
def organiser(stack):
    return stack.organiser_client(SEMINAR)


def post(organiser, *rows):
    upload_id = organiser.post(f"/seminars/{SEMINAR}/attendance", {"rows": list(rows)}).expect(
        202).json["upload_id"]
    return wait_for(lambda: (lambda upload: upload if upload["done_at"] else None)(
        organiser.upload(upload_id)), WAIT_S, "the upload's end")


def propose(officer, person, reason=REASON):
    return officer.post("/merges", {**person.numbers(), "reason": reason})


def confirm(officer, merge):
    return officer.post(f"/merges/{merge['merge_id']}/confirm", {"reason": "免許証で確かめました。"})


def credits_of(client):
    items = client.get("/me/credits?limit=500").expect(200).json["items"]
    return sorted((item["session_no"], item["programme"]) for item in items
                  if item["seminar_no"] == SEMINAR and item["status"] == "posted")


def standing(stack, row):
    return stack.one(
        "SELECT count(*) FROM credit.ledger l JOIN registration.doctor d USING (doctor_id)"
        " WHERE d.register_no = %s AND l.revision %% 2 = 0 AND NOT EXISTS (SELECT FROM"
        " credit.ledger n WHERE n.doctor_id = l.doctor_id AND n.session_id = l.session_id"
        " AND n.programme = l.programme AND n.revision = l.revision + 1)",
        (row["register_no"],))[0]


def merged(stack, officers, person):
    """Proposed, confirmed, and all credits moved."""
    merge = propose(officers[0], person).expect(201).json
    told = confirm(officers[1], merge).expect(200).json
    assert told["state"] == "confirmed"
    wait_for(lambda: standing(stack, person.closed) == 0, WAIT_S, "the credits")
    return merge


def code(answer, status):
    return answer.expect(status).json["code"]


def test_both_stand_side_by_side_before_anything_is_proposed(stack, officers, people):
    items = officers[0].get("/merges/candidates?limit=500").expect(200).json["items"]
    pairs = {frozenset((item["first"]["register_no"], item["second"]["register_no"])): item["same"]
             for item in items}
    assert pairs[frozenset(people["declined"].numbers().values())] == "birth_and_kana"
    other = people["plain"]  # another kana name: not found by itself, but by its numbers
    assert frozenset(other.numbers().values()) not in pairs
    pair = officers[0].post("/merges/comparison", other.numbers()).expect(200).json
    assert pair["keep"]["memberships"][0]["code"] == "13001" and pair["conflicts"] == []
    assert [one["number"] for one in pair["close"]["certificates"]] == [OP["op_no"]]
    assert code(officers[0].post("/merges/comparison", {**other.numbers(),
                                                        "close_register_no": "8899999"}), 409) == "merge_unknown"
    assert stack.one("SELECT count(*) FROM gateway.read_audit WHERE operation = 'compare_doctors'"
                     " AND cardinality(doctors) = 2")[0] == 1


def test_nothing_changes_before_another_officer_confirms(stack, officers, people):
    person = people["declined"]
    merge = propose(officers[0], person).expect(201).json
    assert merge["mine"] and merge["state"] == "open"
    assert code(confirm(officers[0], merge), 409) == "merge_self"
    assert code(officers[0].post(f"/merges/{merge['merge_id']}/decline", {"reason": "x"}),
                409) == "merge_self"
    assert code(officers[1].post(f"/merges/{merge['merge_id']}/withdraw", {}),
                409) == "merge_withdraw"
    assert code(propose(officers[1], person), 409) == "merge_proposed"
    client = stack.client().sign_in(person.closed["mamis_no"], PASSWORD)
    told = officers[1].post(f"/merges/{merge['merge_id']}/decline",
                            {"reason": "別の人です"}).expect(200).json
    assert (told["state"], told["decided_reason"], told["mine"]) == ("declined", "別の人です", False)
    client.get("/me").expect(200)
    assert code(confirm(officers[1], merge), 409) == "merge_ended"
    items = officers[0].get("/merges/candidates?limit=500").expect(200).json["items"]
    assert person.kept["register_no"] not in [item[side]["register_no"] for item in items
                                              for side in ("first", "second")]
    taken = propose(officers[0], person).expect(201).json
    assert officers[0].post(f"/merges/{taken['merge_id']}/withdraw", {}).expect(
        200).json["state"] == "withdrawn"


def test_the_database_refuses_one_person_too(stack, officers, people):
    merge = propose(officers[0], people["conflict"]).expect(201).json
    with stack.sql() as cursor, pytest.raises(Exception, match="check constraint"):
        cursor.execute("UPDATE registration.merge SET state = 'confirmed', decided_at = now(),"
                       " decided_by = proposed_by WHERE merge_id = %s", (merge["merge_id"],))
    assert {"what": "membership_l1", "refuses": True} in merge["conflicts"]
    assert code(confirm(officers[1], merge), 409) == "merge_conflict"
    officers[0].post(f"/merges/{merge['merge_id']}/withdraw", {}).expect(200)


def test_one_account_and_one_ledger_after(stack, officers, people, organiser):
    person = people["plain"]
    kept = stack.client().sign_in(person.kept["mamis_no"], PASSWORD)
    closed = stack.client().sign_in(person.closed["mamis_no"], PASSWORD)
    post(organiser, {"register_no": person.kept["register_no"], "session_no": "1"})
    post(organiser, {"register_no": person.closed["register_no"], "session_no": "1"},
         {"register_no": person.closed["register_no"], "session_no": "2"})
    wait_for(lambda: standing(stack, person.closed), WAIT_S, "the credits")
    first = credits_of(kept)
    both = sorted(set(first) | set(credits_of(closed)))
    assert len(both) > len(first) > 0
    closed.post("/me/delegates", {"name": "受付　花子",
                                  "email": "merge-uketsuke@example.jp"}).expect(201)
    merged(stack, officers, person)
    assert stack.one("SELECT d.state, h.action FROM registration.delegation d"
                     " JOIN registration.delegation_history h USING (delegation_id, version)"
                     " WHERE d.email = 'merge-uketsuke@example.jp'") == ("revoked", "merged")
    assert credits_of(kept) == both, "the same hour counts once"
    # The other account is gone, at once.
    closed.get("/me").expect(401)
    stack.client().post("/session", {"login_id": person.closed["mamis_no"],
                                     "password": PASSWORD}).expect(401)
    # Its certificate and its numbers belong to the one that is left.
    wait_for(lambda: [item["number"] for item in
                      kept.get("/me/certificates").expect(200).json["items"]] == [OP["op_no"]],
             WAIT_S, "the certificate")
    upload = post(organiser, {"register_no": person.closed["register_no"], "session_no": "1",
                              "name_kana": person.closed["name_kana"]},
                  {"mamis_no": person.closed["mamis_no"],
                   "register_no": person.kept["register_no"], "session_no": "2"})
    assert upload["counts"]["already_posted"] == 2, upload
    for which, row in enumerate((person.kept, person.closed)):
        text = text_of(wait_mail(stack, row["email"], "2つの登録を1つにまとめました"))
        assert person.kept["name"] in text and row["register_no"] not in text, which
    history = kept.get("/me/credits?limit=500").expect(200).json["items"]
    assert all(item["status"] == "posted" for item in history)
    assert not [mail for mail in mails_to(stack, person.closed["email"])
                if "取り消" in text_of(mail)]


def test_old_numbers_find_the_account(stack, officers, people):
    person = people["plain"]
    for number in (person.closed["register_no"], person.closed["mamis_no"]):
        items = officers[0].get(f"/desk/accounts?number={number}").expect(200).json["items"]
        assert {item["my_page"]: item["register_no"] for item in items} == {
            "active": person.kept["register_no"], "closed": person.closed["register_no"]}


def test_a_member_list_cannot_bring_it_back(stack, people):
    person = people["plain"]
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerow(person.closed)
    path = stack.folder / "again.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    with pytest.raises(Exception):
        stack.copy.mamisctl("import", "members", str(path))
    assert stack.one("SELECT my_page, l1_code FROM registration.doctor WHERE register_no = %s",
                     (person.closed["register_no"],)) == ("closed", "")


def test_rows_that_wait_are_judged_again_for_the_kept_one(stack, officers, people, organiser):
    person = people["waits"]
    upload = post(organiser, {"register_no": person.closed["register_no"], "session_no": "1"})
    assert upload["counts"]["waiting"] == 1
    merged(stack, officers, person)
    wait_for(lambda: organiser.upload(upload["upload_id"])["counts"]["posted"] == 1, WAIT_S,
             "the row")
    kept = stack.client().sign_in(person.kept["mamis_no"], PASSWORD)
    assert credits_of(kept)


def test_an_upload_is_undone_after_its_credits_moved(stack, officers, people, organiser):
    person = people["undone"]
    upload = post(organiser, {"register_no": person.closed["register_no"], "session_no": "1"})
    merged(stack, officers, person)
    kept = stack.client().sign_in(person.kept["mamis_no"], PASSWORD)
    assert credits_of(kept)
    organiser.post(f"/uploads/{upload['upload_id']}/undo", {"reason": "誤ったファイル"}).expect(200, 202)
    wait_for(lambda: not credits_of(kept), WAIT_S, "the undo")


NEW_NO = "8899001"


def renumber(officer, row, number, **more):
    return officer.post(f"/doctors/{row['mamis_no']}/register-number",
                        {"register_no": number, "reason": "国籍の変更", **more})


def test_another_register_number_is_wanted_by_two(stack, officers, people):
    row, other = people["numbered"].rows
    assert code(renumber(officers[0], row, row["register_no"]), 409) == "renumber_same"
    assert code(renumber(officers[0], row, other["register_no"]), 409) == "renumber_taken"
    former = people["plain"].closed["register_no"]  # of a record that was merged into another
    assert code(renumber(officers[0], row, former), 409) == "renumber_taken"
    assert code(renumber(officers[0], {"mamis_no": "0000000000"}, NEW_NO), 404) == "not_found"
    assert renumber(officers[0], row, "1.23E+05").expect(422).json["errors"][0]["code"] == (
        "register_no_format")
    renumber(officers[0], row, NEW_NO, licensed_on="2099-01-01").expect(422)
    stack.staff_client("call_centre").post(f"/doctors/{row['mamis_no']}/register-number",
                                           {"register_no": NEW_NO, "reason": "x"}).expect(403)
    proposed = renumber(officers[0], row, "０" + NEW_NO, licensed_on="2020-04-01").expect(201).json
    assert proposed["renumber"] == {"from": row["register_no"], "to": NEW_NO,
                                    "licensed_on": "2020-04-01"}
    assert proposed["close"] is None and proposed["keep"]["register_no"] == row["register_no"]
    assert code(renumber(officers[1], row, "8899002"), 409) == "merge_proposed"
    assert code(confirm(officers[0], proposed), 409) == "merge_self"
    assert proposed["merge_id"] in [item["merge_id"] for item in officers[1].get(
        "/merges?state=open&limit=500").expect(200).json["items"]]


def test_the_former_number_leads_to_the_doctor(stack, officers, people, organiser):
    row, other = people["numbered"].rows
    own = stack.client().sign_in(row["mamis_no"], PASSWORD)
    post(organiser, {"register_no": row["register_no"], "session_no": "1"})
    before = credits_of(own)
    proposed = next(item for item in officers[1].get("/merges?state=open&limit=500").expect(
        200).json["items"] if item["renumber"])
    told = confirm(officers[1], proposed).expect(200).json
    assert (told["state"], told["keep"]["register_no"]) == ("confirmed", NEW_NO)
    assert told["keep"]["former_numbers"] == [row["register_no"]]
    wait_for(lambda: stack.one("SELECT count(*) FROM credit.merge WHERE merge_id = %s",
                               (proposed["merge_id"],))[0], WAIT_S, "the former number")
    wait_for(lambda: stack.one("SELECT count(*) FROM credit.doctor WHERE register_no = %s",
                               (int(NEW_NO),))[0], WAIT_S, "the new number")
    assert credits_of(own) == before, "signed in as before, with the same credits"
    had, = own.get("/me/export.json").expect(200).json["sections"]["former_numbers"]
    assert (had["register_no"], had["mamis_no"]) == (row["register_no"], None)
    # Either number in a file, also beside the MAMIS number, is the same doctor.
    upload = post(organiser, {"register_no": row["register_no"], "session_no": "2"},
                  {"register_no": NEW_NO, "session_no": "2"},
                  {"register_no": row["register_no"], "mamis_no": row["mamis_no"],
                   "name_kana": row["name_kana"], "session_no": "1"})
    assert (upload["counts"]["posted"], upload["counts"]["already_posted"]) == (1, 2), upload
    assert len(credits_of(own)) > len(before)
    # The desk and the list of members find him by the former one.
    items = officers[0].get(f"/desk/accounts?number={row['register_no']}").expect(200).json["items"]
    assert NEW_NO in [item["register_no"] for item in items]
    listed = officers[0].get(f"/members?q={row['register_no']}").expect(200).json["items"]
    assert {item["register_no"] for item in listed} == {NEW_NO}
    # It is nobody else's: not by another change, a list of members or a sign-up.
    assert code(renumber(officers[0], other, row["register_no"]), 409) == "renumber_taken"
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerow(row)
    path = stack.folder / "former.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    with pytest.raises(Exception, match="leads to the register number"):
        stack.copy.mamisctl("import", "members", str(path))
    assert stack.one("SELECT register_no, licensed_on::text FROM registration.doctor"
                     " WHERE mamis_no = %s", (row["mamis_no"],)) == (NEW_NO, "2020-04-01")
    text = text_of(wait_mail(stack, row["email"], "医籍登録番号を改めました"))
    assert row["name"] in text and row["register_no"] not in text and NEW_NO not in text


def test_verify_finds_nothing(stack):
    assert "FAIL" not in stack.copy.mamisctl("verify", seconds=120)
