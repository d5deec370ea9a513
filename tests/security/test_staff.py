"""Accounts of staff: invited, suspended, restored, ended by an administrator of their own association;
expired when nobody used them. And the tokens of organisers' programs."""
import itertools

import pytest

from people import PASSWORD, wait_for
from running.api import ApiError

numbers = itertools.count(1)


def person(role="office_l2", **given):
    return {"name": "見本　担当", "email": f"desk{next(numbers)}@example.jp", "role": role,
            "administrator": False, "unused_days": 30, **given}


@pytest.fixture
def l2(home):
    return home.clients["office_l2"]


def invited(stack, people, client, **given):
    """An account whose invitation was used: (its object, its person signed in)."""
    wanted = person(**given)
    made = client.post("/staff", wanted).expect(201).json
    assert made["status"] == "invited" and made["email"] == wanted["email"]
    link = people.mailed_link(wanted["email"])
    public = stack.client()
    assert public.post("/links", {"link": link}).expect(200).json == {"purpose": "staff_invite",
                                                                     "next": "password"}
    public.post("/links", {"link": link, "password": PASSWORD}).expect(200)
    assert public.post("/links", {"link": link, "password": PASSWORD}).json["code"] == "link_used"
    return made, stack.client().sign_in(made["login_id"], PASSWORD)


@pytest.fixture(scope="module")
def mailed(home):
    """Reads mails of the copy."""
    return home.people


def test_somebody_is_invited_and_signs_in(stack, home, away, mailed, l2):
    made, desk = invited(stack, mailed, l2)
    me = desk.get("/me").expect(200).json["account"]
    assert (me["role"], me["l2_code"], me["administrator"]) == ("office_l2", "13", False)
    desk.get("/applications").expect(200)
    assert desk.get("/staff").expect(403).json["code"] == "administrator_only"
    wait_for("the confirmed address", lambda: stack.one(
        "SELECT email_confirmed FROM registration.account WHERE account_id = %s",
        (made["account_id"],))[0])
    stack.client().sign_in(made["email"], PASSWORD)
    listed = {one["account_id"]: one for one in l2.get("/staff?limit=500").json["items"]}
    assert listed[made["account_id"]]["status"] == "active"
    assert listed[made["account_id"]]["used_at"]
    assert l2.post(f"/staff/{made['account_id']}/invite", {}).expect(409)


def test_suspended_restored_ended(stack, home, away, mailed, l2):
    made, desk = invited(stack, mailed, l2)
    path = f"/staff/{made['account_id']}"
    suspended = l2.post(path + "/suspend", {"reason": "休職のため"}).expect(200).json
    assert (suspended["status"], suspended["reason"]) == ("suspended", "休職のため")
    assert desk.get("/me").status == 401, "the session goes on"
    with pytest.raises(ApiError):
        stack.client().sign_in(made["login_id"], PASSWORD)
    assert l2.post(path + "/restore", {}).expect(200).json["status"] == "active"
    desk = stack.client().sign_in(made["login_id"], PASSWORD)
    assert l2.post(path + "/end", {"reason": "退職のため"}).expect(200).json["status"] == "ended"
    assert desk.get("/me").status == 401
    assert l2.post(path + "/restore", {}).expect(409).json["code"] == "state_conflict"
    own = l2.get("/me").json["account"]["id"]
    for what in ("suspend", "end"):
        answer = l2.post(f"/staff/{own}/{what}", {"reason": "自分"}).expect(409)
        assert answer.json["code"] == "staff_self"


def test_an_invitation_of_an_account_that_ended_opens_nothing(stack, home, away, mailed, l2):
    wanted = person()
    made = l2.post("/staff", wanted).expect(201).json
    link = mailed.mailed_link(wanted["email"])
    l2.post(f"/staff/{made['account_id']}/end", {"reason": "誤って招待"}).expect(200)
    answer = stack.client().post("/links", {"link": link, "password": PASSWORD})
    assert answer.json["code"] == "link_invalid"


