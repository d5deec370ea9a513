"""Second factors, one's own sessions, proving again who one is; shares test_sessions.py's copy."""

import concurrent.futures
import subprocess

import pytest

from running.process import Failure, wait_for
from stack import PASSWORD
from test_sessions import redis_killed
from totp import code_at, step_now


@pytest.fixture(scope="module")
def doctors(stack):
    """MAMIS numbers of doctors nobody used yet."""
    with stack.sql() as cursor:
        cursor.execute("SELECT mamis_no FROM registration.doctor WHERE my_page = 'active'"
                       " ORDER BY doctor_id LIMIT 100 OFFSET 100")
        return iter([row[0] for row in cursor.fetchall()])


@pytest.fixture
def doctor(stack, doctors):
    client = stack.client()
    client.login_id = next(doctors)
    return client.sign_in(client.login_id, PASSWORD)


def now(stack, shift=0):
    return step_now(stack.copy.now_offset_us(), shift)


def code(answer, status):
    return answer.expect(status).json["code"]


def field(answer):
    error = answer.expect(422).json["errors"][0]
    return error["pointer"], error["code"]


def follow(client, answer, status=200):
    """Take over the cookie and token of a session that was renewed."""
    client.cookie = answer.expect(status).headers["Set-Cookie"].split(";")[0]
    client.csrf = answer.json["csrf_token"]
    return answer.json


def enrol(stack, client):
    """An authenticator app; its secret and the recovery codes."""
    made = client.post("/me/second-factor/totp").expect(201).json
    answer = client.post("/me/second-factor/totp/confirmation",
                         {"code": code_at(made["secret"], now(stack))})
    return made["secret"], follow(client, answer)["recovery_codes"]


def forget_used(stack, login_id):
    """As if time had passed: every step's code is new again."""
    with stack.sql() as cursor:
        cursor.execute("UPDATE gateway.totp SET last_step = 0 WHERE account_id ="
                       " (SELECT account_id FROM gateway.credential WHERE login_id = %s)",
                       (login_id,))


def age_proof(stack, client, minutes=16):
    """As if the person had signed in some minutes ago."""
    with stack.sql() as cursor:
        cursor.execute("UPDATE gateway.session SET proved_at = proved_at - make_interval(mins => %s)"
                       " WHERE csrf = %s", (minutes, client.csrf))
        assert cursor.rowcount == 1


# ---- authenticator app and recovery codes ----

def test_a_second_factor_from_end_to_end(stack, doctor):
    assert doctor.get("/me/second-factor").expect(200).json == {
        "required": False, "totp_since": None, "recovery_codes_left": 0, "passkeys": []}
    made = doctor.post("/me/second-factor/totp").expect(201).json
    assert made["uri"].startswith(f"otpauth://totp/MAMIS:{doctor.login_id}?secret={made['secret']}&")
    assert len(made["qr"]) == len(made["qr"][0])
    # Not in use before it was confirmed.
    assert stack.client().sign_in(doctor.login_id, PASSWORD).session["next"] == ""
    wrong = {"code": code_at(made["secret"], now(stack, 40))}
    assert field(doctor.post("/me/second-factor/totp/confirmation", wrong)) == ("/code", "code_wrong")
    other = stack.client().sign_in(doctor.login_id, PASSWORD)
    secret, recovery = enrol(stack, doctor)
    assert len(set(recovery)) == 10
    assert secret != made["secret"]  # asking again makes a new one
    other.get("/me").expect(401)  # others ended, this one goes on
    told = doctor.get("/me/second-factor").expect(200).json
    assert told["totp_since"] and told["recovery_codes_left"] == 10
    assert code(doctor.post("/me/second-factor/totp"), 409) == "second_factor_exists"
    # What stands in the database opens nothing.
    sealed, = stack.one("SELECT sealed FROM gateway.totp WHERE account_id ="
                        " (SELECT account_id FROM gateway.credential WHERE login_id = %s)",
                        (doctor.login_id,))
    assert secret.encode() not in bytes(sealed)

    client = stack.client().sign_in(doctor.login_id, PASSWORD)
    pending = client.cookie
    assert client.session["next"] == "second_factor"
    assert client.get("/me").expect(200).json["next"] == "second_factor"
    refused = client.get("/me/credits").expect(403).json
    assert (refused["code"], refused["next"]) == ("second_factor_step", "second_factor")
    assert code(client.get("/me/sessions"), 403) == "second_factor_step"
    assert code(client.put("/me/password", {"current_password": PASSWORD, "password": "x" * 20}),
                403) == "second_factor_step"
    assert code(client.post("/me/second-factor/totp"), 403) == "second_factor_step"
    # The code that confirmed the app was used.
    used = {"code": code_at(secret, now(stack))}
    assert field(client.post("/session/second-factor", used)) == ("/code", "code_wrong")
    new = code_at(secret, now(stack, 1))
    follow(client, client.post("/session/second-factor", {"code": f" {new[:3]} {new[3:]} "}))
    assert client.cookie != pending
    client.get("/me/credits").expect(200)
    stale = stack.client()
    stale.cookie = pending
    stale.get("/me").expect(401)
    assert code(client.post("/session/second-factor", {"code": new}), 409) == "step_order"


