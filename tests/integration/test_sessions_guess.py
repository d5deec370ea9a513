"""Guessing and what the owner hears of it; shares test_sessions.py's copy."""

import pytest

from maildir import link_of, mails_to, text_of, wait_mail
from stack import PASSWORD
from totp import code_at, step_now

FREE = 5  # failures before a wait


@pytest.fixture(scope="module")
def doctors(stack):
    """MAMIS numbers and addresses of doctors nobody used yet."""
    with stack.sql() as cursor:
        cursor.execute("SELECT d.mamis_no, a.email FROM registration.doctor d"
                       " JOIN registration.account a USING (doctor_id)"
                       " WHERE d.my_page = 'active' AND a.email_confirmed"
                       " AND (SELECT count(*) FROM registration.account b WHERE b.email = a.email) = 1"
                       " ORDER BY doctor_id LIMIT 50 OFFSET 300")
        return iter(cursor.fetchall())


@pytest.fixture(autouse=True)
def fresh_address(stack):
    """Other tests' failures came from the same address."""
    forget(stack)


def forget(stack):
    stack.copy.redis.command("FLUSHALL")
    with stack.sql() as cursor:
        cursor.execute("DELETE FROM gateway.throttle")


def guess(stack, login_id, password="wrong password of nobody"):
    return stack.client().post("/session", {"login_id": login_id, "password": password})


def lock(stack, login_id):
    """Guess until the login id waits."""
    for _ in range(FREE):
        guess(stack, login_id).expect(401)
    return guess(stack, login_id).expect(429)


def follow(client, answer):
    client.cookie = answer.expect(200).headers["Set-Cookie"].split(";")[0]
    client.csrf = client.get("/me").expect(200).json["csrf_token"]
    return client


def test_only_failures_count(stack, doctors):
    mamis_no, _ = next(doctors)
    for _ in range(2 * FREE):
        guess(stack, mamis_no, PASSWORD).expect(201)
    for _ in range(FREE - 1):
        guess(stack, mamis_no).expect(401)
    guess(stack, mamis_no, PASSWORD).expect(201)  # sets the count back
    for _ in range(FREE - 1):
        guess(stack, mamis_no).expect(401)
    guess(stack, mamis_no, PASSWORD).expect(201)


def told(answer):
    body = answer.json
    return {name: body[name] for name in body if name not in ("request_id", "cure")}


def test_a_wait_does_not_tell_whether_there_is_an_account(stack, doctors):
    known, unknown = next(doctors)[0], "9999999999"
    for _ in range(FREE):
        assert told(guess(stack, known)) == told(guess(stack, unknown))
    refused = guess(stack, known), guess(stack, unknown)
    assert [answer.status for answer in refused] == [429, 429]
    assert told(refused[0]) == told(refused[1])


def test_the_owner_hears_once_a_day_and_gets_in(stack, doctors):
    mamis_no, address = next(doctors)
    lock(stack, mamis_no)
    mail = wait_mail(stack, address, "失敗")
    forget(stack)
    lock(stack, mamis_no)  # a second one is not due: the link below is the only one
    guess(stack, mamis_no, PASSWORD).expect(429)
    link, password = link_of(mail), "the owner's own new sentence"
    asked = stack.client().post("/links", {"link": link}).expect(200).json
    assert asked == {"purpose": "password_reset", "next": "password"}
    owner = stack.client()
    answer = owner.post("/links", {"link": link, "password": password})
    assert answer.json == {"purpose": "password_reset", "next": ""}
    follow(owner, answer).get("/me/credits").expect(200)
    # The stranger goes on; the owner's session does not mind.
    lock(stack, mamis_no)
    owner.get("/me/credits").expect(200)
    assert stack.client().post("/links", {"link": link, "password": password}).json["code"] == \
        "link_used"
    wait_mail(stack, address, "ログインの設定")  # the new password was told too
    assert len(mails_to(stack, address, "失敗")) == 1


def test_a_link_does_not_replace_the_second_factor(stack, doctors):
    mamis_no, address = next(doctors)
    doctor = stack.client().sign_in(mamis_no, PASSWORD)
    secret = doctor.post("/me/second-factor/totp").expect(201).json["secret"]
    offset_us = stack.copy.now_offset_us()
    doctor.post("/me/second-factor/totp/confirmation",
                {"code": code_at(secret, step_now(offset_us))}).expect(200)
    assert "認証アプリの登録" in text_of(wait_mail(stack, address, "ログインの設定"))
    stack.client().post("/password-resets", {"email": address}).expect(202)
    link = link_of(wait_mail(stack, address, "再設定"))
    owner = stack.client()
    answer = owner.post("/links", {"link": link, "password": "one more sentence of mine"})
    assert answer.json["next"] == "second_factor"
    follow(owner, answer).get("/me/credits").expect(403)
    answer = owner.post("/session/second-factor", {"code": code_at(secret, step_now(offset_us, 1))})
    follow(owner, answer).get("/me/credits").expect(200)


def test_guessed_codes_are_told_too(stack, doctors):
    mamis_no, address = next(doctors)
    doctor = stack.client().sign_in(mamis_no, PASSWORD)
    secret = doctor.post("/me/second-factor/totp").expect(201).json["secret"]
    doctor.post("/me/second-factor/totp/confirmation",
                {"code": code_at(secret, step_now(stack.copy.now_offset_us()))}).expect(200)
    stranger = stack.client().sign_in(mamis_no, PASSWORD)
    for at in range(FREE):
        stranger.post("/session/second-factor", {"code": f"00000{at}"}).expect(422)
    link = link_of(wait_mail(stack, address, "失敗"))
    stack.client().post("/links", {"link": link, "password": "a sentence he does not know"}).expect(
        200)
    stranger.get("/me").expect(401)


def test_a_changed_password_is_told(stack, doctors):
    mamis_no, address = next(doctors)
    doctor = stack.client().sign_in(mamis_no, PASSWORD)
    doctor.put("/me/password", {"current_password": PASSWORD,
                                "password": "quite another sentence"}).expect(200)
    assert "パスワードの変更" in text_of(wait_mail(stack, address, "ログインの設定"))
