"""Who looked at whom: each read of a person's data by staff is noted, in the transaction of the read;
the doctor sees it, and whoever watches over it finds it."""
import time

import pytest

from contract import CONTRACT
from people import wait_for
from routes import ask, values_of

# What delegates look at is kept with the delegation: see tests/integration/test_privacy.py.
STAFF = [role for role in CONTRACT.access["roles"] if role not in ("doctor", "delegate")]
MANY = 200_000
QUICK_S = 0.3


def noted(stack, operation, role):
    """Notes of an operation by a role: how many, and the doctors and files of the newest."""
    with stack.sql() as cursor:
        cursor.execute("SELECT doctors, u.upload_id::text FROM gateway.read_audit"
                       " LEFT JOIN credit.upload u USING (upload_no)"
                       " WHERE operation = %s AND actor_role = %s ORDER BY read_id DESC",
                       (operation, role))
        rows = cursor.fetchall()
    return len(rows), rows[0] if rows else None


def shows(answer, place):
    body = answer.body.decode("utf-8", "replace")
    return answer.status == 200 and any(
        place.ids[name] in body for name in ("mamis_no", "register_no", "name", "name_kana", "email"))


def shown(answer, place):
    """Doctors of the place by the register numbers in an answer."""
    body = answer.body.decode("utf-8", "replace")
    return {doctor_id for number, doctor_id in place.numbers.items() if f'"{number}"' in body}


def test_what_staff_sees_of_a_person_is_noted(stack, routes, home, away):
    """Every route that answers with anything of the doctor: a new one has to call note_read()."""
    seen = set()
    for route in routes:
        for role in STAFF if route.method == "GET" and route.action != "public" else ():
            if not route.reach(role):
                continue
            before, _ = noted(stack, route.operation, role)
            answer = ask(home.clients[role], route, values_of(route, home))
            if not shows(answer, home):
                continue
            after, newest = noted(stack, route.operation, role)
            assert after == before + 1, f"{role} {route.operation} shows a doctor and notes nothing"
            told = shown(answer, home) or {int(home.ids["doctor_id"])}
            assert told <= set(newest[0]) or newest[1] == home.ids["upload_id"], route.operation
            seen.add((role, route.operation))
    assert {("office_l2", "list_applications"), ("office_l2", "get_application"),
            ("organiser", "list_upload_rows"), ("organiser", "get_upload_result"),
            ("organiser", "list_applicants"), ("auditor", "list_applicants"),
            ("office_l2", "get_doctor"), ("auditor", "get_doctor")} <= seen, seen


def test_what_a_doctor_reads_of_himself_is_not_noted(stack, home, away):
    before = stack.one("SELECT count(*) FROM gateway.read_audit WHERE actor_role = 'doctor'")
    home.clients["doctor"].get("/me/profile").expect(200)
    assert before == stack.one("SELECT count(*) FROM gateway.read_audit"
                               " WHERE actor_role = 'doctor'") == (0,)


def test_the_doctor_sees_who_looked(home, away):
    home.clients["office_l2"].get(f"/applications/{home.ids['application_id']}").expect(200)
    items = home.clients["doctor"].get("/me/reads?limit=1").expect(200).json
    assert items["items"][0]["action"] == "application_read"
    assert items["items"][0]["role"] == "office_l2"
    assert items["items"][0]["office_name"].startswith("東京都医師会")
    whole = home.clients["doctor"].get("/me/reads?limit=500").expect(200).json["items"]
    assert "upload_read" in {item["action"] for item in whole}
    second = home.clients["doctor"].get(f"/me/reads?limit=1&cursor={items['next_cursor']}")
    assert second.expect(200).json["items"] == whole[1:2]