def test_a_recovery_code_opens_once(stack, doctor):
    _, recovery = enrol(stack, doctor)
    client = stack.client().sign_in(doctor.login_id, PASSWORD)
    shown = recovery[0].lower().replace("-", " ")
    follow(client, client.post("/session/second-factor", {"code": shown}))
    assert client.get("/me/second-factor").json["recovery_codes_left"] == 9
    again = stack.client().sign_in(doctor.login_id, PASSWORD)
    assert field(again.post("/session/second-factor", {"code": shown})) == ("/code", "code_wrong")
    # New ones end the old ones.
    fresh = client.post("/me/second-factor/recovery-codes").expect(201).json["recovery_codes"]
    assert not set(fresh) & set(recovery)
    assert field(again.post("/session/second-factor", {"code": recovery[1]}))[1] == "code_wrong"
    follow(again, again.post("/session/second-factor", {"code": fresh[0]}))


def test_a_code_given_many_times_at_once_opens_one_session(stack, doctor):
    secret, _ = enrol(stack, doctor)
    forget_used(stack, doctor.login_id)
    clients = [stack.client().sign_in(doctor.login_id, PASSWORD) for _ in range(4)]
    body = {"code": code_at(secret, now(stack))}
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(lambda client: client.post("/session/second-factor",
                                                               body).status, clients))
    assert sorted(statuses) == [200, 422, 422, 422]


def test_guessed_codes_are_slowed(stack, doctor):
    enrol(stack, doctor)
    client = stack.client().sign_in(doctor.login_id, PASSWORD)
    statuses = [client.post("/session/second-factor", {"code": f"{i:06d}"}).status
                for i in range(7)]
    assert statuses[0] == 422 and statuses[-1] == 429
    stack.copy.redis.command("FLUSHALL")
    assert code(client.post("/session/second-factor", {"code": "000000"}), 429) == \
        "sign_in_throttled"
    # The password's own count is another one.
    stack.client().sign_in(doctor.login_id, PASSWORD)


def test_codes_guessed_at_once_are_no_more_guesses(stack, doctor):
    enrol(stack, doctor)
    client = stack.client().sign_in(doctor.login_id, PASSWORD)
    with concurrent.futures.ThreadPoolExecutor(15) as threads:
        statuses = list(threads.map(lambda i: client.post("/session/second-factor",
                                                          {"code": f"{i:06d}"}).status, range(15)))
    assert set(statuses) == {422, 429} and statuses.count(422) == 5
    # The call centre sees this wait too, and lifts it.
    desk = stack.staff_client("call_centre")
    found, = desk.get(f"/desk/accounts?number={doctor.login_id}").expect(200).json["items"]
    assert found["wait_s"] > 0
    desk.post(f"/desk/accounts/{found['account_id']}/unlock", {"reason": "電話"}).expect(200)
    assert client.post("/session/second-factor", {"code": "000000"}).status == 422


def test_removing_it(stack, doctor):
    secret, recovery = enrol(stack, doctor)
    age_proof(stack, doctor)
    assert code(doctor.request("DELETE", "/me/second-factor/totp"), 403) == \
        "reauthentication_needed"
    follow(doctor, doctor.post("/me/reauthentication", {"code": recovery[9]}))
    doctor.request("DELETE", "/me/second-factor/totp").expect(204)
    assert code(doctor.request("DELETE", "/me/second-factor/totp"), 404) == "not_found"
    assert doctor.get("/me/second-factor").json["recovery_codes_left"] == 0
    assert code(doctor.post("/me/second-factor/recovery-codes"), 409) == "second_factor_none"
    assert stack.client().sign_in(doctor.login_id, PASSWORD).session["next"] == ""
    assert secret


