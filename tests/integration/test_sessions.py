"""Signing in, sessions without Redis, forged requests, guessing, and bad input, by the API."""

import concurrent.futures
import contextlib
import csv
import os
import signal
import statistics
import time
import urllib.request

import pytest

from maildir import link_of, wait_mail
from running.process import wait_for
from stack import PASSWORD

REDIS_GONE_S = 10


@pytest.fixture(scope="module")
def doctors(stack):
    """MAMIS numbers of doctors nobody used yet."""
    with stack.sql() as cursor:
        cursor.execute("SELECT mamis_no FROM registration.doctor WHERE my_page = 'active'"
                       " ORDER BY doctor_id DESC LIMIT 200")
        return iter([row[0] for row in cursor.fetchall()])


@pytest.fixture
def doctor(stack, doctors):
    client = stack.client()
    client.login_id = next(doctors)
    return client.sign_in(client.login_id, PASSWORD)


def code(answer, status):
    return answer.expect(status).json["code"]


def cached(stack):
    """How many sessions Redis remembers."""
    return int(stack.copy.redis.command("DBSIZE")[1:].split(b"\r\n")[0])


@contextlib.contextmanager
def redis_stopped(stack):
    """Redis answers nothing, and then knows again what it knew."""
    pid = stack.copy.redis.process.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def redis_killed(stack):
    redis = stack.copy.redis
    port = redis.port
    redis.process.kill()
    try:
        yield
    finally:
        redis.start(port)


# ---- sessions and Redis ----

def test_a_session_is_remembered_and_ends(stack, doctor):
    doctor.get("/me").expect(200)
    doctor.get("/me").expect(200)
    cookie, csrf = doctor.cookie, doctor.csrf
    doctor.sign_out()
    doctor.cookie, doctor.csrf = cookie, csrf
    assert code(doctor.get("/me"), 401) == "unauthenticated"
    assert code(doctor.request("DELETE", "/session"), 401) == "unauthenticated"


def test_a_flushed_redis_ends_and_admits_nothing(stack, doctor, doctors):
    gone = stack.client().sign_in(next(doctors), PASSWORD)
    gone.get("/me").expect(200)
    cookie = gone.cookie
    gone.sign_out()
    stack.copy.redis.command("FLUSHALL")
    gone.cookie = cookie
    for _ in range(3):
        doctor.get("/me").expect(200)
        gone.get("/me").expect(401)


def test_sessions_outlive_a_killed_redis(stack, doctor, doctors):
    doctor.get("/me").expect(200)
    with redis_killed(stack):
        for _ in range(5):
            doctor.get("/me").expect(200)
            doctor.get("/me/credits").expect(200)
        other = stack.client().sign_in(next(doctors), PASSWORD)
        other.get("/me").expect(200)
        cookie = other.cookie
        other.sign_out()
        other.cookie = cookie
        other.get("/me").expect(401)
    wait_for(lambda: stack.copy.redis.command("PING") == b"+PONG\r\n", REDIS_GONE_S, "Redis")
    doctor.get("/me").expect(200)
    other.get("/me").expect(401)


def test_signed_out_while_redis_slept(stack, doctor):
    """What Redis still remembers when it wakes must let nobody in."""
    for _ in range(3):
        doctor.get("/me").expect(200)
    cookie = doctor.cookie
    with redis_stopped(stack):
        doctor.sign_out()
        doctor.cookie = cookie
        doctor.get("/me").expect(401)
    for _ in range(20):
        doctor.get("/me").expect(401)


def test_a_sleeping_redis_costs_little_time(stack, doctor):
    doctor.get("/me").expect(200)
    with redis_stopped(stack):
        doctor.get("/me").expect(200)
        times = []
        for _ in range(40):
            begun = time.monotonic()
            doctor.get("/me").expect(200)
            times.append(time.monotonic() - begun)
        assert sorted(times)[int(len(times) * 0.95)] < 0.5
    doctor.get("/me").expect(200)


def test_a_chosen_session_is_not_taken(stack, doctors):
    client = stack.client()
    client.cookie = "mamis_session=" + "A" * 43
    client.get("/me").expect(401)
    client.sign_in(next(doctors), PASSWORD)
    assert "A" * 43 not in client.cookie
    client.get("/me").expect(200)


def test_the_cookie_is_out_of_reach(stack, doctors):
    answer = stack.client().post("/session", {"login_id": next(doctors), "password": PASSWORD})
    cookie = answer.expect(201).headers["Set-Cookie"]
    assert cookie.startswith("mamis_session=")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie


