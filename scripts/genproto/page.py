"""Everything in proto/ -> reference.md, for people who read rather than run."""
from .events import channels_of

SCOPE = {"own": "own", "organisation": "organisation", "all": "all"}


def generate(doc, routes, rights, asyncapi, schemas, errors, out):
    lines = ["# MAMIS: contracts", "",
             "Made from proto/ by scripts/gen_proto.py. Credits are half units, money yen, times",
             "RFC 3339 with +09:00, days of Japan.", ""]
    lines += addresses(doc, routes) + rights_table(rights) + topics(asyncapi, schemas)
    lines += codes(errors) + process_errors(errors)
    out.add("reference.md", "\n".join(lines))


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows] + [""]


def type_words(field):
    words = {"text": "text", "uuid": "id", "day": "day", "time": "time", "int": "integer",
             "bool": "boolean", "object": "object", "list": "list", "json": "object"}[field.kind]
    if field.values:
        words = ", ".join(f"`{value}`" if value else "empty" for value in field.values)
    elif field.kind == "text" and field.most:
        words += f" {field.least}-{field.most}" if field.least else f" to {field.most}"
    elif field.kind == "int":
        words += f" {field.least} to {field.most}"
    elif field.kind == "list":
        words += f" to {field.most} of: {type_words(field.item)}"
    return words + (" or null" if field.nullable else "")


def field_rows(shape, prefix=""):
    rows = []
    for field in shape.fields:
        rows.append((f"`{prefix}{field.name}`", type_words(field), "yes" if field.required else "",
                     field.schema.get("description", "")))
        if field.object:
            rows += field_rows(field.object, f"{prefix}{field.name}.")
        elif field.item is not None and field.item.object:
            rows += field_rows(field.item.object, f"{prefix}{field.name}[].")
    return rows


def addresses(doc, routes):
    lines = ["## HTTP", "", doc["info"]["description"].strip(), ""]
    for tag in doc["tags"]:
        lines += [f"### {tag['description']}", ""]
        for route in routes:
            if route.node["tags"] == [tag["name"]]:
                lines += address(route)
    return lines


def address(route):
    node = route.node
    lines = [f"#### `{route.method.upper()} {route.path}`", "", f"{node['summary']}.", ""]
    if node.get("description"):
        lines += [node["description"].strip(), ""]
    lines += [f"Operation `{route.operation}`, action `{route.action}`, rate class `{route.rate}`"
              + (f", body to {route.body_bytes_max} bytes" if route.body_bytes_max else "") + ".",
              ""]
    if route.fields:
        lines += table(["parameter", "in", "value", "needed", ""],
                       [(f"`{param['name']}`", param["in"], type_words(field),
                         "yes" if param.get("required") else "", param.get("description", ""))
                        for param, field in route.fields])
    if route.body and route.body.fields:
        lines += table(["field", "value", "needed", ""], field_rows(route.body))
    answers = [f"{status} {answer.get('description', answer.get('$ref', '').split('/')[-1])}"
               for status, answer in node["responses"].items() if status != "default"]
    return lines + ["Answers: " + "; ".join(answers) + "; else a problem.", ""]


def rights_table(rights):
    roles = rights["roles"]
    rows = [(f"`{name}`", action["about"],
             *[SCOPE.get(action["roles"].get(role), "-") for role in roles],
             ", ".join(action.get("tokens", [])))
            for name, action in rights["actions"].items()]
    return ["## Rights", ""] + table(["action", "", *roles, "tokens"], rows)


def topics(asyncapi, schemas):
    messages = {message["name"]: message
                for message in asyncapi["components"]["messages"].values()}
    lines = ["## Topics", ""]
    for channel in channels_of(asyncapi).values():
        hours = int(channel["retention_ms"]) // 3600000
        lines += [f"### `{channel['topic']}`", "",
                  f"{channel['about']}. Key `{channel['key']}`, {channel['partitions']} partitions, "
                  f"kept {hours} h.", ""]
        for name in channel["types"]:
            message = messages[name]
            lines += [f"#### `{name}`", "",
                      f"{schemas[name].description} From {', '.join(message['x-senders'])} to "
                      f"{', '.join(message['x-receivers'])}.", ""]
            lines += table(["field", "value", "needed", ""], field_rows(schemas[name]))
    return lines


def codes(errors):
    lines = ["## Codes", ""]
    for group, about in errors["groups"].items():
        rows = [(f"`{code.get('says', name)}`", code.get("status", about["status"]),
                 code["ja"]["title"], code["en"]["title"], code["en"]["cure"])
                for name, code in errors["codes"].items() if code["group"] == group]
        lines += [f"### {group}: {about['about']}", ""]
        lines += table(["code", "status", "Japanese", "English", "cure"], rows)
    return lines


def process_errors(errors):
    return ["## Process errors", ""] + table(
        ["error", "class", "status"],
        [(f"`{error['name']}`", error["class"], error["status"]) for error in errors["errors"]])
