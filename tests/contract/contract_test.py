"""Every route of openapi.yaml answers, well and badly, and every answer fits its schema.

The client checks each answer; what stands here is only how to get them. The last test looks whether
any operation never gave a good answer.
"""
import datetime
import hashlib
import json
import os
import signal
import urllib.parse
import uuid

import pytest

from authenticator import Passkey
from contract import CONTRACT
from people import PASSWORD, People, wait_for
from totp import code_at, step_now

PUBLIC = [operation for operation in CONTRACT.operations if operation.node["x-action"] == "public"]
OTHERS = [operation for operation in CONTRACT.operations if operation not in PUBLIC]
NO_SESSION_NEEDED_TO_STAY = [operation for operation in OTHERS if operation.id != "sign_out"]
ROLES = CONTRACT.access["roles"]


@pytest.fixture(scope="session")
def people(demo, tmp_path_factory):
    return People(demo, tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def clients(demo, people):
    """One signed-in client a role."""
    signed_in = {role: demo.person(**account) for role, account in people.staff.items()}
    signed_in["doctor"] = demo.person(people.doctors[0]["mamis_no"], PASSWORD)
    signed_in["delegate"] = delegate_of(demo, people, signed_in["doctor"])
    return signed_in


def delegate_of(demo, people, doctor):
    """Named by the doctor, with the mailed link used."""
    address = f"delegate{people.digits(6)}@example.jp"
    doctor.post("/me/delegates", {"name": "契約　代理", "email": address}).expect(201)
    link = people.mailed_link(address)
    assert demo.client().post("/links", {"link": link}).expect(200).json["next"] == "password"
    demo.client().post("/links", {"link": link, "password": PASSWORD}).expect(200)
    return demo.person(address, PASSWORD)


def id_of(operation):
    return operation.id


def address(operation):
    """The path with ids that nothing has."""
    path = operation.path.replace("{seminar_no}", "NO-SUCH-SEMINAR")
    while "{" in path:
        begin, end = path.index("{"), path.index("}")
        path = path[:begin] + str(uuid.uuid4()) + path[end + 1:]
    return path


def empty_body(operation):
    return {} if "requestBody" in operation.node else None


def send(client, operation, body=None):
    return client.request(operation.method, address(operation), body, events=1)


def allowed_role(operation):
    roles = CONTRACT.access["actions"][operation.node["x-action"]]["roles"]
    return next(iter(roles))


@pytest.mark.parametrize("operation", OTHERS, ids=id_of)
def test_nobody_comes_in_unsigned(demo, operation):
    answer = send(demo.client(), operation, empty_body(operation))
    assert answer.status == 401
    assert answer.json["code"] == "unauthenticated"


@pytest.mark.parametrize("operation", NO_SESSION_NEEDED_TO_STAY, ids=id_of)
@pytest.mark.parametrize("role", ROLES)
def test_roles_do_what_access_says(clients, operation, role):
    action = CONTRACT.access["actions"][operation.node["x-action"]]
    answer = send(clients[role], operation, empty_body(operation))
    if role in action["roles"]:
        assert answer.status != 401
        assert answer.status != 403, answer.body
    else:
        assert (answer.status, answer.json["code"]) == (403, "forbidden")


def json_bodies():
    for operation in CONTRACT.operations:
        content = CONTRACT.resolve(operation.node.get("requestBody", {})).get("content", {})
        if "application/json" in content and operation.id != "post_attendance":
            yield operation


@pytest.mark.parametrize("operation", json_bodies(), ids=id_of)
def test_unknown_fields_are_named(demo, clients, operation):
    client = demo.client() if operation in PUBLIC else clients[allowed_role(operation)]
    answer = send(client, operation, {"no_such_field": 1})
    if "{" in operation.path and answer.status == 404:
        return  # the object was looked for first
    assert answer.status == 400
    found = {(error.get("pointer"), error["code"]) for error in answer.json["errors"]}
    assert ("/no_such_field", "unknown_field") in found


BAD_JSON = [(b"", None), (b"{", "json_syntax"), (b'{"email":1,"email":2}', "json_duplicate_key"),
            (b'{"email":"\xff"}', "json_not_utf8"), (b"[" * 40 + b"]" * 40, "json_too_deep"),
            (b"[]", "schema")]


@pytest.mark.parametrize("body,code", BAD_JSON)
def test_bad_json_is_told(demo, body, code):
    answer = demo.client().request("POST", "/password-resets", body,
                                   {"Content-Type": "application/json"})
    assert answer.status == 400
    if code:
        codes = [answer.json["code"], *(error["code"] for error in answer.json.get("errors", []))]
        assert code in codes


def limits():
    for operation in CONTRACT.operations:
        for param in operation.node.get("parameters", []):
            if CONTRACT.resolve(param)["name"] == "limit":
                yield operation


@pytest.mark.parametrize("operation", limits(), ids=id_of)
@pytest.mark.parametrize("value", ["0", "501", "x", "-1", "99999999999999999999"])
def test_parameters_have_limits(clients, operation, value):
    answer = clients[allowed_role(operation)].get(f"{address(operation)}?limit={value}")
    assert answer.status == 400
    assert [error["parameter"] for error in answer.json["errors"]] == ["limit"]


def test_unknown_addresses_and_methods(demo, clients):
    assert demo.client().get("/no-such-thing").status == 404
    assert clients["doctor"].request("DELETE", "/me").status == 405
    assert demo.client().request("PUT", "/site").status == 405


def test_problems_speak_english_too(demo):
    answer = demo.client(language="en").get("/me")
    assert answer.status == 401 and answer.json["title"].isascii()
    answer = demo.client(language="fr, en;q=0.8, ja;q=0.5").get("/me")
    assert answer.json["title"].isascii()
    assert not demo.client(language="de").get("/me").json["title"].isascii()


# ---- the good ways ----


def test_nobody_waits_to_sign_in(demo):
    here = demo.client().get("/session/place").expect(200).json
    assert here["place"] == 0 and here["wait_s"] == 0


def test_maintenance_is_planned_changed_and_called_off(clients):
    office = clients["office_l3"]
    body = {"starts_at": "2098-03-30T00:00:00+09:00", "ends_at": "2098-04-07T00:00:00+09:00",
            "note": "機器の交換"}
    planned = office.post("/maintenance", body).expect(201).json
    path = f"/maintenance/{planned['window_id']}"
    changed = office.request("PUT", path, {**body, "note": "移行"}).expect(200).json
    assert changed["note"] == "移行"
    office.post(f"{path}/end").expect(200)
    assert planned["window_id"] in {one["window_id"] for one in
                                    office.get("/maintenance").expect(200).json["items"]}


def test_first_login(demo, people, clients):
    """Postcard, terms, e-mail, profile, password; then a reset of the password."""
    site = demo.client().get("/site").expect(200).json
    address_of = f"n{people.newcomer['register_no']}@example.jp"
    client = demo.person(people.postcard["login_id"], people.postcard["temporary_password"])
    assert client.session["next"] == "terms"
    assert client.get("/me/credits").expect(403).json["code"] == "first_login_step"
    assert client.post("/me/terms/decline", {}).expect(200).json == {"next": "terms"}
    client = demo.person(people.postcard["login_id"], people.postcard["temporary_password"])
    assert client.post("/me/terms", {"version": site["terms"]["version"]}).expect(200).json == {
        "next": "email"}
    client.post("/me/email", {"email": address_of}).expect(200)
    link = people.mailed_link(address_of)
    assert client.post("/links", {"link": link}).expect(200).json["purpose"] == "email_confirm"
    wait_for("the step after the link", lambda: client.get("/me").json["next"] == "profile")
    profile = client.get("/me/profile").expect(200).json
    taken = ("name", "name_kana", "former_name", "former_name_kana", "sex", "workplace_name",
             "workplace_postcode", "workplace_address", "phone")
    entered = {name: profile[name] for name in taken}
    entered["birth_on"] = people.newcomer["birth_on"]
    assert client.put("/me/profile", entered).expect(200).json["next"] == "password"
    client.put("/me/password", {"password": PASSWORD}).expect(200, 202)
    wait_for("My Page", lambda: client.get("/me").json["next"] == "")
    reset_password(demo, people, address_of, link)
    link_certification(clients["office_l3"], people.newcomer["register_no"])


def link_certification(office, register_no):
    """The newcomer has a certificate: it is shown when the national office has linked it."""
    pending = office.get("/desk/link-pending?limit=500").expect(200).json["items"]
    [account_id] = [item["account_id"] for item in pending if item["register_no"] == register_no]
    office.post(f"/desk/accounts/{account_id}/link", {"reason": "確認した"}).expect(200, 202)


def reset_password(demo, people, address_of, first_link):
    assert demo.client().post("/password-resets", {"email": address_of}).expect(202).json == {}
    link = people.mailed_link(address_of, known=(first_link,))
    told = demo.client().post("/links", {"link": link}).expect(200).json
    assert told["purpose"] == "password_reset"
    demo.client().post("/links", {"link": link, "password": PASSWORD + "2"}).expect(200)
    client = demo.person(address_of, PASSWORD + "2")
    client.sign_out()
    assert demo.client().post("/links", {"link": link}).status in (410, 422)


def follow(client, answer, status=200):
    """The session goes on under a new cookie and token."""
    client.cookie = answer.expect(status).headers["Set-Cookie"].split(";")[0]
    client.csrf = answer.json["csrf_token"]
    return answer.json


def test_second_factor_and_sessions(demo, people):
    account = people.make_account("auditor")
    client = demo.person(**account)
    secret = client.post("/me/second-factor/totp").expect(201).json["secret"]
    codes = [code_at(secret, step_now(demo.offset_us(), shift)) for shift in (0, 1)]
    added = follow(client, client.post("/me/second-factor/totp/confirmation", {"code": codes[0]}))
    assert len(added["recovery_codes"]) == 10 and added["next"] == ""
    assert client.get("/me/second-factor").expect(200).json["totp_since"]
    again = demo.person(**account)
    assert again.session["next"] == "second_factor"
    assert again.get("/applications").expect(403).json["code"] == "second_factor_step"
    assert follow(again, again.post("/session/second-factor", {"code": codes[1]}))["next"] == ""
    follow(again, again.post("/me/reauthentication", {"password": PASSWORD}))
    sessions = client.get("/me/sessions").expect(200).json["items"]
    assert [item["current"] for item in sessions] == [True, False]
    client.request("DELETE", f"/me/sessions/{sessions[1]['session_id']}").expect(204)
    client.request("DELETE", "/me/sessions").expect(204)
    client.post("/me/second-factor/recovery-codes").expect(201)
    client.request("DELETE", "/me/second-factor/totp").expect(204)


def test_passkeys(demo, people):
    account = people.make_account("auditor")
    client = demo.person(**account)
    passkey = Passkey(client.origin)
    options = client.post("/me/passkeys/options").expect(200).json
    follow(client, client.post("/me/passkeys", passkey.made(options)))
    public = demo.client()
    challenge = public.post("/session/passkey/challenge").expect(200).json
    assert follow(public, public.post("/session/passkey", passkey.signed(challenge)),
                  201)["next"] == ""
    again = demo.person(**account)
    challenge = again.post("/me/passkeys/challenge").expect(200).json
    follow(again, again.post("/session/second-factor/passkey", passkey.signed(challenge)))
    challenge = again.post("/me/passkeys/challenge").expect(200).json
    follow(again, again.post("/me/reauthentication/passkey", passkey.signed(challenge)))
    passkey_id = again.get("/me/second-factor").expect(200).json["passkeys"][0]["passkey_id"]
    again.request("DELETE", f"/me/passkeys/{passkey_id}").expect(204)


def test_own_pages(clients):
    doctor = clients["doctor"]
    for path in ("/me", "/me/credits", "/me/standing", "/me/certificates", "/me/handbook",
                 "/me/applications", "/me/profile"):
        doctor.get(path).expect(200)
    doctor.get("/me/credits?programme=OP&from=2025-04-01&to=2030-01-01&limit=1").expect(200)
    doctor.get("/me/credits?kind=OPL-S&status=posted&q=%E7%A0%94%E4%BF%AE").expect(200)
    events = doctor.request("GET", "/me/events", events=2).expect(200).body
    assert b"event: credits" in events and b"event: standing" in events


def test_the_desk(demo, people, clients):
    """What helps somebody in, found by the number alone; each with its reason."""
    desk, reason = clients["call_centre"], {"reason": "本人から電話があった"}
    path = desk_path(desk, people.caller)
    client = demo.person(people.callers_postcard["login_id"],
                         people.callers_postcard["temporary_password"])
    version = demo.client().get("/site").expect(200).json["terms"]["version"]
    client.post("/me/terms", {"version": version}).expect(200)
    client.post("/me/email", {"email": people.caller["email"]}).expect(200)
    for action in ("unlock", "resend", "share-email"):
        desk.post(f"{path}/{action}", reason).expect(200)
    assert desk.post(f"{path}/reissue", reason).expect(200).json["file"].endswith(".csv")
    demo.mamisctl("account", "suspend", "--register-no", people.suspended["register_no"])
    desk.post(f"{desk_path(desk, people.suspended)}/restore", reason).expect(200)


def desk_path(desk, doctor):
    items = desk.get(f"/desk/accounts?number={doctor['register_no']}").expect(200).json["items"]
    return f"/desk/accounts/{items[0]['account_id']}"


def test_the_desk_is_asked(people, clients):
    """Before the newcomer begins anew: one request is refused, the next one done by the re-issue."""
    desk, l2 = clients["call_centre"], clients["office_l2"]
    lost = {"register_no": people.caller["register_no"], "birth_on": people.caller["birth_on"],
            "reason": "はがきを紛失した"}
    asked = l2.post("/reissues", lost).expect(201).json
    assert asked["account_id"] is None and asked["state"] == "open"
    assert l2.post("/reissues", lost).expect(409).json["code"] == "reissue_open"
    refused = desk.post(f"/reissues/{asked['reissue_id']}/refuse", {"reason": "本人と連絡がとれない"})
    assert refused.expect(200).json["state"] == "refused"
    assert desk.post(f"/reissues/{asked['reissue_id']}/refuse", {"reason": "もう一度"}).expect(
        409).json["code"] == "reissue_answered"
    again = l2.post("/reissues", lost).expect(201).json["reissue_id"]
    item = next(item for item in desk.get("/reissues?state=open&limit=500").expect(200).json["items"]
                if item["reissue_id"] == again)
    desk.post(f"/desk/accounts/{item['account_id']}/reissue", {"reason": "本人と確かめた"}).expect(200)
    done = next(item for item in l2.get("/reissues?state=done&limit=500").expect(200).json["items"]
                if item["reissue_id"] == again)
    assert (done["answer"], done["answered_by"]) == ("本人と確かめた", "call_centre")
    other = {**lost, "register_no": people.doctors[0]["register_no"],
             "birth_on": people.doctors[0]["birth_on"]}
    assert l2.post("/reissues", other).expect(409).json["code"] == "reissue_not_needed"
    assert l2.post("/reissues", {**lost, "birth_on": "1970-01-03"}).expect(404).json["code"] == \
        "doctor_not_found"


def test_sign_up(demo, people, clients):
    """From nobody to an accepted and a refused sign-up, with the copy of the licence."""
    desk = clients["call_centre"]
    for register_no, decision in (("9800001", "accept"), ("9800002", "refuse")):
        email = f"s{register_no}@example.jp"
        demo.client().post("/signups", {
            "name": "見本　花子", "name_kana": "ミホン　ハナコ", "sex": "F", "email": email,
            "birth_on": "1980-05-01", "register_no": register_no,
            "licensed_on": "2006-04-20"}).expect(202)
        link = people.mailed_link(email)
        sent = demo.client().request("POST", "/signups/licence", b"%PDF-1.4 %%EOF", {
            "Content-Type": "application/pdf", "X-Signup-Link": link}).expect(200, 202)
        assert sent.status == 202 or sent.json == {"status": "review"}
        items = desk.get("/desk/signups?status=review&limit=500").expect(200).json["items"]
        [found] = [item for item in items if item["email"] == email]
        path = f"/desk/signups/{found['signup_id']}"
        assert desk.get(path).expect(200).json["register_no"] == register_no
        assert desk.get(path + "/licence").expect(200).body == b"%PDF-1.4 %%EOF"
        desk.post(f"{path}/{decision}", {"reason": "確認した"}).expect(200, 202)
def test_delegates(demo, people, clients, uploaded):
    """What a delegate sees, until it is ended; another delegate goes the same way."""
    shown, = clients["delegate"].get("/delegations").expect(200).json["items"]
    path = f"/delegations/{shown['delegation_id']}/credits"
    assert clients["delegate"].get(f"{path}?programme=OP&limit=1").expect(200).json["items"]
    named, = clients["doctor"].get("/me/delegates").expect(200).json["items"]
    assert named["history"][0]["action"] == "looked_at_credits"
    sign_up_to(clients["doctor"], clients["organiser"], "/me", people.coming_no)
    sign_up_to(clients["delegate"], clients["organiser"],
               f"/delegations/{shown['delegation_id']}", people.coming_no)
    clients["doctor"].get("/me/signups").expect(200)
    clients["doctor"].post(f"/me/delegates/{named['delegation_id']}/revoke").expect(200)
    clients["delegate"].get(path).expect(404)
    other = delegate_of(demo, people, clients["doctor"])
    shown, = other.get("/delegations").expect(200).json["items"]
    other.post(f"/delegations/{shown['delegation_id']}/resign").expect(200)


def sign_up_to(client, organiser, path, seminar_no):
    """A place, and given up again."""
    body = {"seminar_no": seminar_no}
    assert client.post(f"{path}/signups", body).expect(201).json["state"] == "applied"
    assert client.post(f"{path}/signups", body).expect(409).json["code"] == "signup_twice"
    client.post(f"{path}/signups", {**body, "choices": [{"session_no": "1", "kind": "OPB-K"}]}).expect(201)
    offered, = client.get(f"{path}/seminars?q={seminar_no}&signed_up=true").expect(200).json["items"]
    assert offered["state"] == "applied" and offered["places_left"] == 0
    assert offered["choices"][0]["chosen"] == "OPB-K"
    assert organiser.get(f"/seminars/{seminar_no}/signups").expect(200).json["applied"] == 1
    client.post(f"{path}/signups/{seminar_no}/cancel").expect(200)


def test_own_data_and_its_correction(people, clients):
    doctor = clients["doctor"]
    assert doctor.get("/me/export.json").expect(200).json["sections"]["profile"]
    assert b"<h1>" in doctor.get("/me/export.html?lang=en").expect(200).body
    asked = doctor.post("/me/corrections", {"field": "other", "text": "契約の試験"}).expect(201).json
    assert asked in doctor.get("/me/corrections").expect(200).json["items"]
    office = clients["office_l2"]
    assert asked["correction_id"] in [
        item["correction_id"]
        for item in office.get("/corrections?state=open&limit=500").expect(200).json["items"]]
    office.post(f"/corrections/{asked['correction_id']}/answer",
                {"outcome": "refused", "answer": "契約の試験"}).expect(200)


@pytest.mark.parametrize("kind", ["csv", "pdf"])
def test_transcripts(demo, clients, uploaded, kind):
    doctor = clients["doctor"]
    paper = doctor.get(f"/me/credits/transcript.{kind}?programme=OP&from=2025-04-01").expect(200)
    code = paper.headers["Content-Disposition"].split("transcript-")[1].split(".")[0]
    public = demo.client()
    told = public.get(f"/transcripts/{code}").expect(200).json
    assert told["sha256"] == hashlib.sha256(paper.body).hexdigest()
    assert told["entries"] > 0 and told["format"] == kind
    assert public.get("/transcripts/1234").expect(422).json["code"] == "transcript_code_format"
    assert public.get("/transcripts/0000000000000000").expect(404).json["code"] == \
        "transcript_unknown"


@pytest.fixture(scope="session")
def uploaded(people, clients):
    """Attendance of both doctors, posted."""
    organiser = clients["organiser"]
    answer = organiser.post_attendance(people.seminar_no, people.attendance(people.doctors),
                                       "出席簿.csv", key=str(uuid.uuid4())).expect(202)
    upload_id = answer.json["upload_id"]
    return wait_for("the upload", lambda: organiser.upload(upload_id)["status"] == "done"
                    and organiser.upload(upload_id))


def test_attendance(people, clients, uploaded):
    organiser, upload_id = clients["organiser"], uploaded["upload_id"]
    assert uploaded["counts"]["posted"] == 6
    organiser.get("/seminars?limit=1").expect(200)
    organiser.get(f"/seminars?q={people.seminar_no}").expect(200)
    organiser.get(f"/seminars/{people.seminar_no}").expect(200)
    organiser.get(f"/uploads?seminar_no={people.seminar_no}").expect(200)
    organiser.get(f"/uploads/{upload_id}/rows?outcome=posted&limit=2").expect(200)
    result = organiser.get(f"/uploads/{upload_id}/result.csv").expect(200)
    assert result.body.startswith("\ufeff".encode())
    organiser.get(f"/uploads/{upload_id}/result.csv?only=fix").expect(200)
    assert clients["office_l2"].get(f"/uploads/{upload_id}").status == 200
    events = organiser.get(f"/uploads/{upload_id}/events").expect(200)
    assert b"event: done" in events.body
    last = [line[3:].strip() for line in events.body.decode().splitlines() if line.startswith("id:")]
    assert organiser.request("GET", f"/uploads/{upload_id}/events",
                             headers={"Last-Event-ID": last[-1]}).status == 204


def test_attendance_as_json_and_with_faults(people, clients):
    organiser = clients["organiser"]
    path = f"/seminars/{people.seminar_no}/attendance"
    rows = [{"register_no": "123,456", "session_no": "1"}, {"register_no": "", "session_no": "9"}]
    upload_id = organiser.post(path, {"rows": rows}).expect(202).json["upload_id"]
    wait_for("the upload", lambda: organiser.upload(upload_id)["status"] == "done")
    page = organiser.get(f"/uploads/{upload_id}/rows").expect(200).json
    assert [row["outcome"] for row in page["items"]] == ["rejected", "rejected"]
    reasons = organiser.get(f"/uploads/{upload_id}/reasons").expect(200).json["items"]
    assert sum(group["rows"] for group in reasons) == 2
    page = organiser.get(f"/uploads/{upload_id}/rows?reason={reasons[0]['reason']}&q=1").expect(200)
    assert {row["reason"] for row in page.json["items"]} <= {reasons[0]["reason"]}
    assert organiser.post(path, {"rows": [{}] * 501}).status == 400
    assert organiser.post("/seminars/NO-SUCH-ONE/attendance", {"rows": rows}).json["code"] == \
        "seminar_unknown"
    refused = organiser.post_attendance(people.seminar_no, b"PK\x03\x04" + bytes(40), "a.xlsx")
    upload_id = refused.expect(202).json["upload_id"]
    upload = wait_for("the refusal", lambda: organiser.upload(upload_id)["status"] == "refused"
                      and organiser.upload(upload_id))
    assert upload["problem"]["code"] == "not_text"


def test_a_dry_run_is_posted_and_a_row_mended(demo, people, clients):
    organiser, doctor = clients["organiser"], people.doctors[0]
    path = f"/seminars/{people.seminar_no}/attendance?dry_run=true"
    rows = {"rows": [{"register_no": "9999999", "session_no": "1",
                      "name_kana": doctor["name_kana"]}]}
    upload_id = organiser.post(path, rows).expect(202).json["upload_id"]
    wait_for("the dry run", lambda: organiser.upload(upload_id)["status"] == "done")
    answer = organiser.post(f"/uploads/{upload_id}/post", {}).expect(202)
    assert answer.json["upload_id"] == upload_id and not answer.json["dry_run"]
    wait_for("the upload", lambda: organiser.upload(upload_id)["status"] == "done")
    assert organiser.post(f"/uploads/{upload_id}/post", {}).expect(409).json["code"] == \
        "upload_not_dry_run"
    row = f"/uploads/{upload_id}/rows/1"
    mended = organiser.request("PATCH", row, {"register_no": doctor["register_no"]}).expect(200)
    assert mended.json["outcome"] in ("posted", "already_posted")
    assert mended.json["fixed"]["cells"] == {"register_no": doctor["register_no"]}
    assert organiser.request("PATCH", row, {}).expect(409).json["code"] == "row_stands"


def test_a_credit_is_cancelled(demo, people, clients, uploaded):
    """The CME credit, which no application of these tests relies on."""
    doctor = demo.person(people.doctors[1]["mamis_no"], PASSWORD)
    credit = doctor.get("/me/credits?programme=CME").expect(200).json["items"][0]
    path = f"/credits/{credit['entry_id']}/cancel"
    assert clients["doctor"].post(path, {"reason": "私ではない"}).status == 403
    done = clients["organiser"].post(path, {"reason": "別の方の受講でした。"}).expect(200).json
    assert (done["entry_id"], done["status"]) == (credit["entry_id"], "cancelled")
    answer = clients["office_l2"].post(path, {"reason": "二度目"}).expect(409)
    assert answer.json["code"] == "credit_cancelled"
    history = doctor.get(f"/me/credits/{credit['entry_id']}").expect(200).json["history"]
    assert [step["action"] for step in history] == ["posted", "cancelled"]
    rows = clients["organiser"].get(f"/uploads/{uploaded['upload_id']}/rows/4/credits")
    assert credit["entry_id"] in [item["entry_id"] for item in rows.expect(200).json["items"]]


def test_an_upload_is_undone(people, clients):
    organiser = clients["organiser"]
    rows = [{"register_no": people.doctors[1]["register_no"], "session_no": "9"}]
    path = f"/seminars/{people.seminar_no}/attendance"
    upload_id = organiser.post(path, {"rows": rows}).expect(202).json["upload_id"]
    wait_for("the upload", lambda: organiser.upload(upload_id)["status"] == "done")
    undone = organiser.post(f"/uploads/{upload_id}/undo", {"reason": "試しの行でした。"})
    assert undone.expect(200).json["status"] == "undone"
    assert organiser.post(f"/uploads/{upload_id}/undo", {"reason": "二度目"}).expect(200).json[
        "undo"]["reason"] == "試しの行でした。"


def apply(demo, people, place):
    """A doctor who can apply does so; gives the client and the application."""
    doctor = demo.person(people.doctors[place]["mamis_no"], PASSWORD)
    wait_for("standing", lambda: any(item["can_apply"] for item in
                                     doctor.get("/me/standing").expect(200).json["items"]))
    if place == 0:
        lines = [{"kind": "OPL-S", "half_units": 4, "last_on": "2025-03-08"}]
        doctor.put("/me/handbook", {"programme": "OP", "lines": lines}).expect(200)
    application = doctor.post("/me/applications", {"programme": "OP"}).expect(201).json
    return doctor, application


def test_application_is_approved(demo, people, clients, uploaded):
    doctor, application = apply(demo, people, 0)
    own = f"/me/applications/{application['application_id']}"
    office = f"/applications/{application['application_id']}"
    doctor.get(own).expect(200)
    l2, l3 = clients["office_l2"], clients["office_l3"]
    l2.get("/applications?limit=1").expect(200)
    l2.get("/applications?status=l2_review").expect(200)
    assert l2.get(office).expect(200).json["doctor"]["register_no"] == \
        people.doctors[0]["register_no"]
    l2.post(office + "/handbook", {"lines": [{"kind": "OPL-S", "half_units": 4}]}).expect(200)
    l2.post(office + "/fee", {"fee": "paid"}).expect(200)
    until = (people.now + datetime.timedelta(days=14)).date().isoformat()
    returned = l2.post(office + "/return", {"reason": "確認のため\n差し戻します。", "until": until})
    assert returned.expect(200).json["return_until"] == until
    doctor.post(own + "/resubmit", {}).expect(200)
    l2.post(office + "/forward", {"override_reason": "確認済み"}).expect(200)
    assert l3.post(office + "/approve", {}).expect(200).json["new_period"] is not None
    assert l3.post(office + "/approve", {}).status == 409
    doctor.get("/me/certificates").expect(200)


def test_application_is_rejected(demo, people, clients, uploaded):
    doctor, application = apply(demo, people, 1)
    office = f"/applications/{application['application_id']}"
    clients["office_l2"].post(office + "/reject", {"reason": "要件を満たしません。"}).expect(200)
    assert doctor.get("/me/applications").expect(200).json["items"][0]["status"] == "rejected_l2"


def test_membership_is_changed_and_ended(people, clients):
    doctor, l1, l2 = clients["doctor"], clients["office_l1"], clients["office_l2"]
    later = (people.now + datetime.timedelta(days=30)).date().isoformat()
    paths = lambda made: (f"/me/procedures/{made['procedure_id']}",  # noqa: E731
                          f"/procedures/{made['procedure_id']}")
    change = doctor.post("/me/procedures", {"kind": "change", "effective_on": later,
                                            "workplace_name": "見本病院"}).expect(201).json
    drafts = "/me/procedure-drafts"
    kept = doctor.put(drafts, {"kind": "transfer", "form": {"depth": 3}}).expect(200).json
    assert doctor.get(drafts).expect(200).json["items"] == [kept]
    assert doctor.put(drafts, {"kind": "transfer", "form": {}}).expect(409).json["code"] == \
        "draft_changed"
    doctor.request("DELETE", f"{drafts}/{kept['draft_id']}").expect(204)
    own, office = paths(change)
    l1.post(office + "/return", {"reason": "住所も\n書いてください。"}).expect(200)
    doctor.post(own + "/resubmit", {"workplace_address": "東京都"}).expect(200)
    doctor.get(own).expect(200)
    l1.get(office).expect(200)
    l1.post(office + "/approve", {}).expect(200)
    own, _ = paths(doctor.post("/me/procedures", {"kind": "withdrawal_l3", "effective_on": later})
                   .expect(201).json)
    doctor.post(own + "/cancel", {}).expect(200)
    doctor.get("/me/procedures").expect(200)
    doctor.get("/me/memberships").expect(200)
    doctor.get("/associations").expect(200)
    assert doctor.get("/me/fees?on=2026-12-01").expect(200).json["items"][0] == {
        "category": "A1", "yen": 126000, "insurance_yen": 0, "waived": False}
    assert l1.get(office + "/fee").expect(200).json["items"][0]["yen"] == 28000
    other = people.doctors[1]
    paper = {"register_no": other["register_no"], "birth_on": other["birth_on"],
             "effective_on": later}
    _, office = paths(l1.post("/procedures", {**paper, "kind": "withdrawal_l3"}).expect(201).json)
    l1.post(office + "/return", {"reason": "日付"}).expect(200)
    l1.post(office + "/resubmit", {"effective_on": later}).expect(200)
    l1.post(office + "/cancel", {}).expect(200)
    _, office = paths(l1.post("/procedures", {**paper, "kind": "withdrawal_all"}).expect(201).json)
    l1.post(office + "/approve", {}).expect(200)
    assert l2.get("/procedures?kind=withdrawal_all&limit=1").expect(200).json["items"]
    l2.post(office + "/confirm", {}).expect(200)
    l2.get("/procedures?waiting=false").expect(200)
    l2.get("/members?on=2026-01-01&limit=1").expect(200)


def test_admission_is_rejected_in_part(demo, people, clients):
    doctor = demo.person(people.outsider["mamis_no"], PASSWORD)
    made = doctor.post("/me/procedures", {
        "kind": "admission", "depth": 2, "l1_code": "13001",
        "effective_on": people.now.date().isoformat()}).expect(201).json
    office = f"/procedures/{made['procedure_id']}"
    clients["office_l1"].post(office + "/wait", {"awaits": "fee"}).expect(200)
    clients["office_l1"].post(office + "/met", {}).expect(200)
    seen = clients["office_l1"].get(office).expect(200).json["version"]
    passed, absent = clients["office_l1"].post("/procedures/bulk-approve", {"items": [
        {"procedure_id": made["procedure_id"], "version": seen},
        {"procedure_id": str(uuid.uuid4()), "version": 1}]}).expect(200).json["items"]
    assert passed["problem"] is None and absent["problem"]["code"] == "not_found"
    answer = clients["office_l2"].post(office + "/reject", {"reason": "要件を満たしません。"})
    assert answer.expect(200).json["stage"] == "partial"


def test_training_goes_on(demo, people, clients):
    trainee = people.trainee
    doctor = demo.person(trainee["mamis_no"], PASSWORD)
    assert doctor.get("/me/training").expect(200).json["ends_on"] == "2030-03-31"
    said = {"reason": "研修を休んでいます。"}
    assert doctor.post("/me/training/dismiss", said).expect(200).json["dismissed_reason"]
    assert clients["doctor"].post("/me/training/dismiss", said).expect(409).json["code"] == \
        "no_trainee"
    paper = {**said, "register_no": trainee["register_no"], "birth_on": trainee["birth_on"]}
    clients["office_l1"].post("/training/dismiss", paper).expect(200)
    answer = clients["office_l1"].post("/training/dismiss",
                                       {**paper, "training_ends_on": "2020-03-31"})
    assert answer.expect(422).json["errors"][0]["pointer"] == "/training_ends_on"


def test_who_looked(people, clients):
    number = people.doctors[0]["mamis_no"]
    assert clients["office_l1"].get(f"/doctors/{number}").expect(200).json["mamis_no"] == number
    assert clients["auditor"].get(f"/doctors/{number}").expect(422).json["code"] == "reason_required"
    clients["doctor"].get("/me/reads?limit=1").expect(200)
    page = clients["auditor"].get(f"/reads?mamis_no={number}&limit=1").expect(200).json
    assert page["items"][0]["operation"] == "get_doctor"


def test_tokens_of_ones_own_programs(demo, clients):
    organiser = clients["organiser"]
    made = organiser.post("/tokens", {"label": "契約の試験", "days": 30}).expect(201).json
    demo.client(token=made["token"]).get("/uploads?limit=1").expect(200)
    listed = organiser.get("/tokens").expect(200).json["items"]
    assert made["token_id"] in [token["token_id"] for token in listed]
    organiser.request("DELETE", f"/tokens/{made['token_id']}").expect(204)
    assert demo.client(token=made["token"]).get("/uploads").status == 401


def test_staff_is_invited_and_ended(people, clients):
    l2 = clients["office_l2"]
    person = {"name": "契約　担当", "email": f"staff{people.digits(6)}@example.jp",
              "role": "office_l2", "administrator": False, "unused_days": 30}
    made = l2.post("/staff", person).expect(201).json
    assert made["status"] == "invited"
    path = f"/staff/{made['account_id']}"
    l2.post(path + "/invite", {}).expect(200)
    assert l2.post(path + "/suspend", {"reason": "休職"}).expect(200).json["status"] == "suspended"
    assert l2.post(path + "/restore", {}).expect(200).json["status"] == "invited"
    assert l2.post(path + "/end", {"reason": "退職"}).expect(200).json["status"] == "ended"
    assert l2.post(path + "/restore", {}).expect(409).json["code"] == "state_conflict"
    assert "ended" in [one["status"] for one in l2.get("/staff?limit=500").expect(200).json["items"]]


def test_records_are_merged_by_two(demo, people, clients):
    """Of three proposals one is taken back, one declined, one confirmed."""
    officer, other = clients["office_l3"], demo.person(*people.second_officer.values())
    kept, closed, third = [doctor["register_no"] for doctor in people.thrice]
    pair = {"keep_register_no": kept, "close_register_no": closed}
    assert officer.post("/merges/comparison", pair).expect(200).json["keep"]["register_no"] == kept

    def propose(closing):
        body = {**pair, "close_register_no": closing, "reason": "契約の試験"}
        return "/merges/" + officer.post("/merges", body).expect(201).json["merge_id"]

    officer.post(propose(third) + "/withdraw", {}).expect(200)
    other.post(propose(third) + "/decline", {"reason": "別の人です。"}).expect(200)
    number = officer.post(f"/doctors/{people.thrice[0]['mamis_no']}/register-number",
                          {"register_no": "8899123", "licensed_on": "2020-04-01",
                           "reason": "契約の試験"}).expect(201).json
    officer.post(f"/merges/{number['merge_id']}/withdraw", {}).expect(200)
    proposed = propose(closed)
    assert other.get(proposed).expect(200).json["state"] == "open"
    assert other.post(proposed + "/confirm", {"reason": "確かめました。"}
                      ).expect(200).json["state"] == "confirmed"


def test_slow_commands_are_asked_for_later(demo, people, clients):
    """The worker stands still, so the answer is 202; then the operation tells how it ended."""
    doctor = clients["doctor"]
    pids = demo.pids("renewal")
    assert pids, "the copy has no renewal process"
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        answer = doctor.put("/me/handbook", {"programme": "OP", "lines": []}).expect(202)
        operation_id = answer.json["operation_id"]
        assert answer.headers["Location"] == f"/api/v1/operations/{operation_id}"
        pending = doctor.get(f"/operations/{operation_id}").expect(200).json
        assert pending["status"] == "pending"
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    wait_for("the operation", lambda: doctor.get(f"/operations/{operation_id}").expect(200)
             .json["status"] != "pending")
    assert clients["organiser"].get(f"/operations/{operation_id}").status == 404


def test_programs_of_organisers(demo, people):
    """A token posts and reads, and does nothing else."""
    token = demo.about["organiser_token"]
    program = demo.client(token=token)
    sample = demo.about["sample"]
    program.get(f"/uploads/{sample['upload_id']}").expect(200)
    program.get(f"/seminars/{urllib.parse.quote(sample['seminar_no'])}").expect(200)
    for operation in OTHERS:
        action = CONTRACT.access["actions"][operation.node["x-action"]]
        if not action.get("tokens"):
            assert send(program, operation, empty_body(operation)).status == 403, operation.id
    assert demo.client(token="no-such-token").get("/uploads").status == 401


@pytest.mark.parametrize("service", ["gateway", "registration", "credit", "renewal",
                                     "notification"])
def test_admin_ports_tell_how_it_goes(demo, service):
    import http.client  # only here: these addresses are no part of openapi.yaml

    urls = [url for name, url in demo.about["admin_urls"].items() if name.startswith(service)]
    assert urls
    for url in urls:
        parts = urllib.parse.urlsplit(url)
        for path in ("/livez", "/readyz", "/metrics"):
            link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
            link.request("GET", path)
            assert link.getresponse().status == 200, path
            link.close()


def test_every_operation_gave_a_good_answer(demo):
    """Stands last: the tests above have gone every good way."""
    missing = demo.coverage.without_good_answer()
    assert not missing, json.dumps(missing)
