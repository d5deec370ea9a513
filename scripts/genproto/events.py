"""proto/events/*.schema.json and proto/asyncapi.yaml -> topics.h events.h events.c"""
import re

from .common import banner, c_name, c_text, expect, load_json
from .shapes import Shape, Tables, struct_lines

SUFFIX = ".schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SERVICES = {"gateway", "registration", "credit", "renewal", "notification", "mamisctl"}


def short(event_type):
    """credits.posted.v1 -> credits_posted; later versions keep theirs: credits_posted_v2"""
    return c_name(re.sub(r"\.v1$", "", event_type))


def load_events(folder):
    events = {}
    for path in sorted(folder.glob("*.json")):
        where = f"events/{path.name}"
        expect(path.name.endswith(SUFFIX), f"{where}: name ends in {SUFFIX}")
        name = path.name[:-len(SUFFIX)]
        schema = load_json(path)
        expect(re.fullmatch(r"[a-z_.]+\.v[1-9][0-9]*", name), f"{where}: name is no type.vN")
        expect(schema.get("$schema") == DIALECT, f"{where}: $schema")
        expect(schema.get("$id") == f"urn:mamis:event:{name}", f"{where}: $id")
        expect(schema.get("title") == name, f"{where}: title")
        expect(schema.get("description"), f"{where}: description")
        expect(schema.get("type") == "object", f"{where}: type")
        expect(schema.get("examples"), f"{where}: examples")
        events[name] = schema
    return events


def channels_of(asyncapi):
    """channel id -> (topic, key, partitions, retention_ms, about, [types])"""
    messages = asyncapi["components"]["messages"]
    channels = {}
    for name, channel in asyncapi["channels"].items():
        kafka = channel["bindings"]["kafka"]
        expect(channel["address"] == kafka["topic"], f"asyncapi.yaml: {name}: topic")
        types = [messages[message]["name"] for message in channel["messages"]]
        channels[name] = {"topic": channel["address"], "key": channel["x-key"],
                          "partitions": kafka["partitions"], "about": channel["description"],
                          "retention_ms": kafka["topicConfiguration"]["retention.ms"],
                          "bytes_max": kafka["topicConfiguration"]["max.message.bytes"],
                          "types": types,
                          "receivers": [(messages[message]["name"], receiver)
                                        for message in channel["messages"]
                                        for receiver in messages[message]["x-receivers"]]}
    return channels


def check(events, asyncapi, channels):
    messages = {message["name"]: message for message in asyncapi["components"]["messages"].values()}
    expect(set(messages) == set(events), "asyncapi.yaml and events/ differ: "
           f"{sorted(set(messages) ^ set(events))}")
    for name, message in messages.items():
        where = f"asyncapi.yaml: {name}"
        used = [channel for channel in channels.values() if name in channel["types"]]
        expect(len(used) == 1, f"{where}: belongs to one channel")
        for people in ("x-senders", "x-receivers"):
            expect(message[people] and set(message[people]) <= SERVICES, f"{where}: {people}")
        data = message["payload"]["allOf"][1]["properties"]
        expect(data["type"]["const"] == name and
               data["data"]["$ref"] == f"./events/{name}{SUFFIX}", f"{where}: payload")


def no_refs(schema):
    expect("$ref" not in schema, f"events/: $ref is not used: {schema.get('$ref')}")
    return schema


def generate(events, asyncapi, out):
    channels = channels_of(asyncapi)
    check(events, asyncapi, channels)
    shapes = {name: Shape(f"event_{short(name)}", schema, name, no_refs, True)
              for name, schema in events.items()}
    for name, shape in shapes.items():
        shape.description = events[name]["description"]
    out.add("topics.h", topics_header(channels))
    out.add("events.h", events_header(events, shapes, channels))
    out.add("events.c", events_source(shapes))
    return shapes


def topics_header(channels):
    lines = [banner("Topics of Kafka.", "proto/asyncapi.yaml"), "#pragma once", "", "/* clang-format off */"]
    for name, channel in channels.items():
        lines.append(f"/* {channel['about']}. Key: {channel['key']}. */")
        lines.append(f"#define TOPIC_{name.upper()} {c_text(channel['topic'])}")
    lines += ["", "/* X(name of the #define, topic, partitions, retention in ms, bytes of a record) */",
              "#define TOPICS(X) \\"]
    rows = [f"    X(TOPIC_{name.upper()}, {c_text(channel['topic'])}, {channel['partitions']}, "
            f"INT64_C({channel['retention_ms']}), {channel['bytes_max']})"
            for name, channel in channels.items()]
    lines.append(" \\\n".join(rows))
    lines += ["", "/* X(type, topic, schema of the process that applies it); the gateway keeps no offsets */",
              "#define EVENT_RECEIVERS(X) \\",
              " \\\n".join(f"    X({c_text(name)}, {c_text(channel['topic'])}, {c_text(receiver)})"
                           for channel in channels.values()
                           for name, receiver in channel["receivers"] if receiver != "gateway")]
    lines += ["", f"enum {{ TOPIC_COUNT = {len(channels)} }};", "/* clang-format on */"]
    return "\n".join(lines)


def events_header(events, shapes, channels):
    topic_of = {name: channel for channel, entry in channels.items() for name in entry["types"]}
    lines = [banner("Data of events and commands.", "proto/events/"),
             "/*", " * Decode: unknown fields are ignored, limits checked; ERR_SCHEMA with the place in",
             " * `note`. Texts and free JSON are borrowed from `data`, lists live in the arena. Absent or",
             " * null: texts have data NULL, days DAY_NONE, times INT64_MIN, pointers NULL, others has_...",
             " * false. Encode: a new reference; texts have to be UTF-8.", " */",
             "#pragma once", '#include "gen/topics.h"', '#include "shape/shape.h"', ""]
    for name, shape in shapes.items():
        upper = short(name).upper()
        lines += ["/*", f" * {name}: {events[name]['description']}", " */",
                  f"#define EVENT_{upper} {c_text(name)}",
                  f"#define EVENT_{upper}_TOPIC TOPIC_{topic_of[name].upper()}", ""]
        lines += struct_lines(shape)
        lines += [f"CHECKED enum err {shape.name}_decode(struct arena *arena, json_t *data,",
                  f"                                     struct {shape.name} *out,",
                  "                                     struct err_note *note);",
                  f"json_t *{shape.name}_encode(const struct {shape.name} *event);", ""]
    lines += ["/* X(name of struct and functions, type) */", "/* clang-format off */",
              "#define EVENTS(X) \\",
              " \\\n".join(f"    X({shape.name}, {c_text(name)})" for name, shape in shapes.items()),
              "/* clang-format on */"]
    return "\n".join(lines)


def events_source(shapes):
    tables = Tables()
    functions = []
    for shape in shapes.values():
        table = tables.add(shape)
        functions += ["", f"enum err {shape.name}_decode(struct arena *arena, json_t *data,",
                      f"    struct {shape.name} *out, struct err_note *note)", "{",
                      f"    return shape_decode_event(arena, &{table}, data, out, note);", "}", "",
                      f"json_t *{shape.name}_encode(const struct {shape.name} *event)", "{",
                      f"    return shape_encode(&{table}, event);", "}"]
    return "\n".join([banner("Data of events and commands.", "proto/events/"),
                      '#include "gen/events.h"', "", *tables.lines, *functions])
