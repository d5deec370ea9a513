"""Answers of the HTTP interface against proto/openapi.yaml.

    check_response("GET", "/api/v1/me", response)        a requests.Response or running.api.Answer
    CheckedClient(base_url)                              a running.api.Client that checks each answer
    Coverage()                                           which operations gave which statuses

A wrong answer raises ContractError, an AssertionError that says where it differs.
"""
import datetime
import json
import pathlib
import re
import sys
import urllib.parse

import yaml
from jsonschema import Draft202012Validator, FormatChecker

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts" / "lib"))

from running.api import Client  # noqa: E402

JSON_TYPES = ("application/json", "application/problem+json")
WORDS_MAX = 8  # differences shown of one answer
FORMATS = FormatChecker(formats=["uuid"])


@FORMATS.checks("date", raises=ValueError)
def _is_day(value):
    return not isinstance(value, str) or bool(datetime.date.fromisoformat(value))


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value):
    if not isinstance(value, str):
        return True
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d:\d\d", value):
        return False
    return bool(datetime.datetime.fromisoformat(value))


class ContractError(AssertionError):
    pass


class Operation:
    def __init__(self, method, path, node):
        self.method, self.path, self.node = method, path, node
        self.id = node["operationId"]
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
        self.pattern = re.compile(pattern)


class Contract:
    def __init__(self, folder=TOP / "proto"):
        with open(folder / "openapi.yaml", encoding="utf-8") as file:
            self.doc = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        with open(folder / "errors.yaml", encoding="utf-8") as file:
            self.codes = set(yaml.safe_load(file)["codes"])
        with open(folder / "access.yaml", encoding="utf-8") as file:
            self.access = yaml.safe_load(file)
        self.operations = [Operation(method.upper(), path, node)
                           for path, item in self.doc["paths"].items()
                           for method, node in item.items()]
        self._validators = {}

    def find(self, method, path):
        """The operation of a request, None when there is none; fixed paths come before {names}."""
        fits = [operation for operation in self.operations
                if operation.method == method and operation.pattern.fullmatch(path)]
        return min(fits, key=lambda operation: operation.path.count("{"), default=None)

    def resolve(self, node):
        while "$ref" in node:
            target = self.doc
            for part in node["$ref"][2:].split("/"):
                target = target[part]
            node = target
        return node

    def differences(self, schema, value):
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {"components": self.doc["components"], "allOf": [schema]}
            self._validators[key] = Draft202012Validator(whole, format_checker=FORMATS)
        errors = list(self._validators[key].iter_errors(value))
        return ["/" + "/".join(str(part) for part in error.absolute_path) + ": " + error.message[:300]
                for error in errors[:WORDS_MAX]]


CONTRACT = Contract()


