"""Delegates and one's own data, by the API of a running copy (R-PRV, issue: privacy)."""

import csv
import html
import json
import os
import random
import re
import signal
import urllib.parse

import pytest

import discreet
from maildir import link_of, read, text_of, wait_mail
from running.process import wait_for
from stack import PASSWORD, TOP

SEMINAR = "S2026-0001"
WAIT_S = 20
OWN = "長い合言葉を決めました 2026"
TODAY = "2026-11-22"  # of the stack's clock


@pytest.fixture(scope="module")
def doctors(stack):
    """(mamis_no, name) of doctors nobody used yet, with credits of one seminar."""
    with stack.sql() as cursor:
        cursor.execute("SELECT mamis_no, name, register_no FROM registration.doctor"
                       " WHERE my_page = 'active' ORDER BY doctor_id LIMIT 40")
        found = cursor.fetchall()
    rows = "".join(f"{row[2]},1\n" for row in found)
    answer = stack.organiser_client(SEMINAR).post_attendance(
        SEMINAR, f"医籍登録番号,セッション番号\n{rows}".encode(), "出席簿.csv")
    upload = answer.expect(202).json["upload_id"]
    wait_for(lambda: stack.one("SELECT status FROM credit.upload WHERE upload_id = %s",
                               (upload,))[0] == "done", WAIT_S, "the upload")
    return iter(found)


class Doctor:
    def __init__(self, stack, row):
        self.mamis_no, self.name, self.register_no = row
        self.client = stack.client().sign_in(self.mamis_no, PASSWORD)


@pytest.fixture
def doctor(stack, doctors):
    return Doctor(stack, next(doctors))


def code(answer, status):
    return answer.expect(status).json["code"]


def named(stack, doctor, address, name="受付　一郎"):
    """The delegation's id, and the link that was mailed."""
    item = doctor.client.post("/me/delegates", {"name": name, "email": address}).expect(201).json
    assert item["state"] == "invited"
    return item["delegation_id"], link_of(wait_mail(stack, address, f"{doctor.name} 先生の代理"))


def accepted(stack, link, password=OWN):
    return stack.client().post("/links", {"link": link, "password": password})


@pytest.fixture
def delegate(stack, doctor):
    """(delegation_id, client of the person named by `doctor`)."""
    address = f"uketsuke-{doctor.mamis_no}@example.jp"
    delegation, link = named(stack, doctor, address)
    accepted(stack, link).expect(200)
    return delegation, stack.client().sign_in(address, OWN)


def looks(doctor):
    items = doctor.client.get("/me/delegates").expect(200).json["items"]
    return [deed["action"] for item in items for deed in item["history"]]


# ---- delegates ----

def test_a_delegate_sees_credits_until_it_is_ended(stack, doctor):
    address = f"hisho-{doctor.mamis_no}@example.jp"
    delegation, link = named(stack, doctor, address)
    person = stack.client()
    # Opening the link changes nothing; it needs a password, which keeps the rules of all.
    assert person.post("/links", {"link": link}).expect(200).json == {
        "purpose": "delegate_invite", "next": "password"}
    assert code(accepted(stack, link, "short"), 422) == "password_too_short"
    assert accepted(stack, link).expect(200).json == {"purpose": "delegate_invite", "next": ""}
    assert code(accepted(stack, link), 410) == "link_used"
    me = person.sign_in(address, OWN).get("/me").expect(200).json
    assert me["account"]["role"] == "delegate" and "doctor" not in me
    shown = person.get("/delegations").expect(200).json["items"]
    assert [(item["delegation_id"], item["doctor_name"]) for item in shown] == [
        (delegation, doctor.name)]
    path = f"/delegations/{delegation}/credits"
    assert person.get(path).expect(200).json == doctor.client.get("/me/credits").expect(200).json
    assert person.get(path).json["items"], "the doctor has credits"
    wait_mail(stack, stack.one("SELECT email FROM registration.doctor WHERE mamis_no = %s",
                               (doctor.mamis_no,))[0], "代理の方の登録が終わりました")
    assert looks(doctor) == ["looked_at_credits"] * 2 + ["accepted", "invited"]
    # Never apply, never change, nothing else of the doctor.
    for method, route in (("GET", "/me/credits"), ("GET", "/me/profile"), ("GET", "/me/standing"),
                          ("POST", "/me/applications"), ("GET", "/me/delegates"),
                          ("GET", "/me/credits/transcript.csv"), ("GET", "/applications")):
        assert code(person.request(method, route), 403) == "forbidden", route
    # Ended: the very next request, though Redis still knows the session.
    ended = doctor.client.post(f"/me/delegates/{delegation}/revoke").expect(200).json
    assert ended["state"] == "revoked" and ended["ended_at"]
    assert code(person.get(path), 404) == "not_found"
    assert person.get("/delegations").expect(200).json["items"] == []
    assert looks(doctor)[0] == "revoked"
    wait_mail(stack, address, "代理の登録が取り消されました")


def test_a_delegate_gives_it_up(stack, doctor, delegate):
    delegation, person = delegate
    path = f"/delegations/{delegation}"
    assert code(doctor.client.post(path + "/resign"), 403) == "forbidden"
    person.post(path + "/resign").expect(200)
    person.get(path + "/credits").expect(404)
    person.post(path + "/resign").expect(200)  # it has ended
    assert looks(doctor)[0] == "resigned"
    wait_mail(stack, stack.one("SELECT email FROM registration.doctor WHERE mamis_no = %s",
                               (doctor.mamis_no,))[0], "代理の方が登録をやめました")


