"""Maintenance: planned, told, begun and ended by itself; users are kept out and nothing is held
against them, administrators and batch work go on."""

import datetime
import urllib.error
import urllib.request

import pytest

from maildir import read, text_of
from running.process import Failure, wait_for
from stack import DATA, PASSWORD
from test_import import do_import, members_file

SECONDS = 10  # most, until a gateway has seen a change


def at(stack, **ahead):
    return (stack.copy.now() + datetime.timedelta(**ahead)).isoformat(timespec="seconds")


def plan(stack, begins, ends, note="保守作業"):
    return stack.copy.mamisctl("maintenance", "plan", "--from", begins, "--to", ends, "--note",
                               note).split()[-1]


def end(stack, window):
    stack.copy.mamisctl("maintenance", "end", window)


def running(stack):
    return [one for one in stack.client().get("/site").json["maintenance"] if one["running"]]


@pytest.fixture
def under_way(stack):
    """A maintenance that runs, and its id."""
    window = plan(stack, "now", at(stack, hours=2))
    wait_for(lambda: running(stack), SECONDS, "maintenance")
    yield window
    end(stack, window)
    wait_for(lambda: not running(stack), SECONDS, "the end of maintenance")


@pytest.fixture(scope="module")
def office(stack):
    return stack.staff_client("office_l3")


@pytest.fixture(scope="module")
def admin(stack):
    return stack.staff_client("admin")


def any_doctor(stack):
    return stack.one("SELECT mamis_no FROM registration.doctor WHERE my_page = 'active'"
                     " ORDER BY doctor_id LIMIT 1")[0]


