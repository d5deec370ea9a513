"""What schemathesis has to know of this interface: how one signs in. Loaded by it from the
environment that test_schemathesis.py sets; MAMIS_ATTACK_LOGIN and _PASSWORD name the account."""

import os
import time

import requests
import schemathesis

ORIGIN = os.environ["MAMIS_ATTACK_URL"]
ACCOUNT = {"login_id": os.environ["MAMIS_ATTACK_LOGIN"],
           "password": os.environ["MAMIS_ATTACK_PASSWORD"]}
SECONDS = 30
THROTTLED_SECONDS = 90  # most, for one sign-in
# As lib/shape refuses them: control characters and the line separators of Unicode.
LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]*$"
# ... and blanks alone where something has to be said in them.
WORDS = LINES[:-1] + r"[^\x00-\x20\x7f-\xa0\u2028\u2029\u3000]" + LINES[1:]


def no_control_characters(node, whole):
    """Says in JSON Schema what openapi.yaml says at its top: texts have no control characters, but
    those with x-multiline may have several lines."""
    while "$ref" in node:
        target = whole
        for part in node["$ref"][2:].split("/"):
            target = target[part]
        node = target
    format_ = node.get("format", "password")
    if node.get("type") == "string" and format_ == "password" and not {"pattern", "enum"} & set(node):
        lines = WORDS if node.get("minLength") else LINES
        node["pattern"] = lines if node.get("x-multiline") else LINE
    if "propertyNames" in node:
        node["propertyNames"]["pattern"] = LINE
    for inner in [*node.get("properties", {}).values(), *node.get("oneOf", []),
                  *node.get("allOf", []), node.get("items"), node.get("additionalProperties")]:
        if isinstance(inner, dict):
            no_control_characters(inner, whole)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """`default` stands for problems: what is none has to be listed, status by status."""
    for item in raw_schema["paths"].values():
        for operation in item.values():
            responses = operation["responses"]
            if "default" in responses:
                responses["4XX"] = responses["5XX"] = responses.pop("default")
            for parameter in operation.get("parameters", []):
                while "$ref" in parameter:
                    parameter = raw_schema["components"]["parameters"][
                        parameter["$ref"].rsplit("/", 1)[1]]
                if parameter["in"] != "header":  # what cannot be read there counts as not given
                    no_control_characters(parameter["schema"], raw_schema)
            for name, content in operation.get("requestBody", {}).get("content", {}).items():
                if name == "application/json":
                    no_control_characters(content["schema"], raw_schema)


@schemathesis.hook
def map_body(context, body):
    """Numbers without fraction or exponent, as openapi.yaml says at its top; JSON Schema has 2.0
    for an integer, too."""
    if isinstance(body, dict):
        return {name: map_body(context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() else body


@schemathesis.hook
def filter_cookies(context, cookies):
    """libmicrohttpd 0.9 answers a cookie whose value is one quote itself, with a page of its own:
    tests/unit/http/head_test.c shows it."""
    return '"' not in (cookies or {}).values()


@schemathesis.auth(retry_on=[401])
class Session:
    """A cookie with its CSRF token; a new one when somebody signed the old one out."""

    def get(self, case, context):
        """The run's own wrong passwords make everybody at this address wait: as long as is said."""
        until = time.monotonic() + THROTTLED_SECONDS
        while True:
            answer = requests.post(ORIGIN + "/api/v1/session", json=ACCOUNT, timeout=SECONDS,
                                   headers={"Origin": ORIGIN})
            if answer.status_code != 429 or time.monotonic() > until:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        answer.raise_for_status()
        return answer.cookies.get_dict(), answer.json()["csrf_token"]

    def set(self, case, data, context):
        cookies, csrf_token = data
        case.cookies = {**(case.cookies or {}), **cookies}
        case.headers = {**(case.headers or {}), "X-CSRF-Token": csrf_token}


@schemathesis.hook
def before_call(context, case, kwargs):
    """What a browser sends by itself."""
    case.headers = {**(case.headers or {}), "Origin": ORIGIN}
