"""Nobody reads or changes what is not theirs: every route that the gateway serves, every role, with
ids of another place in every parameter. What a parameter gets is found by its name (world.Place.ids),
so that a new route is in here by itself; one with a parameter that has no value here fails."""
import json

import pytest

from contract import CONTRACT
from routes import SECRETS, ask, values_of
from world import missing

ROLES = CONTRACT.access["roles"]
# What may be told or changed although it is another place's, each with its reason.
MEANT = {
    "post_attendance": "whoever attends a seminar stands in its organiser's file (R-PRV-03)",
    "fix_upload_row": "the same, one row",
}
COMES = {"admission", "transfer"}
# Of these there is one national organisation, to which neither place is foreign.
NATIONAL = {"procedure_read", "procedure_decide", "member_read"}


def told(answer):
    """Status and code: all that an answer to something foreign may say."""
    try:
        return answer.status, answer.json.get("code")
    except (ValueError, AttributeError):
        return answer.status, None


def is_foreign(route, role):
    """Whether the other place's things are beyond the reach of the role."""
    national = role == "office_l3" and route.action in NATIONAL
    return route.reach(role) in ("own", "organisation", "delegated") and not national


def check_silent(answer, home, sent, what):
    """No mark of the other place is in the answer, but for what was sent."""
    body = answer.body.decode("utf-8", "replace")
    for name, mark in home.marks().items():
        assert mark in sent or mark not in body, f"{what} tells {name} of another place: {body[:300]}"


def test_the_contract_is_what_is_served(routes):
    assert {route.operation for route in routes} == {one.id for one in CONTRACT.operations}


def test_each_place_sees_its_own(routes, home, away):
    """Otherwise the tests below would find no leak in ids that nobody could use."""
    for route in routes:
        if route.method != "GET" or route.action == "public" or not route.names("path"):
            continue
        answers = {role: ask(home.clients[role], route, values_of(route, home)).status
                   for role in ROLES if route.reach(role)}
        assert 200 in answers.values() or 204 in answers.values(), (route.operation, answers)


def one_cell(route, role, client, home):
    """What was looked at for one role and route; raises where something leaks."""
    what = f"{role} {route.operation}"
    values = values_of(route, home)
    nothing = {name: missing(name) for name in values}
    reach = route.reach(role)
    if reach is None:
        answer = ask(client, route, values)
        assert told(answer) == (403, "forbidden"), f"{what}: {told(answer)}"
        return "refused"
    if not is_foreign(route, role):
        return "no foreign scope"
    if not values and route.method != "GET":
        return "only in bodies"  # the second test's
    answer = ask(client, route, values)
    check_silent(answer, home, json.dumps(values), what)
    if values:
        assert answer.status in (403, 404), f"{what}: {told(answer)}"
        assert told(answer) == told(ask(client, route, nothing)), f"{what}: missing differs"
        return "as if missing"
    return "a list without it"


def test_roles_routes_and_foreign_scopes(routes, home, people):
    before = home.state()
    seen = {}
    for route in routes:
        for role in ROLES if route.action != "public" else ():
            seen[role, route.operation] = one_cell(route, role, people[role], home)
    closed = [route for route in routes if route.action != "public"]
    assert len(seen) == len(closed) * len(ROLES)
    assert {"refused", "as if missing", "a list without it"} <= set(seen.values())
    assert home.state() == before


# ---- ids of others everywhere ----


def wrong_values(name, home, free=False):
    """What is tried at a parameter: by its name, and every other id. In a text that is free to be
    anything, only what is no mark: the text is shown again, and rightly."""
    if free:
        return [home.ids["operation_id"]]
    ids = [home.ids[key] for key in ("application_id", "upload_id", "entry_id", "operation_id",
                                     "account_id", "doctor_account_id", "token_id", "procedure_id",
                                     "seminar_no",
                                     "doctor_id")]
    named = [home.ids[name]] if name in home.ids else []
    return list(dict.fromkeys(named + ids))