def test_who_looked_at_a_sign_up_is_noted(stack, home, away):
    """Whoever signs up is on record as nobody yet, and the licence says more than any list."""
    signup_id = away.ids["signup_id"]
    path = f"/desk/signups/{signup_id}"

    def reads():
        return stack.one("SELECT count(*) FROM gateway.signup_read WHERE signups @> ARRAY[%s::uuid]",
                         (signup_id,))[0]

    looked = 0
    for role in ("call_centre", "office_l3"):
        for what in ("/desk/signups?status=review&limit=500", path, path + "/licence"):
            before = reads()
            away.clients[role].get(what).expect(200)
            assert reads() == before + 1, (role, what)
            looked += 1
    newest = away.clients["auditor"].get("/reads?limit=1").expect(200).json["items"][0]
    assert (newest["operation"], newest["role"]) == ("get_signup_licence", "office_l3")
    assert (newest["persons"], newest["mamis_nos"]) == (1, [])
    away.clients["office_l3"].post(path + "/accept", {"reason": "確認した"}).expect(200, 202)
    account = "SELECT doctor_id FROM registration.account WHERE account_id = %s"
    doctor_id = wait_for("the account", lambda: stack.one(account, (signup_id,)))[0]
    with stack.sql() as cursor:
        cursor.execute("BEGIN; SET LOCAL ROLE mamis_gateway")
        cursor.execute("SELECT set_config('app.scope', %s, true)", (f"doctor:{doctor_id}",))
        cursor.execute("SELECT count(*) FROM portal.my_reads(NULL, 100) WHERE action = 'signup_read'")
        seen = cursor.fetchone()[0]
        cursor.execute("ROLLBACK")
    assert seen >= looked


# ---- with a reason ----


@pytest.fixture
def profile(home):
    return f"/doctors/{home.ids['mamis_no']}"


def with_reason(client, path):
    return client.request("GET", path, headers={"X-Reason": "%E7%9B%A3%E6%9F%BB"})


def test_an_auditor_says_why(stack, home, away, profile):
    auditor = home.clients["auditor"]
    before, _ = noted(stack, "get_doctor", "auditor")
    assert auditor.get(profile).expect(422).json["code"] == "reason_required"
    for reason in ("%E7", "x" * 1001, "%20", "%E3%80%80"):
        assert auditor.request("GET", profile, headers={"X-Reason": reason}).status == 422, reason
    assert noted(stack, "get_doctor", "auditor")[0] == before
    assert with_reason(auditor, profile).expect(200).json["name"] == home.ids["name"]
    newest = auditor.get(f"/reads?mamis_no={home.ids['mamis_no']}&limit=1").expect(200)
    assert newest.json["items"][0]["reason"] == "監査"
    assert newest.json["items"][0]["mamis_nos"] == [home.ids["mamis_no"]]


def test_the_national_association_says_why_for_those_who_are_not_its_members(stack, home, away,
                                                                              profile):
    l3 = home.clients["office_l3"]
    l3.get(profile).expect(200)
    with stack.sql() as cursor:
        cursor.execute("UPDATE registration.doctor SET l3_category = '' WHERE mamis_no = %s",
                       (home.ids["mamis_no"],))
        try:
            assert l3.get(profile).expect(422).json["code"] == "reason_required"
            with_reason(l3, profile).expect(200)
        finally:
            cursor.execute("UPDATE registration.doctor SET l3_category = 'B' WHERE mamis_no = %s",
                           (home.ids["mamis_no"],))


def test_a_prefecture_says_why_for_who_is_a_member_of_l1_alone(stack, home, away, profile):
    l2 = home.clients["office_l2"]
    layer = "layer = 2 AND doctor_id = %s"
    with stack.sql() as cursor:
        cursor.execute("UPDATE registration.membership SET valid_to = '2020-01-01', ended_by = 'test'"
                       " WHERE " + layer, (home.ids["doctor_id"],))
        try:
            assert l2.get(profile).expect(422).json["code"] == "reason_required"
            with_reason(l2, profile).expect(200)
            home.clients["office_l1"].get(profile).expect(200)
        finally:
            cursor.execute("UPDATE registration.membership SET valid_to = NULL, ended_by = NULL"
                           " WHERE " + layer, (home.ids["doctor_id"],))
    l2.get(profile).expect(200)


