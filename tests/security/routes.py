"""The routes that a running gateway serves, and requests made from what the contract says of them.

Nothing here knows a route by name: parameters get their values by their own names."""
import http.client
import json
import urllib.parse

from contract import CONTRACT
from world import missing

# Parameters that are the right themselves: who holds such a value may use it.
SECRETS = {"code"}


class Route:
    def __init__(self, served):
        self.method, self.path = served["method"], served["path"]
        self.operation, self.action = served["operation"], served["action"]
        self.node = CONTRACT.find(self.method, self.path.replace("{", "").replace("}", "")).node
        assert self.node["operationId"] == self.operation
        self.params = [CONTRACT.resolve(param) for param in self.node.get("parameters", [])]
        content = CONTRACT.resolve(self.node.get("requestBody", {})).get("content", {})
        self.body = content.get("application/json", {}).get("schema")
        if self.body is not None:
            self.body = CONTRACT.resolve(self.body)

    def names(self, place):
        return [param["name"] for param in self.params if param["in"] == place]

    def address(self, values, query=None):
        path = self.path
        for name in self.names("path"):
            path = path.replace("{" + name + "}", urllib.parse.quote(str(values[name]), safe=""))
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def reach(self, role):
        """How far the action reaches for a role: own, organisation, all, or None."""
        return CONTRACT.access["actions"][self.action]["roles"].get(role)

    def properties(self):
        """Places of the body that take a value: ("reason",), ("rows", 0, "register_no")."""
        return list(_places(self.body, ())) if self.body else []

    def is_free(self, place):
        """Whether any text may stand there: a reason, a title."""
        schema = self.body
        for step in place:
            schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
            schema = CONTRACT.resolve(schema)
        return schema.get("type") == "string" and not {"format", "pattern", "enum"} & set(schema)

    def least_body(self):
        """A body with what is required, and nothing wrong in it as far as the contract says."""
        return sample(self.body) if self.body else None

    def body_with(self, place, value):
        body = self.least_body()
        here = body
        for step, after in zip(place, place[1:] + (None,)):
            if after is None:
                here[step] = value
            elif isinstance(step, int):
                here = here[step]
            else:
                if not here.get(step):
                    here[step] = [{}] if after == 0 else {}
                here = here[step]
        return body


def _places(schema, before):
    schema = CONTRACT.resolve(schema)
    if "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from _places(inner, (*before, name))
    elif schema.get("type") == "array":
        yield from _places(schema["items"], (*before, 0))
    else:
        yield before


def sample(schema):
    """A small value that the schema takes."""
    schema = CONTRACT.resolve(schema)
    if "properties" in schema:
        return {name: sample(schema["properties"][name]) for name in schema.get("required", [])}
    if "enum" in schema:
        return schema["enum"][0]
    if "example" in schema:
        return schema["example"]
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [sample(schema["items"])] if schema.get("minItems") else []
    if kind == "integer":
        return schema.get("minimum", 1)
    if kind == "boolean":
        return False
    made = {"date": "2027-01-10", "email": "nobody@example.jp"}.get(schema.get("format"), "x")
    return made.ljust(schema.get("minLength", 0), "x")


def served_routes(stack):
    """From the gateway's admin port."""
    link = http.client.HTTPConnection("127.0.0.1", stack.copy.port("gateway-1"), timeout=10)
    try:
        link.request("GET", "/routes")
        return [Route(one) for one in json.loads(link.getresponse().read())]
    finally:
        link.close()


def ask(client, route, values, body=None, query=None):
    """With a reason, where one is wanted."""
    body = route.least_body() if body is None else body
    return client.request(route.method, route.address(values, query), body, {"X-Reason": "test"},
                          events=1)


def values_of(route, place):
    """What a path's parameters are called at a place; no value for a name: add it to world.Place."""
    names = set(route.names("path")) - SECRETS
    unknown = names - set(place.ids)
    assert not unknown, f"{route.operation}: tests/security/world.py has no value for {unknown}"
    return {**{name: place.ids[name] for name in names},
            **{name: missing(name) for name in set(route.names("path")) & SECRETS}}
