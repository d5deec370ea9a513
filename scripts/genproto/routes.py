"""proto/openapi.yaml -> routes.h routes.c bodies.h bodies.c"""
import re

from .common import banner, c_text, expect
from .shapes import Field, Shape, Tables, c_int, struct_lines

METHODS = ["get", "post", "put", "patch", "delete"]
RATES = ["public", "sign_in", "read", "write", "upload", "stream"]
JSON = "application/json"


class Resolver:
    """Follows $ref inside one document; members beside the reference win."""

    def __init__(self, doc):
        self.doc = doc

    def __call__(self, node):
        while "$ref" in node:
            ref = node["$ref"]
            expect(ref.startswith("#/"), f"openapi.yaml: reference {ref}")
            target = self.doc
            for part in ref[2:].split("/"):
                expect(part in target, f"openapi.yaml: nothing at {ref}")
                target = target[part]
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        return node


class Route:
    def __init__(self, path, method, node, resolve, access):
        self.path, self.method, self.node = path, method, node
        self.operation = node.get("operationId", "")
        where = self.where = f"openapi.yaml: {method.upper()} {path}"
        expect(re.fullmatch(r"[a-z][a-z0-9_]*", self.operation), f"{where}: operationId")
        self.action = node.get("x-action")
        expect(self.action, f"{where}: x-action is missing")
        expect(self.action == "public" or self.action in access["actions"],
               f"{where}: x-action {self.action} is not in access.yaml")
        self.rate = node.get("x-rate-class")
        expect(self.rate in RATES, f"{where}: x-rate-class is one of {', '.join(RATES)}")
        self.streams = node.get("x-streams", False)
        self.params = [resolve(param) for param in node.get("parameters", [])]
        self._check_params(resolve)
        self._check_body(resolve)
        self._check_security(access)
        expect("default" in node["responses"], f"{where}: says nothing of problems")

    def _check_params(self, resolve):
        named = set(re.findall(r"\{([^}]+)\}", self.path))
        given = {param["name"] for param in self.params if param["in"] == "path"}
        expect(named == given, f"{self.where}: path parameters {sorted(named ^ given)}")
        self.fields = [(param, Field(param["name"], param["schema"],
                                     f"{self.where}: {param['name']}",
                                     param.get("required", False), resolve))
                       for param in self.params]

    def _check_body(self, resolve):
        self.body_bytes_max = self.node.get("x-body-bytes-max", 0)
        self.body = None
        has_body = "requestBody" in self.node
        expect(has_body == (self.body_bytes_max > 0),
               f"{self.where}: x-body-bytes-max goes with requestBody")
        if has_body:
            content = resolve(self.node["requestBody"])["content"]
            if JSON in content:
                self.body = Shape(f"body_{self.operation}", content[JSON]["schema"],
                                  self.operation, resolve, False)

    def _check_security(self, access):
        if self.action == "public":
            expect(self.node.get("security") == [], f"{self.where}: public needs security: []")
            return
        tokens = bool(access["actions"][self.action].get("tokens"))
        named = any("token" in way for way in self.node.get("security", []))
        expect(tokens == named, f"{self.where}: security and tokens of access.yaml differ")


def load_routes(doc, access):
    resolve = Resolver(doc)
    routes = [Route(path, method, item[method], resolve, access)
              for path, item in doc["paths"].items() for method in METHODS if method in item]
    operations = [route.operation for route in routes]
    for operation in operations:
        expect(operations.count(operation) == 1, f"openapi.yaml: {operation} stands twice")
    roles = doc["components"]["schemas"]["Role"]["enum"]
    expect(roles == access["roles"], "openapi.yaml: Role differs from access.yaml")
    return routes


def generate(routes, out):
    out.add("routes.h", routes_header(routes))
    out.add("routes.c", routes_source(routes))
    out.add("bodies.h", bodies_header(routes))
    out.add("bodies.c", bodies_source(routes))