# ---- forged requests ----

def change(client, headers):
    return client.request("POST", "/me/applications", {"programme": "OP"}, headers)


def test_forged_requests_are_refused(stack, doctor, doctors):
    other = stack.client().sign_in(next(doctors), PASSWORD)
    refused = [
        ({"X-CSRF-Token": ""}, "csrf"),
        ({"X-CSRF-Token": other.csrf}, "csrf"),
        ({"Origin": "null"}, "origin"),
        ({"Origin": "https://evil.example"}, "origin"),
        ({"Origin": doctor.origin + ".evil.example"}, "origin"),
        ({"Origin": doctor.origin.replace("http:", "https:")}, "origin"),
        ({"Origin": "", "Sec-Fetch-Site": "cross-site"}, "origin"),
    ]
    for headers, why in refused:
        assert code(change(doctor, headers), 403) == why, headers
    csrf, doctor.csrf = doctor.csrf, None
    assert code(change(doctor, {}), 403) == "csrf"
    doctor.csrf = csrf
    assert change(doctor, {}).status not in (401, 403)


def test_signing_in_from_elsewhere_is_refused(stack, doctors):
    answer = stack.client().request("POST", "/session",
                                    {"login_id": next(doctors), "password": PASSWORD},
                                    {"Origin": "https://evil.example"})
    assert code(answer, 403) == "origin"


# ---- guessing ----

def guess(stack, login_id, password="wrong password of nobody"):
    return stack.client().post("/session", {"login_id": login_id, "password": password})


def test_unknown_and_known_take_the_same_time(stack, doctors):
    def seconds(login_id):
        begun = time.monotonic()
        answer = guess(stack, login_id)
        assert code(answer, 401) == "sign_in_failed"
        return time.monotonic() - begun, answer.json["detail"]

    known, unknown = [], []
    for i in range(12):
        known.append(seconds(next(doctors)))
        unknown.append(seconds(f"nobody-{i}-{os.urandom(3).hex()}"))
    assert {text for _, text in known} == {text for _, text in unknown}
    medians = [statistics.median(time for time, _ in row) for row in (known, unknown)]
    assert abs(medians[0] - medians[1]) < 0.4 * max(medians), medians
    stack.copy.redis.command("FLUSHALL")  # so many failures would throttle this address


def test_guessing_is_slowed_and_nobody_else_harmed(stack, doctors):
    victim, other = next(doctors), next(doctors)
    for _ in range(5):
        assert code(guess(stack, victim), 401) == "sign_in_failed"
    answer = guess(stack, victim)
    assert code(answer, 429) == "sign_in_throttled"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    stack.client().sign_in(other, PASSWORD)
    # A flushed Redis forgets nothing that matters, and the wait grows.
    wait_for(lambda: guess(stack, victim).status == 401, 20, "the next try")
    stack.copy.redis.command("FLUSHALL")
    assert code(guess(stack, victim), 429) == "sign_in_throttled"
    # After the wait the owner gets in.
    wait_for(lambda: guess(stack, victim, PASSWORD).status == 201, 20, "the owner's turn")
    guess(stack, victim, PASSWORD).expect(201)


def test_many_guesses_at_once(stack, doctors):
    victim, other = next(doctors), next(doctors)
    with concurrent.futures.ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(lambda _: guess(stack, victim).status, range(60)))
        assert set(statuses) <= {401, 429, 503}
        assert statuses.count(401) <= 8  # five, and whoever came after the first short waits
        # Whoever knows the password gets in, however often the button was pressed.
        assert set(threads.map(lambda _: guess(stack, other, PASSWORD).status, range(8))) == {201}


def spray(stack, count):
    """One guess each on so many accounts."""
    return [guess(stack, f"spray-{os.urandom(4).hex()}").status for _ in range(count)]


def forget_failures(stack):
    stack.copy.redis.command("FLUSHALL")
    with stack.sql() as cursor:
        cursor.execute("DELETE FROM gateway.throttle")


def test_one_guess_on_many_accounts(stack, doctors):
    assert 429 in spray(stack, 40)
    # A flushed Redis does not give the address its guesses back.
    stack.copy.redis.command("FLUSHALL")
    wait_for(lambda: spray(stack, 1) == [401], 20, "the address's next guess")
    assert spray(stack, 2) == [429, 429]
    forget_failures(stack)
    with redis_killed(stack):
        assert 429 in spray(stack, 40)
    wait_for(lambda: stack.copy.redis.command("PING") == b"+PONG\r\n", REDIS_GONE_S, "Redis")
    forget_failures(stack)
    stack.client().sign_in(next(doctors), PASSWORD)