def test_ending_holds_while_registration_and_redis_are_away(stack, doctor, delegate):
    delegation, person = delegate
    path = f"/delegations/{delegation}/credits"
    person.get(path).expect(200)
    worker = stack.copy.service("registration", 1).process.pid()
    redis = stack.copy.redis.process.pid()
    os.kill(worker, signal.SIGSTOP)
    os.kill(redis, signal.SIGSTOP)
    try:
        answer = doctor.client.post(f"/me/delegates/{delegation}/revoke").expect(202)
        person.get(path).expect(404)
        item, = doctor.client.get("/me/delegates").expect(200).json["items"]
        assert item["state"] == "revoked"
    finally:
        os.kill(redis, signal.SIGCONT)
        os.kill(worker, signal.SIGCONT)
    operation = answer.json["operation_id"]
    wait_for(lambda: doctor.client.get(f"/operations/{operation}").json["status"] == "done",
             WAIT_S, "the end of the delegation")
    person.get(path).expect(404)


def test_an_ended_invitation_cannot_be_accepted(stack, doctor):
    delegation, link = named(stack, doctor, f"mada-{doctor.mamis_no}@example.jp")
    doctor.client.post(f"/me/delegates/{delegation}/revoke").expect(200)
    assert code(accepted(stack, link), 410) == "link_used"
    assert stack.one("SELECT count(*) FROM registration.account WHERE email = %s",
                     (f"mada-{doctor.mamis_no}@example.jp",))[0] == 0


def test_one_account_for_several_doctors(stack, doctor, delegate, doctors):
    first, person = delegate
    other = Doctor(stack, next(doctors))
    address = f"uketsuke-{doctor.mamis_no}@example.jp"
    second, link = named(stack, other, address)
    # Known already: the link alone accepts, the password stays.
    assert stack.client().post("/links", {"link": link}).expect(200).json["next"] == ""
    names = [item["doctor_name"] for item in person.get("/delegations").expect(200).json["items"]]
    assert names == [doctor.name, other.name]
    person.get(f"/delegations/{second}/credits").expect(200)
    doctor.client.post(f"/me/delegates/{first}/revoke").expect(200)
    person.get(f"/delegations/{first}/credits").expect(404)
    person.get(f"/delegations/{second}/credits").expect(200)


def test_a_doctor_who_takes_a_delegates_address_locks_nobody_out(stack, doctor, delegate):
    """A clinic's one address: the secretary's login is the same text as the doctor's new address."""
    address = f"uketsuke-{doctor.mamis_no}@example.jp"
    doctor.client.post("/me/email", {"email": address}).expect(200)
    link = link_of(wait_mail(stack, address, "アドレスの確認"))
    stack.client().post("/links", {"link": link}).expect(200)
    assert stack.client().sign_in(address, OWN).session["account"]["role"] == "delegate"
    assert stack.client().sign_in(doctor.mamis_no, PASSWORD).session["account"]["role"] == "doctor"


def test_what_a_delegation_does_not_reach(stack, doctor, delegate, doctors):
    delegation, person = delegate
    other = Doctor(stack, next(doctors))
    foreign, link = named(stack, other, f"yoso-{other.mamis_no}@example.jp")
    accepted(stack, link).expect(200)
    # Somebody else's delegation, one that is not there, and a doctor's hand on a foreign one.
    person.get(f"/delegations/{foreign}/credits").expect(404)
    person.get(f"/delegations/{os.urandom(16).hex()}/credits").expect(404)
    person.get("/delegations/0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e01/credits").expect(404)
    assert code(doctor.client.post(f"/me/delegates/{foreign}/revoke"), 404) == "not_found"
    # A suspended doctor's delegates see nothing.
    person.get(f"/delegations/{delegation}/credits").expect(200)
    stack.copy.mamisctl("account", "suspend", "--login", doctor.mamis_no)
    person.get(f"/delegations/{delegation}/credits").expect(404)
    assert person.get("/delegations").expect(200).json["items"] == []


def test_naming_is_checked(stack, doctor, delegate):
    own = stack.one("SELECT email FROM registration.account WHERE doctor_id ="
                    " (SELECT doctor_id FROM registration.doctor WHERE mamis_no = %s)",
                    (doctor.mamis_no,))[0]
    invite = lambda email, name="名": doctor.client.post(  # noqa: E731
        "/me/delegates", {"name": name, "email": email})
    assert code(invite(f"uketsuke-{doctor.mamis_no}@example.jp"), 409) == "delegate_named"
    if own:
        assert code(invite(own), 409) == "delegate_address"
    assert code(invite("no address"), 422) == "email_address"
    assert code(invite("a@example.jp\r\nBcc: b@example.jp"), 400) == "schema"
    assert code(invite("c@example.jp", ""), 400) == "schema"
    for n in range(4):
        invite(f"many{n}-{doctor.mamis_no}@example.jp").expect(201)
    assert code(invite(f"many5-{doctor.mamis_no}@example.jp"), 409) == "delegates_many"


# ---- signing up to seminars, for oneself and by a delegate ----