def test_who_invites_whom(stack, home, away):
    refused = [("office_l2", "office_l1"), ("office_l2", "office_l3"), ("office_l1", "office_l2"),
               ("organiser", "admin"), ("office_l3", "auditor"), ("office_l3", "admin")]
    for maker, role in refused:
        answer = home.clients[maker].post("/staff", person(role))
        assert answer.expect(409).json["code"] == "staff_role", (maker, role)
    made = home.clients["office_l3"].post("/staff", person("call_centre")).expect(201).json
    assert made["role"] == "call_centre"
    admin = home.clients["admin"]
    made = admin.post("/staff", person("office_l2", code="27", administrator=True)).expect(201).json
    assert made["administrator"] and made["office_name"].startswith("大阪府医師会")
    for code in ({"code": "99"}, {}):
        answer = admin.post("/staff", person("office_l2", **code)).expect(422, 400)
        assert answer.json["errors"][0]["pointer"] == "/code"
    # What an association says of another's code counts nothing: the account is its own.
    made = home.clients["office_l2"].post("/staff", person("office_l2", code="27")).expect(201).json
    assert made["office_name"].startswith("東京都医師会")


def test_an_account_that_nobody_uses_expires(stack, home, away, mailed, l2):
    made, desk = invited(stack, mailed, l2, unused_days=1)
    kept, _ = invited(stack, mailed, l2, unused_days=3)
    with stack.sql() as cursor:
        cursor.execute("UPDATE gateway.staff_use SET used_at = used_at - interval '2 days'"
                       " WHERE account_id IN (%s, %s)", (made["account_id"], kept["account_id"]))
        cursor.execute("UPDATE registration.staff SET made_at = made_at - interval '2 days'"
                       " WHERE account_id IN (%s, %s)", (made["account_id"], kept["account_id"]))
    service, _ = stack.another_gateway()  # looks when it starts, then once a minute

    def status(account):
        listed = l2.get("/staff?limit=500").expect(200).json["items"]
        return next(one["status"] for one in listed if one["account_id"] == account["account_id"])

    try:
        wait_for("the end of the unused one", lambda: status(made) == "expired")
    finally:
        service.stop()
    assert status(kept) == "active"
    assert desk.get("/me").status == 401
    l2.post(f"/staff/{made['account_id']}/restore", {}).expect(200)
    stack.client().sign_in(made["login_id"], PASSWORD)


def test_who_manages_staff_or_tokens_proves_who_they_are(stack, home, l2):
    clients = (l2, home.clients["organiser"])
    with stack.sql() as cursor:
        cursor.execute("UPDATE gateway.session SET proved_at = proved_at - interval '16 minutes'"
                       " WHERE csrf = ANY (%s)", ([one.csrf for one in clients],))
    some = "00000000-0000-4000-8000-000000000000"
    try:
        for client, method, path, body in (
                (l2, "POST", "/staff", person()), (l2, "POST", f"/staff/{some}/invite", {}),
                (l2, "POST", f"/staff/{some}/suspend", {"reason": "x"}),
                (l2, "POST", f"/staff/{some}/restore", {}),
                (l2, "POST", f"/staff/{some}/end", {"reason": "x"}),
                (clients[1], "POST", "/tokens", {"label": "x", "days": 30}),
                (clients[1], "DELETE", f"/tokens/{some}", None)):
            answer = client.request(method, path, body).expect(403)
            assert answer.json["code"] == "reauthentication_needed", path
        for client, path in ((l2, "/staff"), (clients[1], "/tokens")):
            client.get(path).expect(200)  # looking at the list is no change
    finally:
        with stack.sql() as cursor:
            cursor.execute("UPDATE gateway.session SET proved_at = proved_at + interval '16 minutes'"
                           " WHERE csrf = ANY (%s)", ([one.csrf for one in clients],))


def test_tokens_are_shown_once_and_revoked(stack, home, away):
    organiser = home.clients["organiser"]
    made = organiser.post("/tokens", {"label": "研修会ソフト", "days": 30}).expect(201).json
    program = stack.client(token=made["token"])
    program.get(f"/uploads/{home.ids['upload_id']}").expect(200)
    program.get("/tokens").expect(403)
    listed = organiser.get("/tokens").expect(200)
    assert made["token"] not in listed.body.decode()
    assert made["token_id"] in {one["token_id"] for one in listed.json["items"]}
    away.clients["organiser"].request("DELETE", f"/tokens/{made['token_id']}").expect(404)
    for _ in range(2):
        organiser.request("DELETE", f"/tokens/{made['token_id']}").expect(204)
    assert program.get("/uploads").status == 401


def test_there_may_be_so_many_tokens(stack, away):
    organiser = away.clients["organiser"]
    good = sum(one["revoked_at"] is None for one in organiser.get("/tokens").json["items"])
    for number in range(20 - good):
        organiser.post("/tokens", {"label": f"{number}", "days": 1}).expect(201)
    answer = organiser.post("/tokens", {"label": "もう一つ", "days": 1}).expect(409)
    assert answer.json["code"] == "tokens_most"