def test_an_operator_takes_away_what_was_lost(stack, doctor):
    enrol(stack, doctor)
    assert stack.client().sign_in(doctor.login_id, PASSWORD).session["next"] == "second_factor"
    stack.copy.mamisctl("account", "reset-second-factor", "--login", doctor.login_id)
    doctor.get("/me").expect(401)
    assert stack.client().sign_in(doctor.login_id, PASSWORD).session["next"] == ""
    with pytest.raises(Failure, match="no login"):
        stack.copy.mamisctl("account", "reset-second-factor", "--login", "nobody-at-all")


def kept(stack, login_id):
    with stack.sql() as cursor:
        cursor.execute("SELECT h.action, h.by_owner FROM gateway.factor_history h"
                       " JOIN gateway.credential USING (account_id) WHERE login_id = %s"
                       " ORDER BY entry_no", (login_id,))
        return cursor.fetchall()


def test_what_is_done_to_second_factors_is_kept(stack, doctor):
    _, recovery = enrol(stack, doctor)
    doctor.post("/me/second-factor/recovery-codes").expect(201)
    doctor.request("DELETE", "/me/second-factor/totp").expect(204)
    enrol(stack, doctor)
    stack.copy.mamisctl("account", "reset-second-factor", "--login", doctor.login_id)
    assert len(recovery) == 10
    assert kept(stack, doctor.login_id) == [
        ("totp_added", True), ("recovery_codes", True), ("totp_removed", True),
        ("totp_added", True), ("reset", False)]
    # Linked like every history, and among what its owner may take along.
    assert stack.one("SELECT count(*) FROM gateway.chain_rows WHERE relation = 'gateway.factor_history'")[0]
    again = stack.client().sign_in(doctor.login_id, PASSWORD)
    sections = again.get("/me/export.json").expect(200).json["sections"]
    assert [(one["action"], one["by_owner"]) for one in sections["second_factor_history"]] == \
        kept(stack, doctor.login_id)


def test_staff_must_have_one_where_it_is_required(stack):
    service, address = None, None
    port = stack.copy.port("gateway-http-3")
    service = stack.copy.service("gateway", 3, {"http_port": port, "second_factor_staff": "required",
                                                "http_hosts": f"127.0.0.1:{port}"})
    service.start()
    try:
        service.wait_ready()
        address = f"http://127.0.0.1:{port}"
        staff = stack.staff_client("auditor")
        assert staff.session["next"] == ""  # optional in this copy
        login_id = staff.session["account"]["login_id"]
        client = type(staff)(address).sign_in(login_id, PASSWORD)
        assert client.session["next"] == "second_factor"
        assert code(client.get("/applications"), 403) == "second_factor_step"
        assert client.get("/me/second-factor").expect(200).json["required"] is True
        secret, recovery = enrol(stack, client)
        client.get("/applications").expect(200)
        assert code(client.request("DELETE", "/me/second-factor/totp"), 409) == "second_factor_last"
        assert len(recovery) == 10 and secret
        doctor_no = stack.one("SELECT mamis_no FROM registration.doctor WHERE my_page = 'active'"
                              " ORDER BY doctor_id LIMIT 1 OFFSET 99")[0]
        assert type(staff)(address).sign_in(doctor_no, PASSWORD).session["next"] == ""
    finally:
        service.process.kill()


def test_production_takes_nothing_but_required(stack):
    service = stack.copy.service("gateway", 4, {"env": "production", "now_offset_us": 0})
    done = subprocess.run([service.program, "--settings", service.settings], check=False, text=True,
                          capture_output=True, timeout=20)
    assert done.returncode != 0
    assert "second_factor_staff: production wants required" in done.stdout + done.stderr


def test_all_of_it_works_without_redis(stack, doctor):
    secret, _ = enrol(stack, doctor)
    with redis_killed(stack):
        client = stack.client().sign_in(doctor.login_id, PASSWORD)
        follow(client, client.post("/session/second-factor", {"code": code_at(secret, now(stack, 1))}))
        assert len(client.get("/me/sessions").expect(200).json["items"]) == 2
        follow(client, client.post("/me/reauthentication", {"password": PASSWORD}))
        client.request("DELETE", "/me/sessions").expect(204)
        doctor.get("/me").expect(401)
    wait_for(lambda: stack.copy.redis.command("PING") == b"+PONG\r\n", 10, "Redis")
    doctor.get("/me").expect(401)
    client.get("/me").expect(200)


# ---- one's own sessions ----