@pytest.fixture(scope="module")
def coming(stack):
    """A seminar of P13 that begins in two weeks, with one place."""
    with stack.sql() as cursor:
        cursor.execute("INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
                       " VALUES ('SIGN-1', '申し込みの試験', 'P13')")
        cursor.execute(
            "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
            " delivery, grace_minutes, capacity, offers) SELECT 'SIGN-1', n, '第' || n || '部',"
            " '2026-12-06T13:00:00+09:00'::timestamptz + n * interval '1 h',"
            " '2026-12-06T14:00:00+09:00'::timestamptz + n * interval '1 h', '2026-12-06', 'venue',"
            " 0, n, 'OPL-S:2' FROM generate_series(1, 2) AS n")
    return "SIGN-1"


def offered(client, path="/me/seminars", no="SIGN-1"):
    found, = client.get(f"{path}?q={no}").expect(200).json["items"]
    return found


def test_a_doctor_and_a_delegate_sign_up(stack, doctor, delegate, doctors, coming):
    delegation, person = delegate
    other = Doctor(stack, next(doctors))
    path = f"/delegations/{delegation}"
    before = offered(other.client)
    assert (before["open"], before["places_left"], before["state"]) == (True, 1, None)
    assert [item["session_no"] for item in before["sessions"]] == ["1", "2"]
    # The delegate is first, so the one place is the doctor's.
    assert person.post(f"{path}/signups", {"seminar_no": coming}).expect(201).json == {
        "seminar_no": coming, "state": "applied", "waiting_before": None}
    assert other.client.post("/me/signups", {"seminar_no": coming}).expect(201).json == {
        "seminar_no": coming, "state": "waitlist", "waiting_before": 0}
    for client, route in ((other.client, "/me/signups"), (person, f"{path}/signups")):
        assert code(client.post(route, {"seminar_no": coming}), 409) == "signup_twice"
        assert code(client.post(route, {"seminar_no": "NONE"}), 404) == "not_found"
        assert code(client.post(route, {"seminar_no": SEMINAR}), 409) == "signup_closed"
    own = offered(doctor.client)
    assert (own["state"], own["by_delegate"], own["places_left"], own["waiting"]) == (
        "applied", True, 0, 1)
    assert offered(person, f"{path}/seminars") == own
    assert offered(person, f"{path}/seminars", "SIGN-1&signed_up=true") == own
    mine, = other.client.get("/me/signups").expect(200).json["items"]
    assert (mine["state"], mine["waiting_before"], mine["by_delegate"]) == ("waitlist", 0, False)
    address = "SELECT email FROM registration.doctor WHERE mamis_no = %s"
    assert "代理の方が行いました" in text_of(wait_mail(
        stack, stack.one(address, (doctor.mamis_no,))[0], "研修会の申し込みを受け付けました"))
    wait_mail(stack, stack.one(address, (other.mamis_no,))[0], "研修会のキャンセル待ち")
    # Who looks after the seminar sees both; somebody else's organiser, a doctor, a delegate do not.
    office = stack.staff_client("organiser", "--organiser", "P13")
    listed = office.get(f"/seminars/{coming}/signups").expect(200).json
    assert [(item["register_no"], item["state"], item["by_delegate"]) for item in listed["items"]] \
        == [(doctor.register_no, "applied", True), (other.register_no, "waitlist", False)]
    assert (listed["applied"], listed["waitlist"]) == (1, 1)
    first = office.get(f"/seminars/{coming}/signups?limit=1").expect(200).json
    second = office.get(f"/seminars/{coming}/signups?limit=1&cursor={first['next_cursor']}")
    assert first["items"] + second.expect(200).json["items"] == listed["items"]
    stack.staff_client("organiser", "--organiser", "P27").get(f"/seminars/{coming}/signups").expect(404)
    for client in (doctor.client, person):
        assert code(client.get(f"/seminars/{coming}/signups"), 403) == "forbidden"
    read = doctor.client.get("/me/reads?limit=1").expect(200).json["items"][0]
    assert (read["action"], read["role"]) == ("applicant_read", "organiser")
    # The place is given up by the delegate, and goes to who waits.
    assert person.post(f"{path}/signups/{coming}/cancel").expect(200).json["state"] == \
        "cancelled_by_doctor"
    assert code(person.post(f"{path}/signups/{coming}/cancel"), 409) == "signup_none"
    assert offered(other.client)["state"] == "applied"
    wait_mail(stack, stack.one(address, (other.mamis_no,))[0], "研修会の席が取れました")
    history = doctor.client.get("/me/delegates").expect(200).json["items"][0]["history"]
    assert [deed["action"] for deed in history if deed["seminar_no"] == coming] == [
        "asked_cancellation", "asked_cancellation", "asked_sign_up", "asked_sign_up"]
    assert "looked_at_seminars" in [deed["action"] for deed in history]
    acts = stack.one("SELECT count(*) FROM credit.audit WHERE subject = %s AND detail ->> 'role' ="
                     " 'delegate' AND detail ->> 'delegation_id' = %s", (coming, delegation))
    assert acts == (2,)
    # A foreign doctor is out of reach, and so is everybody once it is ended.
    foreign, link = named(stack, other, f"seki-{other.mamis_no}@example.jp")
    accepted(stack, link).expect(200)
    person.post(f"/delegations/{foreign}/signups/{coming}/cancel").expect(404)
    doctor.client.post(f"/me/delegates/{delegation}/revoke").expect(200)
    assert code(person.post(f"{path}/signups", {"seminar_no": coming}), 404) == "not_found"
    person.get(f"{path}/seminars").expect(404)
    assert offered(doctor.client)["state"] == "cancelled_by_doctor"
    assert offered(other.client)["state"] == "applied"


