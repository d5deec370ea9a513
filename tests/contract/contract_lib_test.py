"""tests/lib/contract.py finds what is wrong with an answer. Needs no running copy."""
import json

import pytest

from contract import CONTRACT, ContractError, check_request, check_response


class Answer:
    def __init__(self, status, body, **headers):
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


ME = {
    "account": {"id": "0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e20", "login_id": "6423876638",
                "role": "doctor", "name": "濱田　正樹"},
    "csrf_token": "x", "next": "", "email_undeliverable": False,
}
PROBLEM = {"type": "urn:mamis:problem:not_found", "title": "見つかりません", "status": 404,
           "detail": "ありません。", "code": "not_found"}
JSON, PROBLEM_JSON = "application/json", "application/problem+json"


def test_good_answers_pass():
    assert check_response("GET", "/me", Answer(200, ME, Content_Type=JSON)) == "get_me"
    assert check_response("GET", "/api/v1/me?x=1",
                          Answer(404, PROBLEM, Content_Type=PROBLEM_JSON)) == "get_me"
    assert check_response("DELETE", "/session", Answer(204, b"")) == "sign_out"
    assert check_response("GET", "/nothing",
                          Answer(404, PROBLEM, Content_Type=PROBLEM_JSON)) is None


def test_fixed_paths_come_before_names():
    assert CONTRACT.find("GET", "/api/v1/me/applications").id == "list_my_applications"
    assert CONTRACT.find("GET", "/api/v1/uploads/a/rows").id == "list_upload_rows"
    assert CONTRACT.find("GET", "/api/v1/uploads/a").id == "get_upload"
    assert CONTRACT.find("GET", "/api/v1/uploads/a/b/c") is None


def wrong(status, body, words, method="GET", path="/me", **headers):
    with pytest.raises(ContractError) as caught:
        check_response(method, path, Answer(status, body, **headers))
    assert words in str(caught.value)


def test_wrong_answers_are_found():
    wrong(200, {**ME, "more": 1}, "'more'", Content_Type=JSON)
    wrong(200, {key: ME[key] for key in ("account", "next")}, "csrf_token", Content_Type=JSON)
    wrong(200, {**ME, "next": "dance"}, "dance", Content_Type=JSON)
    wrong(200, ME, "type text/html", Content_Type="text/html")
    wrong(200, b'{"a":1,"a":2}', "twice", Content_Type=JSON)
    wrong(200, b"\xff", "no JSON", Content_Type=JSON)
    wrong(201, ME, "not described", Content_Type=JSON)
    wrong(204, b"x", "no body", method="DELETE", path="/session")
    wrong(202, {"operation_id": ME["account"]["id"]}, "Location", method="PUT",
          path="/me/profile", Content_Type=JSON)
    wrong(200, ME, "does not know", path="/nothing", Content_Type=JSON)


def test_wrong_problems_are_found():
    wrong(404, PROBLEM, "of a problem", Content_Type=JSON)
    wrong(400, PROBLEM, "differs from HTTP's", Content_Type=PROBLEM_JSON)
    wrong(404, {**PROBLEM, "code": "oops"}, "oops", Content_Type=PROBLEM_JSON)
    wrong(404, {**PROBLEM, "detail": "行{line}"}, "not filled in", Content_Type=PROBLEM_JSON)
    wrong(404, {**PROBLEM, "errors": [{"code": "field_missing", "detail": "x"}]}, "errors",
          Content_Type=PROBLEM_JSON)
    wrong(503, {**PROBLEM, "status": 503, "code": "service_unavailable"}, "Retry-After",
          Content_Type=PROBLEM_JSON)
    wrong(405, {**PROBLEM, "status": 405, "code": "method_not_allowed"}, "Allow",
          Content_Type=PROBLEM_JSON)


def test_times_and_days_are_real():
    operation = {"operation_id": ME["account"]["id"], "status": "done", "result": {},
                 "problem": None}
    check_response("GET", "/operations/x", Answer(200, operation, Content_Type=JSON))
    upload = {"$ref": "#/components/schemas/Time"}
    assert not CONTRACT.differences(upload, "2026-11-22T12:00:00+09:00")
    assert CONTRACT.differences(upload, "2026-11-22T12:00:00Z")
    assert CONTRACT.differences(upload, "2026-11-31T12:00:00+09:00")
    assert CONTRACT.differences({"$ref": "#/components/schemas/Day"}, "2025-02-29")
    assert not CONTRACT.differences({"$ref": "#/components/schemas/DayOrNone"}, None)


def test_objects_made_of_parts_are_closed():
    summary = {"seminar_no": "S1", "title": "t", "organiser_code": "P13", "organiser_name": "n",
               "status": "published", "held_from": None, "held_to": None, "sessions_total": 0}
    assert not CONTRACT.differences({"$ref": "#/components/schemas/SeminarSummary"}, summary)
    assert CONTRACT.differences({"$ref": "#/components/schemas/SeminarSummary"},
                                {**summary, "more": 1})
    assert CONTRACT.differences({"$ref": "#/components/schemas/Seminar"}, summary)
    assert not CONTRACT.differences({"$ref": "#/components/schemas/Seminar"},
                                    {**summary, "sessions": []})
    assert CONTRACT.differences({"$ref": "#/components/schemas/Seminar"},
                                {**summary, "sessions": [], "more": 1})


def test_bodies_that_were_taken_are_described():
    check_request("POST", "/api/v1/session", {"login_id": "a", "password": "b"})
    with pytest.raises(ContractError):
        check_request("POST", "/api/v1/session", {"login_id": "a", "password": "b", "c": 1})
    with pytest.raises(ContractError):
        check_request("DELETE", "/api/v1/session", {"a": 1})
