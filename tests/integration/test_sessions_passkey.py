"""Passkeys by the API, with an authenticator in software; shares test_sessions.py's copy."""

import pytest

from authenticator import PRESENT, RS256, VERIFIED, Passkey
from stack import PASSWORD


@pytest.fixture(scope="module")
def doctors(stack):
    """MAMIS numbers of doctors nobody used yet."""
    with stack.sql() as cursor:
        cursor.execute("SELECT mamis_no FROM registration.doctor WHERE my_page = 'active'"
                       " ORDER BY doctor_id LIMIT 50 OFFSET 400")
        return iter([row[0] for row in cursor.fetchall()])


@pytest.fixture
def doctor(stack, doctors):
    client = stack.client()
    client.login_id = next(doctors)
    return client.sign_in(client.login_id, PASSWORD)


def code(answer, status):
    return answer.expect(status).json["code"]


def follow(client, answer, status=200):
    client.cookie = answer.expect(status).headers["Set-Cookie"].split(";")[0]
    client.csrf = answer.json["csrf_token"]
    return answer.json


def register(client, passkey=None):
    passkey = passkey or Passkey(client.origin)
    options = client.post("/me/passkeys/options").expect(200).json
    added = follow(client, client.post("/me/passkeys", passkey.made(options)))
    return passkey, added["recovery_codes"]


def ask(stack):
    return stack.client().post("/session/passkey/challenge").expect(200).json


@pytest.mark.parametrize("algorithm", [-7, RS256])
def test_a_passkey_signs_in_alone(stack, doctor, algorithm):
    other = stack.client().sign_in(doctor.login_id, PASSWORD)
    passkey, recovery = register(doctor, Passkey(doctor.origin, algorithm))
    assert len(recovery) == 10
    other.get("/me").expect(401)
    known = doctor.get("/me/second-factor").expect(200).json["passkeys"]
    assert [item["label"] for item in known] == ["試験"] and known[0]["used_at"] is None
    client = stack.client()
    session = follow(client, client.post("/session/passkey", passkey.signed(ask(stack))), 201)
    assert session["next"] == "" and session["account"]["login_id"] == doctor.login_id
    client.get("/me/credits").expect(200)
    assert doctor.get("/me/second-factor").json["passkeys"][0]["used_at"]
    # With a password a second factor is wanted from now on.
    assert stack.client().sign_in(doctor.login_id, PASSWORD).session["next"] == "second_factor"


def test_a_passkey_is_a_second_factor_and_a_proof(stack, doctor):
    passkey, _ = register(doctor)
    client = stack.client().sign_in(doctor.login_id, PASSWORD)
    challenge = client.post("/me/passkeys/challenge").expect(200).json
    assert len(challenge["credentials"]) == 1
    proof = passkey.signed(challenge)
    follow(client, client.post("/session/second-factor/passkey", proof))
    client.get("/me/credits").expect(200)
    assert code(client.post("/session/second-factor/passkey", proof), 409) == "step_order"
    before = client.cookie
    challenge = client.post("/me/passkeys/challenge").expect(200).json
    follow(client, client.post("/me/reauthentication/passkey", passkey.signed(challenge)))
    assert client.cookie != before


def test_a_pending_session_adds_no_passkey(stack, doctor):
    passkey, _ = register(doctor)
    client = stack.client().sign_in(doctor.login_id, PASSWORD)
    options = client.post("/me/passkeys/options").expect(200).json
    mine = Passkey(client.origin)
    assert code(client.post("/me/passkeys", mine.made(options)), 403) == "second_factor_step"
    assert passkey


def test_a_proof_counts_once(stack, doctor):
    passkey, _ = register(doctor)
    challenge = ask(stack)
    proof = passkey.signed(challenge)
    stack.client().post("/session/passkey", proof).expect(201)
    assert code(stack.client().post("/session/passkey", proof), 401) == "passkey_failed"
    # The same challenge, signed anew.
    assert code(stack.client().post("/session/passkey", passkey.signed(challenge)), 401) == \
        "passkey_failed"