def test_associations_see_the_profiles_of_their_own(stack, home, away, profile):
    for role in ("office_l1", "office_l2"):
        home.clients[role].get(profile).expect(200)
        away.clients[role].get(profile).expect(404)
    with stack.sql() as cursor:  # a second L1 is the doctor's own, too
        cursor.execute("INSERT INTO registration.membership (doctor_id, layer, code, is_primary,"
                       " valid_from, began_by) VALUES (%s, 1, '27001', false, '2020-01-01', 'test')"
                       " RETURNING membership_id", (home.ids["doctor_id"],))
        second = cursor.fetchone()
        try:
            away.clients["office_l1"].get(profile).expect(200)
        finally:
            cursor.execute("DELETE FROM registration.membership WHERE membership_id = %s", second)
    away.clients["office_l1"].get(profile).expect(404)


# ---- the log ----


def test_a_prefecture_sees_what_its_own_staff_read(home, away):
    home.clients["office_l2"].get("/applications").expect(200)
    away.clients["office_l2"].get("/applications").expect(200)
    for place in (home, away):
        items = place.clients["office_l2"].get("/reads?limit=500").expect(200).json["items"]
        assert {item["role"] for item in items} == {"office_l2"}
        assert len({item["office_name"] for item in items}) == 1
    whole = home.clients["auditor"].get("/reads?limit=500").expect(200).json["items"]
    assert len({item["office_name"] for item in whole if item["role"] == "office_l2"}) == 2


def test_nobody_changes_what_was_noted(stack):
    for role in ("mamis_gateway", "mamis_portal", "mamis_operator"):
        for statement in ("DELETE FROM gateway.read_audit", "UPDATE gateway.read_audit SET reason = ''",
                          "TRUNCATE gateway.read_audit", "DELETE FROM gateway.signup_read"):
            with stack.sql() as cursor:
                cursor.execute(f"SET ROLE {role}")
                with pytest.raises(Exception, match="permission denied"):
                    cursor.execute(statement)


def test_every_audit_and_history_is_chained(stack):
    """A new one calls mamis.chain_table() in its migration."""
    with stack.sql() as cursor:
        cursor.execute("SELECT schemaname || '.' || tablename FROM pg_tables"
                       " WHERE tablename ~ '(^|_)(audit|history|read)$' AND (schemaname, tablename)"
                       " NOT IN (SELECT schema_name, table_name FROM mamis.chained)")
        assert cursor.fetchall() == []


def quickest(ask):
    """Seconds of the best of five: the machine has other work, a bad plan has no good day."""
    took = []
    for _ in range(5):
        begun = time.monotonic()
        ask()
        took.append(time.monotonic() - begun)
    return min(took)


def test_a_span_of_time_is_found_quickly(stack, home, away):
    """One day out of two years, in the middle of many reads."""
    with stack.sql() as cursor:
        cursor.execute(
            "INSERT INTO gateway.read_audit (at, actor, actor_role, actor_code, action, operation,"
            " request_id, doctors) SELECT '2024-11-01T00:00:00+09:00'::timestamptz"
            " + n * interval '730 days' / %s, gen_random_uuid(), 'office_l1', '01001', 'doctor_read',"
            " 'get_doctor', 'many', ARRAY[1000000 + n] FROM generate_series(1, %s) AS n",
            (MANY, MANY))
        cursor.execute("ANALYZE gateway.read_audit")
    auditor = home.clients["auditor"]

    def ask():
        return auditor.get("/reads?from=2025-06-01&to=2025-06-01&limit=500").expect(200).json

    for _ in range(5):  # from the sixth time on, PostgreSQL may use a plan for any values
        ask()
    assert quickest(ask) < QUICK_S
    day = ask()
    assert 200 < len(day["items"]) < 350
    assert quickest(lambda: home.clients["doctor"].get("/me/reads").expect(200)) < QUICK_S