def test_sessions_are_listed_and_ended(stack, doctor, doctors):
    agent = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
             " Chrome/142.0.0.0 Safari/537.36")
    windows = stack.client()
    follow(windows, windows.request("POST", "/session", {"login_id": doctor.login_id,
                                                         "password": PASSWORD},
                                    {"User-Agent": agent}), 201)
    third = stack.client().sign_in(doctor.login_id, PASSWORD)
    items = doctor.get("/me/sessions").expect(200).json["items"]
    assert [item["current"] for item in items] == [True, False, False]
    assert "Chrome, Windows" in [item["device"] for item in items]
    stranger = stack.client().sign_in(next(doctors), PASSWORD)
    theirs = next(item for item in items if item["device"] == "Chrome, Windows")["session_id"]
    assert code(stranger.request("DELETE", f"/me/sessions/{theirs}"), 404) == "not_found"
    windows.get("/me").expect(200)
    age_proof(stack, doctor)
    assert code(doctor.request("DELETE", f"/me/sessions/{theirs}"), 403) == \
        "reauthentication_needed"
    follow(doctor, doctor.post("/me/reauthentication", {"password": PASSWORD}))
    doctor.request("DELETE", f"/me/sessions/{theirs}").expect(204)
    windows.get("/me").expect(401)
    third.get("/me").expect(200)
    doctor.request("DELETE", "/me/sessions").expect(204)
    third.get("/me").expect(401)
    own = doctor.get("/me/sessions").json["items"]
    assert len(own) == 1
    gone = doctor.request("DELETE", f"/me/sessions/{own[0]['session_id']}").expect(204)
    assert "Max-Age=0" in gone.headers["Set-Cookie"]
    doctor.get("/me").expect(401)


def test_limits_are_those_of_the_role(stack, doctor):
    staff = stack.staff_client("call_centre")
    for client, idle_minutes, hours in ((doctor, 30, 12), (staff, 15, 8)):
        row = stack.one("SELECT extract(epoch FROM idle_expires_at - seen_at)::int,"
                        " extract(epoch FROM expires_at - created_at)::int FROM gateway.session"
                        " WHERE csrf = %s", (client.csrf,))
        assert row == (idle_minutes * 60, hours * 3600)
    for column in ("idle_expires_at", "expires_at"):
        client = stack.client().sign_in(doctor.login_id, PASSWORD)
        client.get("/me").expect(200)
        with stack.sql() as cursor:
            cursor.execute(f"UPDATE gateway.session SET {column} = seen_at - interval '1 second'"
                           " WHERE csrf = %s", (client.csrf,))
        stack.copy.redis.command("FLUSHALL")
        client.get("/me").expect(401)


def test_a_new_password_ends_them_in_postgresql_and_redis(stack, doctor):
    second = stack.client().sign_in(doctor.login_id, PASSWORD)
    for _ in range(3):
        second.get("/me").expect(200)  # Redis knows it
    doctor.put("/me/password", {"current_password": PASSWORD,
                                "password": "yet another sentence of mine"}).expect(200)
    for _ in range(5):
        second.get("/me").expect(401)
    ended, = stack.one("SELECT ended_at IS NOT NULL FROM gateway.session WHERE csrf = %s",
                       (second.csrf,))
    assert ended


# ---- proving again who one is ----

def test_sensitive_changes_want_a_fresh_proof(stack, doctor):
    age_proof(stack, doctor)
    for method, path, body in (("POST", "/me/email", {"email": "new.address@example.jp"}),
                               ("POST", "/me/second-factor/totp", None),
                               ("POST", "/me/second-factor/recovery-codes", None),
                               ("DELETE", "/me/sessions", None)):
        assert code(doctor.request(method, path, body), 403) == "reauthentication_needed", path
    doctor.get("/me").expect(200)
    doctor.get("/me/credits").expect(200)
    assert field(doctor.post("/me/reauthentication", {"password": "wrong one altogether"})) == (
        "/password", "password_wrong")
    assert field(doctor.post("/me/reauthentication", {"code": "123456"})) == ("/code", "code_wrong")
    assert field(doctor.post("/me/reauthentication", {})) == ("/password", "field_missing")
    before = doctor.cookie
    follow(doctor, doctor.post("/me/reauthentication", {"password": PASSWORD}))
    assert doctor.cookie != before
    doctor.post("/me/second-factor/totp").expect(201)
    old = stack.client()
    old.cookie = before
    old.get("/me").expect(401)