def test_the_kind_chosen_at_sign_up_posts(stack, doctor, delegate, doctors):
    """Until it posts, by the doctor and by a delegate; others keep what the certificate says."""
    delegation, person = delegate
    other = Doctor(stack, next(doctors))
    path = f"/delegations/{delegation}"
    with stack.sql() as cursor:
        cursor.execute("INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
                       " VALUES ('KIND-1', '種別を選ぶ', 'P13')")
        cursor.execute(
            "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
            " delivery, grace_minutes, offers) VALUES ('KIND-1', '1', '午前',"
            " '2026-12-05T10:00:00+09:00', '2026-12-05T12:00:00+09:00', '2026-12-05', 'venue', 0,"
            " 'OPB-K:2|OPL-S:2;CME-007:2')")
        cursor.execute("INSERT INTO credit.certificate SELECT doctor_id, 'OP', 1, '2020-01-01',"
                       " '2030-12-31' FROM credit.doctor WHERE register_no = ANY (%s)"
                       " ON CONFLICT (doctor_id, programme) DO UPDATE SET first_from = '2020-01-01',"
                       " valid_to = '2030-12-31'",
                       ([int(doctor.register_no), int(other.register_no)],))

    def body(*kinds, session="1"):
        return {"seminar_no": "KIND-1",
                "choices": [{"session_no": session, "kind": kind} for kind in kinds]}

    def chosen(client, where="/me/seminars"):
        choice, = offered(client, where, "KIND-1")["choices"]
        return choice["chosen"], choice["posted"]

    choice, = offered(doctor.client, no="KIND-1")["choices"]
    assert (choice["session_no"], choice["session_title"]) == ("1", "午前")
    assert [(kind["kind"], kind["half_units"]) for kind in choice["kinds"]] == [
        ("OPB-K", 4), ("OPL-S", 4)] and choice["kinds"][0]["kind_name"] != ""
    refused = doctor.client.post("/me/signups", body("OPL-R")).expect(409).json
    assert refused["code"] == "choice_not_offered" and "OPB-K, OPL-S" in refused["cure"]
    refused = doctor.client.post("/me/signups", body("OPL-S", session="7")).expect(409).json
    assert refused["code"] == "choice_not_offered" and "{" not in refused["cure"]
    assert code(doctor.client.post("/me/signups", body("OPL-S", "OPB-K")), 409) == "choice_twice"
    doctor.client.post("/me/signups", {"seminar_no": "KIND-1", "choices": [{}]}).expect(400)
    assert chosen(doctor.client) == (None, False)
    assert doctor.client.post("/me/signups", body("OPL-S")).expect(201).json["state"] == "applied"
    assert chosen(doctor.client) == ("OPL-S", False)
    assert other.client.post("/me/signups", body()).expect(201).json["state"] == "applied"
    assert person.post(f"{path}/signups", body("OPB-K")).expect(201).json["state"] == "applied"
    assert chosen(person, f"{path}/seminars") == chosen(doctor.client) == ("OPB-K", False)
    assert code(doctor.client.post("/me/signups", {"seminar_no": "KIND-1"}), 409) == "signup_twice"
    with stack.sql() as cursor:
        cursor.execute("UPDATE credit.session SET starts_at = '2026-11-20T10:00:00+09:00', ends_at ="
                       " '2026-11-20T12:00:00+09:00', held_on = '2026-11-20'"
                       " WHERE seminar_no = 'KIND-1'")
    rows = f"医籍登録番号,種別\n{doctor.register_no},\n{other.register_no},\n"
    upload = stack.client(token=stack.organiser_token("P13")).post_attendance(
        "KIND-1", rows.encode(), "種別.csv").expect(202).json["upload_id"]
    wait_for(lambda: stack.one("SELECT status FROM credit.upload WHERE upload_id = %s",
                               (upload,))[0] == "done", WAIT_S, "the upload")
    with stack.sql() as cursor:
        cursor.execute("SELECT d.register_no, l.kind FROM credit.ledger l JOIN credit.doctor d"
                       " USING (doctor_id) JOIN credit.session s USING (session_id)"
                       " WHERE s.seminar_no = 'KIND-1' AND l.programme = 'OP'")
        assert dict(cursor.fetchall()) == {int(doctor.register_no): "OPB-K",
                                           int(other.register_no): "OPL-S"}
    for client, route in ((doctor.client, "/me/signups"), (person, f"{path}/signups")):
        assert code(client.post(route, body("OPL-S")), 409) == "choice_posted"
    mine, = [item for item in doctor.client.get("/me/signups").expect(200).json["items"]
             if item["seminar_no"] == "KIND-1"]
    assert mine["choices"][0]["posted"] and mine["choices"][0]["chosen"] == "OPB-K"
    assert exported(doctor.client)["signups"][0]["choices"] == [{"session_no": "1", "kinds": "OPB-K"}]