# ---- postcards ----

@pytest.fixture(scope="module")
def postcards(stack):
    with open(stack.folder / "postcards.csv", encoding="utf-8-sig", newline="") as file:
        return iter(list(csv.DictReader(file))[-20:])


def full_width(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def test_a_postcard_is_read_as_people_type(stack, postcards):
    card = next(postcards)
    login, password = card["login_id"], card["temporary_password"]
    for shown_login, shown in ((login.lower(), password.lower()), (login, password.replace("-", " ")),
                               (full_width(login), full_width(password)),
                               (login.replace("-", ""), "  " + password + "　")):
        session = stack.client().sign_in(shown_login, shown).session
        assert session["next"] == "terms"


def test_a_postcard_has_five_tries(stack, postcards):
    card = next(postcards)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(
            lambda i: guess(stack, card["login_id"], f"ABCD-EFGH-JK{i:03}").status, range(8)))
    assert 201 not in statuses
    stack.copy.redis.command("FLUSHALL")
    with stack.sql() as cursor:
        cursor.execute("DELETE FROM gateway.throttle")
    left = stack.one("SELECT tries_left FROM gateway.temp_credential WHERE login_id = %s",
                     (card["login_id"].replace("-", ""),))[0]
    for i in range(left):
        assert guess(stack, card["login_id"], f"WRNG-WRNG-WR{i:03}").status in (401, 429)
    with stack.sql() as cursor:
        cursor.execute("DELETE FROM gateway.throttle")
    stack.copy.redis.command("FLUSHALL")
    assert code(guess(stack, card["login_id"], card["temporary_password"]), 403) == "temp_locked"
    # The call centre sees it, whatever Redis and the waits have forgotten.
    number, = stack.one("SELECT d.register_no FROM gateway.temp_credential t"
                        " JOIN registration.account USING (account_id)"
                        " JOIN registration.doctor d USING (doctor_id) WHERE t.login_id = %s",
                        (card["login_id"].replace("-", ""),))
    found, = stack.staff_client("call_centre").get(f"/desk/accounts?number={number}").expect(
        200).json["items"]
    assert (found["state"], found["postcard"]) == ("temp_issued", "locked")


# ---- a new password ----

def test_a_reset_ends_all_sessions(stack, doctor):
    address = doctor.get("/me").expect(200).json["account"]["email"]
    second = stack.client().sign_in(doctor.login_id, PASSWORD)
    begun = time.monotonic()
    assert stack.client().post("/password-resets", {"email": address}).expect(202).json == {}
    known = time.monotonic() - begun
    begun = time.monotonic()
    assert stack.client().post("/password-resets", {"email": "nobody@example.jp"}).expect(
        202).json == {}
    assert abs(known - (time.monotonic() - begun)) < 0.15
    link = link_of(wait_mail(stack, address, "パスワード"))
    asked = stack.client().post("/links", {"link": link}).expect(200).json
    assert asked == {"purpose": "password_reset", "next": "password"}
    changed = {"link": link, "password": "a quite different sentence"}
    assert stack.client().post("/links", {**changed, "password": "short"}).expect(422).json[
        "errors"][0]["code"] == "password_too_short"
    stack.client().post("/links", changed).expect(200)
    assert stack.client().post("/links", changed).json["code"] == "link_used"
    doctor.get("/me").expect(401)
    second.get("/me").expect(401)
    assert guess(stack, doctor.login_id, PASSWORD).status == 401
    stack.client().sign_in(doctor.login_id, "a quite different sentence")
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert stack.client().post("/links", {"link": forged}).json["code"] == "link_invalid"


def test_an_own_password_needs_the_old_one(stack, doctor):
    second = stack.client().sign_in(doctor.login_id, PASSWORD)
    new = "another sentence of my own"
    missing = doctor.put("/me/password", {"password": new}).expect(422).json
    assert missing["errors"][0]["pointer"] == "/current_password"
    wrong = doctor.put("/me/password", {"current_password": "wrong", "password": new}).expect(422)
    assert wrong.json["errors"][0]["code"] == "password_wrong"
    doctor.put("/me/password", {"current_password": PASSWORD, "password": new}).expect(200)
    doctor.get("/me").expect(200)
    second.get("/me").expect(401)
    stack.client().sign_in(doctor.login_id, new)