def attacks(route, home, own):
    """(what, path values, query, body) with one foreign id each."""
    values = {name: own.ids.get(name, missing(name)) for name in route.names("path")}
    for name in set(values) - SECRETS:
        for value in wrong_values(name, home):
            yield name, {**values, name: value}, None, None
    for name in route.names("query"):
        for value in wrong_values(name, home):
            yield name, values, {name: value}, None
    for place in route.properties():
        tried = wrong_values(place[-1], home, route.is_free(place) and place[-1] not in home.ids)
        for value in tried if len(place) == 1 else tried[:1]:
            yield "/".join(map(str, place)), values, None, route.body_with(place, value)


def named_attacks(route, home, own):
    """Both numbers of a person of the other place, beside the code of one's own: what names nobody of
    one's own does not become so. To come to one's own is what a kind in COMES asks for."""
    fields = {place[0] for place in route.properties() if len(place) == 1}
    if not {"register_no", "birth_on"} <= fields:
        return
    values = {name: own.ids.get(name, missing(name)) for name in route.names("path")}
    kinds = CONTRACT.resolve(route.body["properties"].get("kind", {})).get("enum", [None])
    known = {"register_no": home.ids["register_no"], "birth_on": home.doctor["birth_on"],
             "l1_code": own.ids["l1_code"], "phone": "03-0000-0000", "reason": "x"}
    for kind in set(kinds) - COMES:
        body = {**route.least_body(), **{name: known[name] for name in fields & set(known)}}
        yield "both numbers", values, None, {**body, **({"kind": kind} if kind else {})}


def attack(route, role, client, home, own):
    for name, values, query, body in [*attacks(route, home, own), *named_attacks(route, home, own)]:
        answer = ask(client, route, values, body, query)
        what = f"{role} {route.operation} {name}"
        assert answer.status < 500 or answer.status == 503, f"{what}: {answer.status}"
        if route.operation not in MEANT:
            sent = json.dumps([values, query, body], ensure_ascii=False)
            check_silent(answer, home, sent, what)
        yield answer.status


def test_ids_of_others_in_every_parameter(stack, routes, home, away, people):
    before = home.state()
    statuses = []
    for route in sorted(routes, key=lambda one: (one.action == "public", one.method != "GET")):
        if route.action == "public":
            statuses += attack(route, "nobody", stack.client(), home, away)
            continue
        for role in ROLES:
            if is_foreign(route, role):
                statuses += attack(route, role, people[role], home, away)
    assert home.state() == before
    assert len(statuses) > 1000
    assert statuses.count(401) < len(statuses) / 10, "the attackers were signed out"


# ---- row security asks the same table ----


def test_row_security_has_the_rights_of_the_contract(stack):
    with stack.sql() as cursor:
        cursor.execute("SELECT role, action, scope FROM portal.access")
        written = set(cursor.fetchall())
    assert written == {(role, name, scope) for name, action in CONTRACT.access["actions"].items()
                       for role, scope in action["roles"].items()}


# (scope, role, action, what is counted); every staff policy asks portal.access.
ASKED = [
    ("l3", "office_l3", "application_read", "portal.application"),
    ("l2:13", "office_l2", "application_read", "portal.application"),
    ("auditor", "auditor", "application_read", "renewal_doctor"),
    ("l3", "office_l3", "upload_read", "portal.upload"),
    ("l2:13", "office_l2", "upload_read", "portal.upload"),
    ("organiser:P13", "organiser", "upload_read", "portal.upload"),
    ("organiser:P13", "organiser", "seminar_read", "visible"),
    ("organiser:P13", "organiser", "applicant_read", "portal.seminar_signup"),
    ("l2:13", "office_l2", "applicant_read", "portal.seminar_signup"),
    ("auditor", "auditor", "applicant_read", "portal.seminar_signup"),
    ("call_centre", "call_centre", "signup_read", "portal.signup"),
    ("l3", "office_l3", "account_desk", "portal.desk_account"),
]
COUNTS = {
    "renewal_doctor": "SELECT count(item -> 'doctor' ->> 'mamis_no') FROM portal.application",
    "visible": "SELECT count(*) FROM portal.seminar WHERE portal.organiser_visible(organiser_code)",
}