def test_what_overlaps_is_shown(stack, doctor, coming):
    with stack.sql() as cursor:
        cursor.execute("INSERT INTO credit.seminar (seminar_no, title, organiser_code)"
                       " VALUES ('SIGN-2', '同じ時間', 'P27')")
        cursor.execute(
            "INSERT INTO credit.session (seminar_no, session_no, title, starts_at, ends_at, held_on,"
            " delivery, grace_minutes, offers) VALUES ('SIGN-2', '1', '午後',"
            " '2026-12-06T15:30:00+09:00', '2026-12-06T17:00:00+09:00', '2026-12-06', 'web', 0,"
            " 'OPL-S:2')")
    client = doctor.client
    assert client.post("/me/signups", {"seminar_no": "SIGN-2"}).expect(201).json["state"] == "applied"
    assert offered(client)["overlaps"] == [{"seminar_no": "SIGN-2", "title": "同じ時間"}]
    assert offered(client, no="SIGN-2")["places_left"] is None
    client.post("/me/signups", {"seminar_no": coming}).expect(201)
    pages = [client.get("/me/signups?limit=1").expect(200).json]
    pages.append(client.get(f"/me/signups?limit=1&cursor={pages[0]['next_cursor']}").expect(200).json)
    assert [page["items"][0]["seminar_no"] for page in pages] == [coming, "SIGN-2"]
    first = client.get("/me/seminars?limit=1").expect(200).json
    rest = client.get(f"/me/seminars?limit=500&cursor={first['next_cursor']}").expect(200).json
    numbers = [item["seminar_no"] for item in first["items"] + rest["items"]]
    assert len(numbers) == len(set(numbers)) and {"SIGN-1", "SIGN-2"} <= set(numbers)
    begins = [item["starts_at"] for item in first["items"] + rest["items"]]
    assert begins == sorted(begins)
    client.post("/me/signups/SIGN-2/cancel").expect(200)
    assert code(client.post(f"/me/signups/{SEMINAR}/cancel"), 404) == "not_found"


# ---- taking one's data along ----

SECTIONS = ["profile", "account", "account_history", "former_names", "former_numbers",
            "certificates", "credits",
            "handbook", "applications", "memberships", "procedures", "delegates", "signups",
            "corrections", "reissues", "drafts", "reads", "mails", "second_factors", "second_factor_history",
            "sessions"]


def exported(client):
    answer = client.get("/me/export.json").expect(200)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mamis-export.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json["sections"]


def test_all_data_as_json(stack, doctor, delegate):
    delegation, person = delegate
    person.get(f"/delegations/{delegation}/credits").expect(200)
    doctor.client.post("/me/corrections", {"field": "other", "text": "書き出しの試験"}).expect(201)
    doctor.client.put("/me/procedure-drafts", {
        "kind": "transfer", "form": {"l1_code": "14001", "reason": "途中"}}).expect(200)
    with stack.sql() as cursor:
        cursor.execute("INSERT INTO registration.membership (doctor_id, layer, code, valid_from,"
                       " valid_to, began_by, ended_by) SELECT doctor_id, 2, '01', '2001-04-01',"
                       " '2002-03-31', 'import', 'import' FROM registration.doctor"
                       " WHERE mamis_no = %s", (doctor.mamis_no,))
    procedure = doctor.client.post("/me/procedures", {
        "kind": "admission", "depth": 1, "l1_code": "14001", "effective_on": TODAY}).expect(201).json
    doctor.client.post(f"/me/procedures/{procedure['procedure_id']}/cancel", {}).expect(200)
    wait_mail(stack, stack.one("SELECT email FROM registration.doctor WHERE mamis_no = %s",
                               (doctor.mamis_no,))[0], "代理の方の登録が終わりました")
    stack.staff_client("office_l3").get("/corrections?state=open&limit=500").expect(200)
    sections = exported(doctor.client)
    assert list(sections) == SECTIONS
    assert sections["reads"] == [
        {name: read[name] for name in ("at", "action", "role", "office_name")}
        for read in doctor.client.get("/me/reads?limit=500").expect(200).json["items"]]
    assert sections["reads"][0]["role"] == "office_l3"
    profile, = sections["profile"]
    assert profile["register_no"] == doctor.register_no
    assert sections["account"][0]["role"] == "doctor"
    listed = doctor.client.get("/me/credits?limit=500").expect(200).json["items"]
    assert {credit["entry_id"] for credit in sections["credits"]} == {
        item["entry_id"] for item in listed}
    assert sections["credits"][0]["history"][0]["action"] == "posted"
    member = doctor.client.get("/me/memberships").expect(200).json["items"]
    assert sections["memberships"] == member[::-1] and member[-1]["code"] == "01"
    filed, = sections["procedures"]
    shown = doctor.client.get(f"/me/procedures/{procedure['procedure_id']}").expect(200).json
    assert (filed["stage"], [step["action"] for step in filed["history"]]) == (
        "cancelled", ["submit", "cancel"])
    assert filed == {name: value for name, value in shown.items()
                     if name not in ("version", "mine", "to_confirm", "plain", "doctor")}
    assert sections["delegates"][0]["history"][0]["action"] == "looked_at_credits"
    assert sections["corrections"][0]["text"] == "書き出しの試験"
    assert [draft["form"] for draft in sections["drafts"]] == [
        {"l1_code": "14001", "reason": "途中"}]
    assert "M51" in {mail["kind"] for mail in sections["mails"]}
    assert len(sections["sessions"]) >= 1
    # Nobody else's.
    text = json.dumps(sections, ensure_ascii=False)
    with stack.sql() as cursor:
        cursor.execute("SELECT register_no FROM registration.doctor WHERE register_no <> %s"
                       " LIMIT 300", (doctor.register_no,))
        strangers = {row[0] for row in cursor.fetchall()}
    assert strangers.isdisjoint(re.findall(r'"([0-9]{4,7})"', text))