class _Answer:
    """What requests and running.api call by different names."""

    def __init__(self, response):
        self.status = getattr(response, "status_code", None) or response.status
        self.headers = response.headers
        self.body = response.content if hasattr(response, "content") else response.body

    @property
    def type(self):
        return (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()

    def json(self):
        def unique(pairs):
            keys = [key for key, _ in pairs]
            if len(set(keys)) != len(keys):
                raise ValueError("a key stands twice")
            return dict(pairs)

        return json.loads(self.body.decode("utf-8"), object_pairs_hook=unique)


def check_response(method, path, response, contract=CONTRACT):
    """Raises ContractError unless the answer is one that the contract describes.

    `path` is that of the request, with or without /api/v1 and query. Gives the operation's id, None
    for an address that the contract does not know (whose answer has to be a problem).
    """
    method = method.upper()
    path = urllib.parse.urlsplit(path).path
    if not path.startswith("/api/"):
        path = "/api/v1" + path
    answer = _Answer(response)
    operation = contract.find(method, path)
    wrong = []
    if operation is None:
        _check_problem(answer, contract, wrong)
        if answer.status < 400:
            wrong.append(f"status {answer.status} of an address that openapi.yaml does not know")
    else:
        _check_answer(answer, operation, contract, wrong)
    if wrong:
        name = operation.id if operation else "no operation"
        shown = answer.body[:400].decode("utf-8", "replace")
        raise ContractError(f"{method} {path} ({name}) -> {answer.status}:\n  "
                            + "\n  ".join(wrong) + f"\n  answer: {shown}")
    return operation.id if operation else None


def _check_answer(answer, operation, contract, wrong):
    described = operation.node["responses"].get(str(answer.status))
    if described is None:
        if answer.status < 400:
            wrong.append(f"status {answer.status} is not described")
            return
        _check_problem(answer, contract, wrong)
        return
    described = contract.resolve(described)
    for name, header in described.get("headers", {}).items():
        if contract.resolve(header).get("required") and not answer.headers.get(name):
            wrong.append(f"header {name} is missing")
    content = described.get("content", {})
    if not content:
        if answer.body:
            wrong.append("there should be no body")
        return
    if answer.type not in content:
        wrong.append(f"type {answer.type or 'none'}, described: {', '.join(content)}")
        return
    if answer.type in JSON_TYPES:
        _check_json(answer, content[answer.type]["schema"], contract, wrong)


def _check_json(answer, schema, contract, wrong):
    try:
        value = answer.json()
    except ValueError as error:
        wrong.append(f"no JSON: {error}")
        return None
    wrong += contract.differences(schema, value)
    return value


def _check_problem(answer, contract, wrong):
    if answer.type != "application/problem+json":
        wrong.append(f"type {answer.type or 'none'} of a problem")
        return
    problem = _check_json(answer, {"$ref": "#/components/schemas/Problem"}, contract, wrong)
    if not isinstance(problem, dict):
        return
    if problem.get("status") != answer.status:
        wrong.append(f"member status {problem.get('status')} differs from HTTP's")
    for code in [problem.get("code"), *(error.get("code") for error in problem.get("errors", []))]:
        if code not in contract.codes:
            wrong.append(f"code {code} is not in errors.yaml")
    if not problem.get("title") or not problem.get("detail"):
        wrong.append("title or detail is empty")
    for name in ("title", "detail", "cure"):
        if re.search(r"\{[a-z_]+\}", str(problem.get(name, ""))):
            wrong.append(f"{name} holds a name that was not filled in")
    if answer.status in (429, 503) and not str(answer.headers.get("Retry-After", "")).isdigit():
        wrong.append("Retry-After is missing")
    if answer.status == 405 and not answer.headers.get("Allow"):
        wrong.append("Allow is missing")


def check_request(method, path, body, contract=CONTRACT):
    """What was accepted has to be what the contract describes: a JSON body against its schema."""
    operation = contract.find(method.upper(), urllib.parse.urlsplit(path).path)
    if operation is None or body is None or isinstance(body, bytes):
        return
    content = contract.resolve(operation.node.get("requestBody", {})).get("content", {})
    wrong = contract.differences(content.get("application/json", {}).get("schema", False), body)
    if wrong:
        raise ContractError(f"{method} {path} ({operation.id}) took a body that openapi.yaml does not "
                            "describe:\n  " + "\n  ".join(wrong))


class Coverage:
    """Statuses seen for each operation."""

    def __init__(self):
        self.seen = {operation.id: set() for operation in CONTRACT.operations}

    def note(self, operation, status):
        if operation is not None:
            self.seen[operation].add(status)

    def without_good_answer(self):
        return sorted(name for name, statuses in self.seen.items()
                      if not any(200 <= status < 300 for status in statuses))


class CheckedClient(Client):
    """Checks every answer, and every body that was taken."""

    def __init__(self, *args, coverage=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.coverage = coverage

    def request(self, method, path, body=None, headers=None, events=None):
        full = path if path.startswith("/api/") else "/api/v1" + path
        answer = super().request(method, full, body, headers, events)
        operation = check_response(method, full, answer)
        if answer.status < 300:
            check_request(method, full, body)
        if self.coverage is not None:
            self.coverage.note(operation, answer.status)
        return answer