# ---- bad input ----

BODIES = [
    (b"", "json_syntax"),
    (b"{", "json_syntax"),
    (b'{"login_id":"a","password":"b"} x', "json_syntax"),
    (b'{"login_id":"a","password":"b"}{"a":1}', "json_syntax"),
    (b"[" * 17 + b"]" * 17, "json_too_deep"),
    (b"[" * 2000 + b"]" * 2000, "json_too_deep"),
    ('{"login_id":"鈴木","password":"b"}'.encode("cp932"), "json_not_utf8"),
    ('{"login_id":"鈴木","password":"b"}'.encode("euc_jp"), "json_not_utf8"),
    (b'{"login_id":"a","login_id":"b","password":"c"}', "json_duplicate_key"),
    (b'{"login_id":"a","password":"b","more":1}', "schema"),
    (b'{"login_id":"a","password":"b","__proto__":{}}', "schema"),
    (b'{"login_id":1,"password":"b"}', "schema"),
    (b'{"login_id":"a"}', "schema"),
    (b'{"login_id":"a","password":null}', "schema"),
    (b'{"login_id":"' + b"a" * 300 + b'","password":"b"}', "schema"),
    (b"null", "json_syntax"),
    (b"[]", "schema"),
]


@pytest.mark.parametrize("body,why", BODIES, ids=range(len(BODIES)))
def test_bad_bodies(stack, body, why):
    answer = stack.client().request("POST", "/session", body, {"Content-Type": "application/json"})
    problem = answer.expect(400).json
    assert problem["code"] == why
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_nul_in_a_password_is_refused(stack):
    answer = stack.client().request("POST", "/session", b'{"login_id":"a","password":"b\\u0000c"}',
                                    {"Content-Type": "application/json"})
    answer.expect(400)


def test_every_wrong_field_is_named(stack, doctor):
    problem = doctor.put("/me/handbook", {
        "programme": "XX", "lines": [{"kind": "OPL-S", "half_units": -1, "last_on": "2025-13-01"}],
        "more": 1}).expect(400).json
    assert {error["pointer"] for error in problem["errors"]} == {
        "/programme", "/lines/0/half_units", "/lines/0/last_on", "/more"}
    assert all(error["detail"] for error in problem["errors"])


def test_bad_parameters(stack, doctor):
    for query, name, why in (("limit=-1", "limit", "parameter_bad"),
                             ("limit=0", "limit", "parameter_bad"),
                             ("limit=1000000000", "limit", "parameter_bad"),
                             ("limit=5&limit=6", "limit", "parameter_bad"),
                             ("sort=password", "sort", "parameter_unknown"),
                             ("from=2025-02-30", "from", "parameter_bad"),
                             ("programme=ABC", "programme", "parameter_bad"),
                             ("cursor=AAAA", "cursor", "cursor_bad"),
                             ("cursor=%2e%2e", "cursor", "cursor_bad")):
        problem = doctor.get("/me/credits?" + query).expect(
            422 if why == "cursor_bad" else 400).json
        assert problem["code"] == why, query
        assert problem["errors"][0]["parameter"] == name, query


def test_other_types_and_sizes(stack, doctor):
    client = stack.client()
    answer = client.request("POST", "/session", b"login_id=a&password=b",
                            {"Content-Type": "application/x-www-form-urlencoded"})
    assert code(answer, 415) == "content_type_bad"
    answer = client.request("POST", "/session", b" " * 5000, {"Content-Type": "application/json"})
    assert code(answer, 413) == "body_too_large"
    assert code(client.get("/nothing"), 404) == "not_found"
    answer = client.request("PUT", "/session", {})
    assert code(answer, 405) == "method_not_allowed"
    assert "POST" in answer.headers["Allow"]


def test_the_language_of_problems(stack):
    japanese = stack.client(language="ja").get("/me").expect(401)
    english = stack.client(language="fr, en;q=0.8, ja;q=0.5").get("/me").expect(401)
    assert japanese.headers["Content-Language"] == "ja"
    assert english.headers["Content-Language"] == "en"
    assert japanese.json["title"] != english.json["title"]
    assert english.json["title"].isascii()


def test_ids_of_others_look_like_missing_ones(stack, doctor):
    for path in ("/me/applications/0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e20", "/me/applications/x",
                 "/operations/0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e20", "/operations/x"):
        assert code(doctor.get(path), 404) == "not_found"


# ---- what one sees of oneself ----