def test_all_data_to_read(doctor):
    doctor.client.post("/me/procedures", {"kind": "admission", "depth": 1, "l1_code": "14001",
                                          "effective_on": TODAY}).expect(201)
    answer = doctor.client.get("/me/export.html").expect(200)
    assert answer.headers.get_content_type() == "text/html"
    page = answer.body.decode()
    assert "<script" not in page and doctor.register_no in page
    terms = {html.unescape(term) for term in re.findall(r"<dt>(.*?)</dt>", page)}
    assert [term for term in terms if re.match(r"[a-z_]+$", term)] == [], "a field without a word"
    english = doctor.client.get("/me/export.html?lang=en").expect(200).body.decode()
    assert "郡市区等医師会の審査" in page and "l1_review" not in page
    assert '<html lang="en">' in english and "Data about you" in english


def test_long_data_comes_in_pages(stack, doctor):
    """More of each than a page holds, and words that would break out of HTML."""
    doctor_id, account = stack.one(
        "SELECT doctor_id, account_id FROM registration.account JOIN registration.doctor"
        " USING (doctor_id) WHERE mamis_no = %s", (doctor.mamis_no,))
    with stack.sql() as cursor:
        cursor.execute(
            "INSERT INTO notification.mail (mail_id, kind, occasion, message_id, to_doctor, data,"
            " state, created_at, next_try_at, finished_at) SELECT gen_random_uuid(), 'M23',"
            " 'export ' || %s || ' ' || n, 'm', %s, '{}', 'delivered',"
            " now() - n * interval '1 s', now(), now() FROM generate_series(1, 1001) AS n",
            (doctor_id, doctor_id))
        cursor.execute(
            "INSERT INTO registration.account_history (account_id, version, at, action)"
            " SELECT %s, 1000 + n, now(), '<b onclick=\"x\">&' FROM generate_series(1, 400) AS n",
            (account,))
    sections = exported(doctor.client)
    assert len([mail for mail in sections["mails"] if mail["kind"] == "M23"]) >= 1001
    assert len(sections["account_history"]) >= 400
    times = [mail["created_at"] for mail in sections["mails"]]
    assert times == sorted(times), "oldest first"
    page = doctor.client.get("/me/export.html").expect(200).body.decode()
    assert "<b onclick" not in page and "&lt;b onclick=&quot;x&quot;&gt;&amp;" in page


def test_who_may_not_export(stack, doctor, delegate):
    for client in (delegate[1], stack.staff_client("office_l3"), stack.staff_client("auditor")):
        assert code(client.get("/me/export.json"), 403) == "forbidden"
    stack.client().get("/me/export.json").expect(401)
    answers = [doctor.client.get("/me/export.json").status for _ in range(8)]
    assert 200 in answers and answers[-1] == 429


# ---- asking for a correction ----

def test_a_correction_is_asked_and_answered(stack, doctor):
    l2 = stack.one("SELECT l2_code FROM registration.doctor WHERE mamis_no = %s",
                   (doctor.mamis_no,))[0]
    other = "13" if l2 != "13" else "27"
    office = stack.staff_client("office_l2", "--l2", l2, "--email", f"kyoku{l2}@example.jp")
    foreign = stack.staff_client("office_l2", "--l2", other)
    body = {"field": "licensed_on", "text": "登録年月日が1日違っています。\n免許証を送ります。"}
    asked = doctor.client.post("/me/corrections", body).expect(201).json
    assert asked["state"] == "open" and asked["text"] == body["text"] and "doctor" not in asked
    wait_mail(stack, f"kyoku{l2}@example.jp", "訂正の依頼があります")
    mine = [item for item in office.get("/corrections?state=open").expect(200).json["items"]
            if item["correction_id"] == asked["correction_id"]]
    assert mine[0]["doctor"]["register_no"] == doctor.register_no
    path = f"/corrections/{asked['correction_id']}/answer"
    answer = {"outcome": "done", "answer": "確かめて直しました。", "licensed_on": "2001-04-21"}
    assert code(foreign.post(path, answer), 404) == "not_found"
    assert asked["correction_id"] not in [
        item["correction_id"] for item in foreign.get("/corrections").expect(200).json["items"]]
    assert code(doctor.client.post(path, answer), 403) == "forbidden"
    assert code(office.post(path, {"outcome": "open", "answer": "x"}), 400) == "schema"
    missing, = office.post(path, {"outcome": "done", "answer": "x"}).expect(422).json["errors"]
    assert (missing["pointer"], missing["code"]) == ("/licensed_on", "field_missing")
    assert code(office.post(path, {**answer, "name": "別人"}), 422) == "correction_value"
    assert code(office.post(path, {**answer, "licensed_on": "2030-01-01"}), 422) == "date_not_real"
    done = office.post(path, answer).expect(200).json
    assert (done["state"], done["answered_by"]) == ("done", "office_l2")
    assert code(office.post(path, answer), 409) == "correction_answered"
    shown, = doctor.client.get("/me/corrections").expect(200).json["items"]
    assert (shown["state"], shown["answer"]) == ("done", answer["answer"])
    change, = shown["changes"]
    assert (change["field"], change["after"]) == ("licensed_on", "2001-04-21")
    assert str(stack.one("SELECT licensed_on FROM registration.doctor WHERE mamis_no = %s",
                         (doctor.mamis_no,))[0]) == "2001-04-21"
    wait_mail(stack, stack.one("SELECT email FROM registration.doctor WHERE mamis_no = %s",
                               (doctor.mamis_no,))[0], "訂正の依頼に返事")