def page(stack, path, headers=None):
    """(status, headers, text) of a page."""
    request = urllib.request.Request(stack.copy.base_url + path, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


# ---- planning ----

def test_the_national_association_plans_changes_and_calls_off(stack, office):
    body = {"starts_at": at(stack, days=40), "ends_at": at(stack, days=41), "note": "機器の交換"}
    made = office.post("/maintenance", body).expect(201).json
    assert made["state"] == "planned" and made["note"] == "機器の交換" and made["note_en"] == ""
    listed = office.get("/maintenance").expect(200).json["items"]
    assert made in listed
    later = {**body, "ends_at": at(stack, days=42), "note_en": "New machines"}
    changed = office.put(f"/maintenance/{made['window_id']}", later).expect(200).json
    assert changed["note_en"] == "New machines" and changed["ends_at"] > made["ends_at"]
    overlap = office.post("/maintenance", {**body, "starts_at": at(stack, days=39)}).expect(409)
    assert overlap.json["code"] == "maintenance_overlap"
    assert overlap.json["errors"][0]["pointer"] == "/starts_at"
    past = office.post("/maintenance", {**body, "starts_at": at(stack, days=-1)}).expect(409).json
    assert past["code"] == "maintenance_past"
    off = office.post(f"/maintenance/{made['window_id']}/end").expect(200).json
    assert off["state"] == "called_off"
    unknown = "0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e99"
    office.post(f"/maintenance/{unknown}/end").expect(404)
    office.put(f"/maintenance/{unknown}", body).expect(404)
    assert stack.one("SELECT array_agg(action ORDER BY version) FROM"
                     " registration.maintenance_history WHERE window_id = %s",
                     (made["window_id"],))[0] == ["plan", "change", "end"]


def test_an_operators_note_is_checked_before_it_goes(stack):
    for note in ("", "あ" * 501, b"\xff".decode(errors="surrogateescape")):
        with pytest.raises(Failure, match="--note: 1 to 500 characters"):
            plan(stack, at(stack, days=40), at(stack, days=41), note)
    assert stack.one("SELECT count(*) FROM registration.dead_letter") == (0,)


def test_nobody_else_plans(stack):
    client = stack.client().sign_in(any_doctor(stack), PASSWORD)
    body = {"starts_at": at(stack, days=50), "ends_at": at(stack, days=51), "note": "いたずら"}
    client.post("/maintenance", body).expect(403)
    client.get("/maintenance").expect(403)


def test_it_is_announced_on_the_sign_in_page(stack):
    window = plan(stack, at(stack, days=3), at(stack, days=4), "引っ越し")
    try:
        wait_for(lambda: stack.client().get("/site").json["maintenance"], SECONDS, "a notice")
        notice = stack.client().get("/site").json["maintenance"][0]
        assert notice["note"] == "引っ越し" and not notice["running"]
        assert "planned" in stack.copy.mamisctl("maintenance", "list")
    finally:
        end(stack, window)
    wait_for(lambda: not stack.client().get("/site").json["maintenance"], SECONDS, "no notice")


# ---- while it runs ----

def test_users_are_kept_out_and_told_until_when(stack, doctor_before, under_way):
    answer = doctor_before.get("/me").expect(503)
    assert answer.json["code"] == "maintenance" and int(answer.headers["Retry-After"]) > 60
    assert "月" in answer.json["detail"] and answer.json["ends_at"] > at(stack, hours=1)
    for method, path, body in (("GET", "/me/credits", None), ("PUT", "/me/profile", {}),
                               ("POST", "/password-resets", {"email": "a@example.jp"})):
        assert doctor_before.request(method, path, body).expect(503).json["code"] == "maintenance"
    seminar_no = stack.one("SELECT seminar_no FROM credit.seminar ORDER BY seminar_no LIMIT 1")[0]
    program = stack.organiser_client(seminar_no)
    assert program.get("/seminars").expect(503).json["code"] == "maintenance"


@pytest.fixture
def doctor_before(stack):
    """Signed in before it begins."""
    return stack.client().sign_in(any_doctor(stack), PASSWORD)


def test_the_page_says_it_without_scripts(stack, under_way):
    status, headers, text = page(stack, "/me", {"Accept-Language": "ja"})
    assert status == 503 and "ただいまメンテナンス中です" in text and int(headers["Refresh"]) <= 60
    assert int(headers["Retry-After"]) > 60 and headers["Content-Type"].startswith("text/html")
    assert "<script" not in text
    assert "Maintenance is going on" in page(stack, "/", {"Accept-Language": "en"})[2]
    with urllib.request.urlopen(stack.copy.service("gateway").admin_url + "/readyz") as ready:
        assert ready.status == 200


def test_signing_in_then_is_no_failure(stack, under_way):
    """Edge case 6 of the domain."""
    login = any_doctor(stack)
    stack.copy.redis.command("FLUSHALL")
    with stack.sql() as cursor:
        cursor.execute("DELETE FROM gateway.throttle")
    client = stack.client()
    for password in [PASSWORD] + ["a wrong password"] * 7:
        answer = client.post("/session", {"login_id": login, "password": password}).expect(503)
        assert answer.json["code"] == "maintenance" and answer.headers["Set-Cookie"] is None
    assert stack.one("SELECT count(*) FROM gateway.throttle WHERE subject LIKE 'account:%%'") == (0,)


def test_a_postcard_is_not_used_up(stack, tmp_path, under_way):
    path = members_file(tmp_path, {"register_no": "7600001", "my_page": "temp_issued"})
    cards = tmp_path / "cards.csv"
    do_import(stack, "members", path, "--postcards", str(cards))  # batch work goes on
    login = cards.read_text(encoding="utf-8").splitlines()[1].split(",")[2]
    for _ in range(3):
        stack.client().post("/session", {"login_id": login, "password": "AAAA-BBBB-CCCCC"}).expect(503)
    assert stack.one("SELECT tries_left FROM gateway.temp_credential WHERE login_id = %s",
                     (login.replace("-", ""),)) == (5,)


def test_administrators_go_on(stack, admin, under_way):
    assert admin.get("/me").expect(200).json["account"]["role"] == "admin"
    window = next(one for one in admin.get("/maintenance").expect(200).json["items"]
                  if one["window_id"] == under_way)
    assert window["state"] == "running"
    longer = {name: window[name] for name in ("starts_at", "note", "note_en")}
    longer["ends_at"] = at(stack, hours=5)
    assert admin.put(f"/maintenance/{under_way}", longer).expect(200).json["state"] == "running"
    stack.staff_client("admin")  # signs in
    wrong = stack.client().post("/session", {"login_id": admin.session["account"]["login_id"],
                                             "password": "a wrong password"}).expect(503).json
    assert wrong["code"] == "maintenance"  # who is an administrator cannot be found out


def test_what_was_accepted_goes_on(stack, under_way):
    before = stack.one("SELECT count(*) FROM credit.seminar")[0]
    do_import(stack, "seminars", str(DATA / "seminars.csv"))
    assert stack.one("SELECT count(*) FROM credit.seminar")[0] == before


def test_it_begins_and_ends_by_itself(stack, office):
    begins, ends = at(stack, seconds=2), at(stack, seconds=5)
    office.post("/maintenance", {"starts_at": begins, "ends_at": ends, "note": "短い"}).expect(201)
    office.get("/me").expect(200)
    wait_for(lambda: office.get("/me").status == 503, SECONDS, "the beginning")
    wait_for(lambda: office.get("/me").status == 200, SECONDS, "the end")
    assert at(stack) >= ends


# ---- mail ----

def told(stack, window, kind):
    """How many people have a mail of the kind about this window."""
    return stack.one("SELECT count(DISTINCT to_account) FROM notification.mail WHERE kind = %s"
                     " AND occasion LIKE %s", (kind, f"M41:{window}:%"))[0]


def delivered(stack, window, kind):
    """The words of one that was delivered."""
    found = wait_for(lambda: stack.one(
        "SELECT message_id FROM notification.mail WHERE kind = %s AND occasion LIKE %s"
        " AND state = 'delivered' LIMIT 1", (kind, f"M41:{window}:%")), 30, f"a mail {kind}")[0]
    return next(text_of(message) for message in map(read, stack.mails())
                if found in message["Message-ID"])


def test_everybody_is_told_by_mail(stack):
    """M41: at once when there is less than 14 days left, and when it is called off."""
    everybody = stack.one("SELECT count(*) FROM notification.account WHERE state = 'active'"
                          " AND email_confirmed AND email IS NOT NULL")[0]
    window = plan(stack, at(stack, days=5), at(stack, days=6), "回線の工事")
    wait_for(lambda: told(stack, window, "M41") == everybody, 30, "everybody told")
    words = delivered(stack, window, "M41")
    assert "回線の工事" in words and "開始:" in words and "年" in words
    with stack.sql() as cursor:
        cursor.execute("SELECT stage, begun FROM notification.maintenance_mail"
                       " WHERE window_id = %s ORDER BY due_at", (window,))
        assert cursor.fetchall() == [("ahead14", True), ("ahead1", False), ("end", False)]
    end(stack, window)
    wait_for(lambda: told(stack, window, "M41-off") == everybody, 30, "everybody told of the end")
    assert "行わないことになりました" in delivered(stack, window, "M41-off")


def test_nobody_hears_later_of_times_that_were_given_up(stack):
    """Brought forward to within a day: the mail of 14 days before the first plan never goes out."""
    window = plan(stack, at(stack, days=20), at(stack, days=21), "早まる工事")
    try:
        stack.copy.mamisctl("maintenance", "change", window, "--from", at(stack, hours=20), "--to",
                            at(stack, hours=22))
        with stack.sql() as cursor:
            cursor.execute("SELECT stage FROM notification.maintenance_mail JOIN"
                           " notification.maintenance w USING (window_id) WHERE window_id = %s"
                           " AND NOT done AND maintenance_mail.starts_at <> w.starts_at", (window,))
            assert cursor.fetchall() == []
        assert stack.one("SELECT done, begun FROM notification.maintenance_mail WHERE window_id = %s"
                         " AND stage = 'ahead14'", (window,)) == (True, False)
        wait_for(lambda: told(stack, window, "M41"), 30, "the mail of the day before")
    finally:
        end(stack, window)


def test_nobody_hears_of_the_end_of_what_nobody_heard_of(stack):
    window = plan(stack, "now", at(stack, minutes=5))
    end(stack, window)
    wait_for(lambda: stack.one("SELECT bool_and(done) FROM notification.maintenance_mail"
                               " WHERE window_id = %s", (window,)) == (True,), 30, "no mail due")
    assert stack.one("SELECT count(*) FROM notification.mail WHERE occasion LIKE %s",
                     (f"M41:{window}:%",)) == (0,)