@pytest.mark.parametrize("scope,role,action,counted", ASKED)
def test_a_right_that_is_taken_away_closes_the_rows(stack, away, scope, role, action, counted):
    count = COUNTS.get(counted, f"SELECT count(*) FROM {counted}")

    def seen(cursor):
        cursor.execute("SET LOCAL ROLE mamis_gateway")
        cursor.execute("SELECT set_config('app.scope', %s, true)", (scope,))
        cursor.execute(count)
        found = cursor.fetchone()[0]
        cursor.execute("RESET ROLE")
        return found

    with stack.sql() as cursor:
        cursor.execute("BEGIN")
        try:
            assert seen(cursor) > 0
            cursor.execute("DELETE FROM portal.access WHERE role = %s AND action = %s",
                           (role, action))
            assert seen(cursor) == 0
        finally:
            cursor.execute("ROLLBACK")


def test_no_policy_names_a_role_itself(stack):
    """A scope that a policy reads by itself would not follow access.yaml; portal.reach_*() does."""
    with stack.sql() as cursor:
        cursor.execute("SELECT tablename || '.' || policyname FROM pg_policies"
                       " WHERE 'mamis_portal' = ANY (roles) AND qual ~ 'scope_(is|text)\\('")
        assert cursor.fetchall() == []
        cursor.execute("SELECT viewname FROM pg_views WHERE schemaname = 'portal'"
                       " AND definition ~ 'scope_is\\('")
        assert cursor.fetchall() == []


# ---- what nobody else sees, whatever access.yaml says of the doctor ----


def test_a_draft_is_its_doctors_alone(stack, routes, home, away):
    """No route shows it to anybody else of its own place; no scope sees its row; no other role of
    the database reads it."""
    for route in routes:
        for role in ROLES if route.method == "GET" and route.action != "public" else ():
            if role == "doctor" or not route.reach(role):
                continue
            body = ask(home.clients[role], route, values_of(route, home)).body.decode("utf-8", "replace")
            for mark in ("draft_id", "draft_text"):
                assert home.ids[mark] not in body, f"{role} {route.operation} tells {mark}"
    doctor_id = home.ids["doctor_id"]
    seen = {f"doctor:{doctor_id}": 1, f"doctor:{away.ids['doctor_id']}": 0,
            f"delegated:{doctor_id}": 0, "l1:13001": 0, "l2:13": 0, "l3": 0, "auditor": 0,
            "call_centre": 0, "organiser:P13": 0}
    find = " FROM {} WHERE draft_id = %s"
    with stack.sql() as cursor:
        for scope, count in seen.items():
            cursor.execute("BEGIN; SET LOCAL ROLE mamis_gateway")
            cursor.execute("SELECT set_config('app.scope', %s, true)", (scope,))
            for table in ("portal.procedure_draft", "gateway.procedure_draft"):
                cursor.execute("SELECT count(*)" + find.format(table), (home.ids["draft_id"],))
                assert cursor.fetchone() == (count,), (scope, table)
            cursor.execute("UPDATE gateway.procedure_draft SET saved_at = saved_at"
                           " WHERE draft_id = %s", (home.ids["draft_id"],))
            assert cursor.rowcount == count, scope
            cursor.execute("ROLLBACK")
    for role in ("mamis_registration", "mamis_renewal", "mamis_credit", "mamis_notification",
                 "mamis_operator"):
        with stack.sql() as cursor:
            cursor.execute(f"SET ROLE {role}")
            with pytest.raises(Exception, match="permission denied"):
                cursor.execute("SELECT form FROM gateway.procedure_draft")