def test_lists_of_corrections_go_by_pages(stack, doctor, doctors):
    asked = []
    for who in (doctor, Doctor(stack, next(doctors))):
        for n in range(3):
            asked.append(who.client.post("/me/corrections", {"field": "other", "text": f"{n}"})
                         .expect(201).json["correction_id"])
    national = stack.staff_client("office_l3")
    seen, cursor = [], ""
    while cursor is not None:
        page = national.get(f"/corrections?state=open&limit=2{cursor}").expect(200).json
        assert len(page["items"]) <= 2
        seen += [item["correction_id"] for item in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert [one for one in seen if one in asked] == asked, "who waits longest comes first"
    for n in range(3, 5):
        doctor.client.post("/me/corrections", {"field": "other", "text": f"{n}"}).expect(201)
    assert code(doctor.client.post("/me/corrections", {"field": "other", "text": "5"}),
                409) == "corrections_many"


# ---- what is kept how long ----

def retention(stack):
    head, *lines = stack.copy.mamisctl("retention").splitlines()
    assert head.split("\t") == ["table", "days", "by", "oldest", "overdue"]
    return {line.split("\t")[0]: line.split("\t") for line in lines}


def test_rows_go_when_their_time_is_over(stack):
    """A row a day too old goes, one a day younger than its time stays: by the rules' days."""
    rules = {rule["table"]: rule for rule in json.loads(
        (TOP / "deploy/rules/retention.json").read_text(encoding="utf-8"))["rules"]}
    now = "(clock_timestamp() + %s * interval '1 microsecond')"
    offset = stack.copy.now_offset_us()
    columns = {
        "gateway.command": ("(operation_id, account_id, type, created_at)",
                            "gen_random_uuid(), gen_random_uuid(), 'retention test', {at}"),
        "gateway.idempotency": ("(owner, route, key, body_sha256, accepted_id, created_at)",
                                "'retention', 'test', gen_random_uuid()::text,"
                                " sha256('x'), gen_random_uuid(), {at}"),
        "gateway.link": ("(link_id, purpose, account_id, email, issued_at, expires_at)",
                         "gen_random_uuid(), 'retention_test', gen_random_uuid(), 'x@y.jp', {at},"
                         " {at}"),
        "gateway.throttle": ("(subject, failures, blocked_until, updated_at)",
                             "'retention:' || gen_random_uuid(), 1, {at}, {at}"),
        "gateway.delegate_look": ("(delegation_id, account_id, at, what)",
                                  "gen_random_uuid(), gen_random_uuid(), {at}, 'credits'"),
        "notification.mail": ("(mail_id, kind, occasion, message_id, data, state, created_at,"
                              " next_try_at, finished_at)",
                              "gen_random_uuid(), 'M01', gen_random_uuid(), 'm', '{{}}',"
                              " 'delivered', {at}, {at}, {at}"),
    }
    counts = {}
    with stack.sql() as cursor:
        for table, (names, values) in columns.items():
            rule = rules[table]
            for shift in (1, -1):  # days too old, days too young
                at = f"{now} - {rule['days'] + shift} * interval '1 day'"
                values_at = values.format(at=at)
                cursor.execute(f"INSERT INTO {table} {names} SELECT {values_at}",
                               [offset] * values_at.count("%s"))
            counts[table] = (f"SELECT count(*) FROM {table} WHERE {rule['since']} <"
                             f" {now} - {rule['days'] - 2} * interval '1 day'", (offset,))
    before = retention(stack)
    assert any(int(before[table][4]) > 0 for table in columns), "overdue rows are shown"
    # A gateway that starts sweeps at once; notification does it every second.
    service, _ = stack.another_gateway()
    try:
        for table, count in counts.items():
            wait_for(lambda count=count: stack.one(*count)[0] == 1, WAIT_S, f"the sweep of {table}")
    finally:
        service.stop()
    after = retention(stack)
    assert {table: after[table][4] for table in columns} == {table: "0" for table in columns}
    assert after["registration.*"][1] == "for ever"
    for table, rule in rules.items():
        assert after[table][1] == (str(rule["days"]) if rule["days"] else "for ever")


# ---- logs and mails; last, for it reads what all tests above have left behind ----

@pytest.fixture(scope="module")
def newcomer(stack):
    """A doctor with numbers and words that stand nowhere else, and a postcard."""
    rand = random.SystemRandom()
    member = {"register_no": f"9{rand.randrange(10**5, 10**6)}", "licensed_on": "1999-05-17",
              "name": "秘密　守代", "name_kana": "ヒミツ　モリヨ", "sex": "F",
              "birth_on": "1961-07-23", "email": "", "l1_code": "13001", "l2_code": "13",
              "l3_category": "B", "my_page": "temp_issued"}
    names = ("mamis_no,register_no,licensed_on,name,name_kana,former_name,former_name_kana,sex,"
             "birth_on,email,l1_code,l2_code,l3_category,my_page,op_no,op_from,op_to,sp_no,sp_from,"
             "sp_to").split(",")
    path = stack.folder / "secret-members.csv"
    path.write_text(",".join(names) + "\n" + ",".join(member.get(name, "") for name in names)
                    + "\n", encoding="utf-8")
    cards = stack.folder / "secret-cards.csv"
    stack.copy.mamisctl("import", "members", str(path), "--postcards", str(cards))
    with open(cards, encoding="utf-8-sig", newline="") as file:
        member["card"] = next(csv.DictReader(file))
    return member


def test_logs_and_mails_tell_nobody(stack, newcomer, doctor):
    address = f"himitsu-{newcomer['register_no']}@example.jp"
    workplace = {"workplace_name": "秘密診療所", "workplace_postcode": "812-0001",
                 "workplace_address": "福岡県秘密市見本1-2-3", "phone": "092-000-9731"}
    card, client = newcomer["card"], stack.client()
    client.post("/session", {"login_id": card["login_id"], "password": "wrong"}).expect(401)
    client.sign_in(card["login_id"], card["temporary_password"])
    version = client.get("/site").json["terms"]["version"]
    client.post("/me/terms", {"version": version}).expect(200)
    client.post("/me/email", {"email": address}).expect(200)
    confirm = link_of(wait_mail(stack, address, "確認"))
    client.post("/links", {"link": confirm}).expect(200)
    profile = {"name": newcomer["name"], "name_kana": newcomer["name_kana"], "former_name": "",
               "former_name_kana": "", "sex": "F", **workplace}
    client.put("/me/profile", {**profile, "birth_on": "1961-07-24"}).expect(409, 422)
    client.put("/me/profile", {**profile, "birth_on": newcomer["birth_on"]}).expect(200)
    client.put("/me/password", {"password": OWN}).expect(200)
    mamis_no = client.get("/me").json["doctor"]["mamis_no"]
    again = stack.client().sign_in(mamis_no, OWN)
    # Attendance with the number, good and bad rows, one mended, one taken back.
    organiser = stack.organiser_client(SEMINAR)
    file = (f"医籍登録番号,セッション番号,氏名カナ\n{newcomer['register_no']},1,ヒミツ　モリヨ\n"
            f"{newcomer['register_no']},1,チガウ　ナマエ\n{newcomer['register_no']}x,1,\n")
    upload = organiser.post_attendance(SEMINAR, file.encode(), "秘密の出席簿.csv").json["upload_id"]
    wait_for(lambda: organiser.upload(upload)["status"] == "done", WAIT_S, "the upload")
    organiser.request("PATCH", f"/uploads/{upload}/rows/3",
                      {"register_no": newcomer["register_no"]}).expect(200)
    wait_mail(stack, address, "単位が登録されました")  # who was not told of it is not told of its end
    entry = wait_for(lambda: again.get("/me/credits").json["items"], WAIT_S, "credits")[0]
    organiser.post(f"/credits/{entry['entry_id']}/cancel", {"reason": "取り違え"}).expect(200)
    wait_mail(stack, address, "取り消されました")
    # Forgotten password, correction, export, delegate, requests that are refused.
    stack.client().post("/password-resets", {"email": address}).expect(202)
    reset = link_of(wait_mail(stack, address, "再設定"))
    again.post("/me/corrections", {"field": "register_no",
                                   "text": f"正しくは {newcomer['register_no']}"}).expect(201)
    again.get("/me/export.json").expect(200)
    again.post("/me/delegates", {"name": "秘密　代理", "email": f"d-{address}"}).expect(201)
    invite = link_of(wait_mail(stack, f"d-{address}", "代理として登録"))
    stack.client().get(f"/me?token={urllib.parse.quote(OWN)}").expect(400, 401)
    stack.client().post("/session", {"login_id": address, "birth": "1961-07-23"}).expect(400)
    again.get(f"/seminars?q={newcomer['register_no']}").expect(403)
    mails = [(path.name, text_of(read(path)) + str(read(path)["Subject"]))
             for path in stack.mails()]
    secrets = {
        "register number": newcomer["register_no"], "register number of a sample":
            doctor.register_no,
        "birth date": newcomer["birth_on"], "wrong birth date": "1961-07-24",
        "birth date in words": "1961年7月23日", "licence date": newcomer["licensed_on"],
        "name": newcomer["name"], "kana": newcomer["name_kana"], "name of a delegate": "秘密　代理",
        "file name": "秘密の出席簿", "address": address, **workplace,
        "temporary ID": card["login_id"], "temporary password": card["temporary_password"],
        "password": OWN, "password of samples": PASSWORD,
        "cookie": again.cookie.split("=", 1)[1], "csrf": again.csrf, "link": confirm.split(".")[1],
        "reset link": reset.split(".")[1], "invitation": invite.split(".")[1],
        "token of a program": organiser.token,
    }
    leaks = discreet.leaks_in_logs(stack.copy.paths.logs, secrets)
    assert leaks == []
    kept_from_mail = ("register number", "register number of a sample", "birth date",
                      "wrong birth date", "birth date in words", "licence date", "password",
                      "temporary password", "cookie", "csrf", "token of a program",
                      "workplace_address", "phone")
    for name, words in mails:
        for what in kept_from_mail:
            assert not re.search(rf"(?<![0-9]){re.escape(secrets[what])}(?![0-9])", words), (
                name, what)
    # The search itself finds what is there.
    probe = stack.folder / "probe"
    probe.mkdir()
    (probe / "x.log").write_text(json.dumps({"msg": "x", "who": newcomer["register_no"]}) + "\n"
                                 + json.dumps({"wait_us": int(newcomer["register_no"])}) + "\n"
                                 + f"plain {address}\n", encoding="utf-8")
    assert [what for _, what, _ in discreet.leaks_in_logs(probe, secrets)] == [
        "register number", "register number", "address"]