def routes_header(routes):
    lines = [banner("Routes of the HTTP interface.", "proto/openapi.yaml"), "#pragma once",
             '#include "gen/access.h"', '#include "shape/shape.h"', "", "/* clang-format off */",
             "/* X(method, path, operation, action, most bytes of a body, body is streamed) */",
             "#define ROUTES(X) \\"]
    rows = [f"    X(HTTP_{route.method.upper()}, {c_text(route.path)}, {route.operation}, "
            f"{c_text(route.action)}, {route.body_bytes_max}, "
            f"{'true' if route.streams else 'false'})" for route in routes]
    lines.append(" \\\n".join(rows))
    lines += ["/* clang-format on */", "", f"enum {{ ROUTE_COUNT = {len(routes)} }};", "",
              "/* Which rate limit counts a request. */", "enum rate_class {"]
    lines += [f"    RATE_{rate.upper()}," for rate in RATES]
    lines += ["};", "", "enum route_in { ROUTE_PATH, ROUTE_QUERY, ROUTE_HEADER };", "",
              "struct route_param {", "    enum route_in in;", "    bool required;",
              "    int64_t fallback;         /* of a number or bool that is not given */",
              "    struct shape_field field; /* name and limits, for shape_text_check() */", "};", "",
              "struct route_info {", "    const char *operation;", "    enum action action;",
              "    enum rate_class rate;", "    const struct route_param *params;",
              "    size_t param_count;", "};", "",
              "/* NULL when there is no such operation. */",
              "const struct route_info *route_info(const char *operation);",
              "/* The parameter of a route; NULL when it has none of that name. */",
              "const struct route_param *route_param(const struct route_info *info, enum route_in in,",
              "                                      struct str name);"]
    return "\n".join(lines)


ROUTE_FUNCTIONS = r"""
const struct route_info *route_info(const char *operation)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (strcmp(infos[i].operation, operation) == 0)
            return &infos[i];
    }
    return NULL;
}

const struct route_param *route_param(const struct route_info *info, enum route_in in,
                                      struct str name)
{
    for (size_t i = 0; i < info->param_count; i++) {
        const struct route_param *param = &info->params[i];

        if (param->in == in && (in == ROUTE_HEADER ? str_eq_nocase(name, str_of(param->field.name))
                                                   : str_eq_c(name, param->field.name)))
            return param;
    }
    return NULL;
}
"""


def routes_source(routes):
    tables = Tables()
    arrays = []
    for route in routes:
        if not route.fields:
            continue
        rows = []
        for param, field in route.fields:
            fallback = param["schema"].get("default", field.schema.get("default", 0))
            rows.append(f"    {{ROUTE_{param['in'].upper()}, "
                        f"{'true' if param.get('required') else 'false'}, "
                        f"{c_int(int(fallback))}, {tables.initialiser(field)}}},")
        arrays += [f"static const struct route_param {route.operation}_params[] = {{", *rows, "};",
                   ""]
    infos = []
    for route in routes:
        params = f"{route.operation}_params, {len(route.fields)}" if route.fields else "NULL, 0"
        infos.append(f"    {{{c_text(route.operation)}, ACTION_{route.action.upper()}, "
                     f"RATE_{route.rate.upper()}, {params}}},")
    return "\n".join([banner("Routes of the HTTP interface.", "proto/openapi.yaml"),
                      '#include "gen/routes.h"', "", "#include <string.h>", "", *tables.lines,
                      *arrays, "static const struct route_info infos[ROUTE_COUNT] = {", *infos,
                      "};", ROUTE_FUNCTIONS])


def bodies_header(routes):
    lines = [banner("Bodies of requests.", "proto/openapi.yaml"),
             "/*", " * Decode: all problems are looked for, the first `problems_max` described, `*ret_count`",
             " * says how many there are (0 when good, then ERR_OK; else ERR_SCHEMA). Unknown fields are a",
             " * problem. Everything but free JSON is copied into the arena. Absent or null: texts have data",
             " * NULL, days DAY_NONE, times INT64_MIN, pointers NULL, others has_... false.", " */",
             "#pragma once", '#include "shape/shape.h"', ""]
    for route in routes:
        if route.body is None:
            continue
        lines.append(f"/* {route.method.upper()} {route.path} */")
        lines += struct_lines(route.body)
        name = route.body.name
        lines += [f"CHECKED enum err {name}_decode(struct arena *arena, json_t *json,",
                  f"    struct {name} *out, struct body_problem *problems, size_t problems_max,",
                  "    size_t *ret_count);", ""]
    lines += ["/* X(operation) of each route with a body */", "/* clang-format off */",
              "#define BODIES(X) \\",
              " \\\n".join(f"    X({route.operation})" for route in routes if route.body),
              "/* clang-format on */"]
    return "\n".join(lines)


def bodies_source(routes):
    tables = Tables()
    functions = []
    for route in routes:
        if route.body is None:
            continue
        table = tables.add(route.body)
        name = route.body.name
        functions += ["", f"enum err {name}_decode(struct arena *arena, json_t *json,",
                      f"    struct {name} *out, struct body_problem *problems, size_t problems_max,",
                      "    size_t *ret_count)", "{",
                      f"    return shape_decode(arena, &{table}, json, out, problems, problems_max,",
                      "                        ret_count);", "}"]
    return "\n".join([banner("Bodies of requests.", "proto/openapi.yaml"), '#include "gen/bodies.h"',
                      "", *tables.lines, *functions])