def test_what_does_not_fit_is_refused(stack, doctor, doctors):
    passkey, _ = register(doctor)
    stranger = stack.client().sign_in(next(doctors), PASSWORD)
    wrong = [
        lambda challenge: passkey.signed(challenge, flags=PRESENT),
        lambda challenge: passkey.signed(challenge, flags=VERIFIED),
        lambda challenge: passkey.signed(challenge, rp_id="evil.example"),
        lambda challenge: passkey.signed(challenge, kind="webauthn.create"),
        lambda challenge: passkey.signed(challenge, origin="https://evil.example"),
        lambda challenge: passkey.signed(challenge, crossOrigin=True),
        lambda challenge: passkey.signed({**challenge, "challenge": challenge["challenge"][:-2]}),
        lambda challenge: {**passkey.signed(challenge), "signature": "AAAA"},
        lambda challenge: {**passkey.signed(challenge), "authenticator_data": "AAAA"},
        lambda challenge: {**passkey.signed(challenge), "client_data": "AAAA"},
        lambda challenge: {**Passkey(doctor.origin).signed(challenge)},
    ]
    for at, make in enumerate(wrong):
        answer = stack.client().post("/session/passkey", make(ask(stack)))
        assert code(answer, 401) == "passkey_failed", at
    # A challenge for something else, or for somebody else.
    own = doctor.post("/me/passkeys/challenge").expect(200).json
    assert code(stack.client().post("/session/passkey", passkey.signed(own)), 401) == \
        "passkey_failed"
    assert code(doctor.post("/me/reauthentication/passkey", passkey.signed(ask(stack))), 401) == \
        "passkey_failed"
    assert code(stranger.post("/me/passkeys/challenge"), 409) == "second_factor_none"
    assert code(stranger.post("/me/reauthentication/passkey", passkey.signed(own)), 401) == \
        "passkey_failed"
    # A copied authenticator: its counter does not grow.
    stack.client().post("/session/passkey", passkey.signed(ask(stack))).expect(201)
    passkey.count -= 1
    assert code(stack.client().post("/session/passkey", passkey.signed(ask(stack))), 401) == \
        "passkey_failed"


def test_what_does_not_fit_is_not_registered(stack, doctor, doctors):
    stranger = stack.client().sign_in(next(doctors), PASSWORD)
    options = doctor.post("/me/passkeys/options").expect(200).json
    assert options["rp_id"] == "localhost" and options["user_name"] == doctor.login_id
    passkey = Passkey(doctor.origin)
    theirs = stranger.post("/me/passkeys/options").expect(200).json
    for body in (passkey.made(options, flags=PRESENT | 0x40), passkey.made(theirs),
                 passkey.made(options, origin="https://evil.example"),
                 passkey.made({**options, "rp_id": "evil.example"}),
                 {**passkey.made(options), "public_key": "AAAA"},
                 {**passkey.made(options), "algorithm": RS256},
                 passkey.made(options, flags=PRESENT | VERIFIED)):
        assert code(doctor.post("/me/passkeys", body), 422) == "passkey_bad"
    follow(doctor, doctor.post("/me/passkeys", passkey.made(options)))
    again = doctor.post("/me/passkeys/options").expect(200).json
    assert len(again["credentials"]) == 1
    assert code(doctor.post("/me/passkeys", passkey.made(again)), 409) == "passkey_exists"


def test_removing_and_suspending(stack, doctor, doctors):
    passkey, _ = register(doctor)
    second, codes = register(doctor)
    assert codes == []  # the first ones still count
    ids = [item["passkey_id"] for item in doctor.get("/me/second-factor").json["passkeys"]]
    stranger = stack.client().sign_in(next(doctors), PASSWORD)
    assert code(stranger.request("DELETE", f"/me/passkeys/{ids[0]}"), 404) == "not_found"
    doctor.request("DELETE", f"/me/passkeys/{ids[0]}").expect(204)
    assert code(stack.client().post("/session/passkey", passkey.signed(ask(stack))), 401) == \
        "passkey_failed"
    stack.client().post("/session/passkey", second.signed(ask(stack))).expect(201)
    assert doctor.get("/me/second-factor").json["recovery_codes_left"] == 10
    doctor.request("DELETE", f"/me/passkeys/{ids[1]}").expect(204)
    assert doctor.get("/me/second-factor").json["recovery_codes_left"] == 0
    assert stack.client().sign_in(doctor.login_id, PASSWORD).session["next"] == ""


def test_a_passkey_gets_in_while_others_guess(stack, doctor):
    passkey, _ = register(doctor)
    for _ in range(5):
        stack.client().post("/session", {"login_id": doctor.login_id, "password": "wrong"})
    assert stack.client().post("/session", {"login_id": doctor.login_id,
                                            "password": PASSWORD}).status == 429
    stack.client().post("/session/passkey", passkey.signed(ask(stack))).expect(201)