def test_an_address_that_takes_no_mail_is_told(stack, doctor):
    me = doctor.get("/me").expect(200).json
    assert me["email_undeliverable"] is False
    try:
        with stack.sql() as cursor:
            cursor.execute("INSERT INTO notification.undeliverable (address, since, code, said)"
                           " VALUES (%s, '2026-11-01T10:00:00+09:00', 550, 'no such user')",
                           (me["account"]["email"],))
        again = stack.client().sign_in(doctor.login_id, PASSWORD)
        assert again.get("/me").expect(200).json["email_undeliverable"] is True
    finally:
        with stack.sql() as cursor:
            cursor.execute("DELETE FROM notification.undeliverable WHERE address = %s",
                           (me["account"]["email"],))


def test_no_view_of_credits_until_data_is_linked(stack):
    """R-ACC-09: credits post meanwhile, and are not shown yet."""
    doctor_id, mamis_no, register_no = stack.one(
        "SELECT doctor_id, mamis_no, register_no FROM registration.doctor"
        " WHERE my_page = 'link_pending' ORDER BY doctor_id LIMIT 1")
    seminar_no = "S2026-0001"
    organiser = stack.organiser_client(seminar_no)
    upload = organiser.post(f"/seminars/{seminar_no}/attendance",
                            {"rows": [{"register_no": str(register_no), "session_no": "1"}]})
    upload_id = upload.expect(202).json["upload_id"]
    wait_for(lambda: organiser.upload(upload_id)["done_at"], 60, "the upload's end")
    assert stack.one("SELECT count(*) FROM credit.ledger WHERE doctor_id = %s", (doctor_id,))[0] > 0
    client = stack.client().sign_in(mamis_no, PASSWORD)
    assert client.get("/me").expect(200).json["doctor"]["status"] == "link_pending"
    shown = client.get("/me/credits").expect(200).json
    assert (shown["items"], shown["totals"], shown["next_cursor"]) == ([], [], None)


# ---- commands ----

def test_a_repeated_command_is_one(stack, doctor):
    body = {"programme": "OP", "lines": []}
    headers = {"Idempotency-Key": "declare-1"}
    first = doctor.request("PUT", "/me/handbook", body, headers)
    again = doctor.request("PUT", "/me/handbook", body, headers)
    assert first.status == again.status and first.json.get("code") == again.json.get("code")
    other = doctor.request("PUT", "/me/handbook", {"programme": "SP", "lines": []}, headers)
    assert code(other, 409) == "idempotency_conflict"
    for bad in ("k" * 256, "with blank", "日本".encode().decode("latin-1")):
        answer = doctor.request("PUT", "/me/handbook", body, {"Idempotency-Key": bad})
        assert code(answer, 400) == "idempotency_key_bad"


def test_a_key_pressed_many_times_at_once(stack, doctor):
    body = {"programme": "OP", "lines": []}
    headers = {"Idempotency-Key": "many"}
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(
            lambda _: doctor.request("PUT", "/me/handbook", body, headers), range(8)))
    assert {answer.status for answer in answers} <= {200, 202, answers[0].status}
    assert stack.one("SELECT count(*) FROM gateway.idempotency WHERE key = 'many'")[0] == 1


def test_an_answer_that_takes_longer(stack, doctor):
    """With the worker asleep the command is accepted, and done when it wakes."""
    pid = stack.copy.service("renewal").process.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        answer = doctor.put("/me/handbook", {"programme": "OP", "lines": []}).expect(202)
        assert 1.5 < time.monotonic() - begun < 5
        place = answer.headers["Location"]
        assert place.endswith(answer.json["operation_id"])
        assert doctor.get(place).expect(200).json["status"] == "pending"
    finally:
        os.kill(pid, signal.SIGCONT)
    done = wait_for(lambda: (lambda told: told if told["status"] != "pending" else None)(
        doctor.get(place).expect(200).json), 30, "the operation")
    assert (done["status"] == "done") == (done["problem"] is None)
    other = stack.client().sign_in(stack.one(
        "SELECT mamis_no FROM registration.doctor WHERE my_page = 'active' LIMIT 1")[0], PASSWORD)
    other.get(place).expect(404)


def test_figures_are_told(stack):
    with urllib.request.urlopen(stack.copy.service("gateway").admin_url + "/metrics") as answer:
        text = answer.read().decode()
    for name in ("http_requests_total", "sessions_total", "sign_ins_total", "commands_total"):
        assert f"mamis_{name}" in text
