"""JSON Schema -> C structs and the tables of services/lib/shape."""
import re

from .common import c_name, c_text, expect

I64_MIN, I64_MAX = -(2**63), 2**63 - 1
SCALARS = {"text": "struct str", "uuid": "struct uuid", "day": "day_t", "time": "int64_t",
           "int": "int64_t", "bool": "bool", "json": "json_t *"}
# Types whose value itself can say that there is none.
SPEAKS_OF_NONE = {"text", "day", "time", "json", "list"}
EXAMPLES = {"uuid": "0195f2f0-6c1e-7b52-9a38-0c2f4b7d1e20", "day": "2025-04-01",
            "time": "2025-04-01T09:00:00+09:00", "int": "123"}
C_WORDS = {"default", "return", "register", "int", "long", "short", "union", "struct", "enum"}


def parse_pattern(pattern, where):
    """A row of character classes with counts, as (characters, least, most)."""
    match = re.fullmatch(r"\^(.*)\$", pattern)
    expect(match, f"{where}: pattern {pattern} has no ^ and $")
    rest, runs = match.group(1), []
    piece = re.compile(r"(\[[^\]]+\]|\\.|[^\\\[\]().*+?{}|^$])(\{\d+(?:,\d+)?\}|[+*?])?")
    while rest:
        found = piece.match(rest)
        expect(found, f"{where}: pattern {pattern} is more than classes and counts")
        atom, count = found.group(1), found.group(2) or "{1}"
        characters = {chr(code) for code in range(128) if re.fullmatch(atom, chr(code), re.A)}
        least, most = {"+": (1, 65535), "*": (0, 65535), "?": (0, 1)}.get(count, (None, None))
        if least is None:
            numbers = [int(number) for number in count[1:-1].split(",")]
            least, most = numbers[0], numbers[-1]
        if runs and runs[-1][1] != runs[-1][2]:
            expect(not runs[-1][0] & characters, f"{where}: pattern {pattern} needs to go back")
        runs.append((characters, least, most))
        rest = rest[found.end():]
    return runs


class Field:
    """A member of an object, an item of a list, or a parameter."""

    def __init__(self, name, schema, where, required, resolve):
        schema = resolve(schema)
        self.name, self.where, self.schema = name, where, schema
        self.c = c_name(name) + ("_" if c_name(name) in C_WORDS else "")
        types = schema.get("type")
        types = types if isinstance(types, list) else [types]
        self.nullable = "null" in types
        self.required = required
        self.json_type = next((kind for kind in types if kind != "null"), None)
        expect(self.json_type, f"{where}: no type")
        self.kind = self._kind()
        self.values = [value for value in schema.get("enum", []) if value is not None] or None
        self.pattern = parse_pattern(schema["pattern"], where) if "pattern" in schema else None
        self.object = self.item = None
        self._limits(resolve)

    def _kind(self):
        schema = self.schema
        if self.json_type == "string":
            return {"uuid": "uuid", "date": "day", "date-time": "time"}.get(schema.get("format"),
                                                                             "text")
        if self.json_type == "object":
            free = isinstance(schema.get("additionalProperties"), dict) or schema.get("x-json")
            return "json" if free else "object"
        kinds = {"integer": "int", "boolean": "bool", "array": "list"}
        expect(self.json_type in kinds, f"{self.where}: type {self.json_type} is not supported")
        return kinds[self.json_type]

    def _limits(self, resolve):
        schema, where = self.schema, self.where
        self.least, self.most = 0, 0
        if self.kind == "text":
            expect("maxLength" in schema or self.values, f"{where}: a text needs maxLength")
            self.least, self.most = schema.get("minLength", 0), schema.get("maxLength", 0)
        elif self.kind == "int":
            expect("minimum" in schema and "maximum" in schema,
                   f"{where}: a number needs minimum and maximum")
            self.least, self.most = schema["minimum"], schema["maximum"]
            expect(I64_MIN <= self.least <= self.most <= I64_MAX, f"{where}: range")
        elif self.kind == "list":
            expect("maxItems" in schema, f"{where}: a list needs maxItems")
            self.least, self.most = schema.get("minItems", 0), schema["maxItems"]
            self.item = Field(self.name, schema["items"], f"{where}[]", True, resolve)
        elif self.kind == "json":
            self.most = schema.get("maxProperties", 1000)
            members = schema.get("additionalProperties")
            if isinstance(members, dict):
                self.item = Field(self.name, members, f"{where}.*", True, resolve)

    @property
    def has(self):
        """A bool beside the value says whether there is one."""
        optional = not self.required or self.nullable
        return optional and self.kind not in SPEAKS_OF_NONE and self.kind != "object"

    @property
    def by_pointer(self):
        return self.kind == "object" and (not self.required or self.nullable)


class Shape:
    """An object and the struct that holds it."""

    def __init__(self, name, schema, where, resolve, event):
        schema = resolve(schema)
        self.name, self.where, self.event = name, where, event
        self.closed = schema.get("additionalProperties") is False
        expect(event or self.closed, f"{where}: needs additionalProperties: false")
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        for member in required:
            expect(member in properties, f"{where}: {member} is required but not described")
        self.fields = [Field(key, value, f"{where}.{key}", key in required, resolve)
                       for key, value in properties.items()]
        self.nested = []
        for field in self.fields:
            self._nest(field, resolve)
        self.rules = self._rules(schema)

    def _nest(self, field, resolve):
        if field.kind == "object":
            field.object = Shape(f"{self.name}_{field.c}", field.schema, field.where, resolve,
                                 self.event)
            self.nested.append(field.object)
        elif field.kind == "list" and field.item.kind == "object":
            single = field.c[:-1] if field.c.endswith("s") else field.c
            field.item.object = Shape(f"{self.name}_{single}", field.item.schema, field.item.where,
                                      resolve, self.event)
            self.nested.append(field.item.object)

    def _rules(self, schema):
        places = {field.name: place for place, field in enumerate(self.fields)}
        lists = schema.get("x-parallel", [])
        return [(places[lists[0]], places[name]) for name in lists[1:]]


def c_type(field):
    return f"struct {field.object.name}" if field.kind == "object" else SCALARS[field.kind]


def struct_lines(shape):
    """The struct and those it needs, innermost first."""
    lines = []
    for nested in shape.nested:
        lines += struct_lines(nested)
    lines.append(f"struct {shape.name} {{")
    for field in shape.fields:
        lines += member_lines(field)
    if not shape.fields:
        lines.append("    char nothing;")
    return lines + ["};", ""]


def member_lines(field):
    note = comment_of(field)
    if field.kind == "list":
        kind = c_type(field.item)
        pointer = "json_t *const *" if field.item.kind == "json" else f"const {kind} *"
        return [f"    {pointer}{field.c};{note}", f"    size_t {field.c}_count;"]
    if field.by_pointer:
        return [f"    const struct {field.object.name} *{field.c};{note}"]
    kind = c_type(field)
    lines = [f"    {kind}{'' if kind.endswith('*') else ' '}{field.c};{note}"]
    if field.has:
        lines.append(f"    bool has_{field.c};")
    return lines


def comment_of(field):
    words = []
    if field.values:
        words.append(" ".join('""' if value == "" else str(value) for value in field.values))
    elif field.schema.get("description"):
        words.append(field.schema["description"].strip().rstrip("."))
    if not field.required:
        words.append("optional")
    elif field.nullable:
        words.append("may be none")
    return f" /* {'; '.join(words)} */" if words else ""


class Tables:
    """C text of the tables; texts of patterns and values are shared."""

    def __init__(self):
        self.lines = []
        self.known = {}

    def _shared(self, prefix, key, make):
        if (prefix, key) not in self.known:
            name = f"{prefix}_{len(self.known)}"
            self.known[(prefix, key)] = name
            self.lines += make(name)
        return self.known[(prefix, key)]

    def _pattern(self, runs):
        def make(name):
            rows = []
            for characters, least, most in runs:
                bits = sum(1 << ord(character) for character in characters)
                rows.append(f"    {{UINT64_C({bits & (2**64 - 1):#x}), UINT64_C({bits >> 64:#x}), "
                            f"{least}, {most}}},")
            return [f"static const struct shape_run {name}_runs[] = {{", *rows, "};",
                    f"static const struct shape_pattern {name} = "
                    f"{{{name}_runs, {len(runs)}}};", ""]

        key = tuple(("".join(sorted(characters)), least, most) for characters, least, most in runs)
        return self._shared("pattern", key, make)

    def _values(self, values):
        def make(name):
            words = ", ".join(c_text(value) for value in values)
            return [f"static const char *const {name}[] = {{{words}, NULL}};", ""]

        return self._shared("values", tuple(values), make)

    def initialiser(self, field, struct=None, event=False):
        """`{.name = ...}` of one field; `struct` NULL: an item or a parameter."""
        flags = []
        if field.required:
            flags.append("SHAPE_REQUIRED")
        if field.nullable:
            flags.append("SHAPE_NULLABLE")
        if struct and field.has:
            flags.append("SHAPE_HAS")
        if struct and field.by_pointer:
            flags.append("SHAPE_POINTER")
        if field.kind == "text" and event:
            flags.append("SHAPE_CONTROL")
        elif field.kind == "text" and field.schema.get("x-multiline"):
            flags.append("SHAPE_MULTILINE")
        parts = [f".name = {c_text(field.name)}", f".type = SHAPE_{field.kind.upper()}"]
        if flags:
            parts.append(f".flags = {' | '.join(flags)}")
        if struct:
            parts.append(f".offset = offsetof(struct {struct}, {field.c})")
            if field.kind == "list":
                parts.append(f".beside = offsetof(struct {struct}, {field.c}_count)")
            elif field.has:
                parts.append(f".beside = offsetof(struct {struct}, has_{field.c})")
        if field.least:
            parts.append(f".least = {c_int(field.least)}")
        if field.most:
            parts.append(f".most = {c_int(field.most)}")
        parts += self._extras(field, event)
        return "{" + ", ".join(parts) + "}"

    def _extras(self, field, event):
        parts = []
        if field.pattern:
            parts.append(f".pattern = &{self._pattern(field.pattern)}")
        if field.values:
            parts.append(f".values = {self._values(field.values)}")
        example = EXAMPLES.get(field.kind) or (field.schema.get("examples") or [None])[0]
        if example:
            parts.append(f".example = {c_text(str(example))}")
        if field.kind == "object":
            parts.append(f".object = &{field.object.name}_shape")
        if field.item:
            name = f"item_{len(self.known)}"
            self.known[("item", name)] = name
            text = self.initialiser(field.item, None, event)
            self.lines += [f"static const struct shape_field {name} = {text};", ""]
            parts.append(f".item = &{name}")
            if field.kind == "list":
                parts.append(f".item_bytes = sizeof({c_type(field.item)})")
        return parts

    def add(self, shape):
        """The tables of a shape and of those it needs; gives the name of its shape."""
        for nested in shape.nested:
            self.add(nested)
        rows = [f"    {self.initialiser(field, shape.name, shape.event)},"
                for field in shape.fields]
        name = f"{shape.name}_shape"
        parts = [f".name = {c_text(shape.where)}", f".bytes = sizeof(struct {shape.name})",
                 f".closed = {'true' if shape.closed else 'false'}"]
        if rows:
            self.lines += [f"static const struct shape_field {shape.name}_fields[] = {{", *rows,
                           "};"]
            parts += [f".fields = {shape.name}_fields", f".count = {len(rows)}"]
        if shape.rules:
            rules = [f"    {{{left}, {right}}}," for left, right in shape.rules]
            self.lines += [f"static const struct shape_rule {shape.name}_rules[] = {{", *rules,
                           "};"]
            parts += [f".rules = {shape.name}_rules", f".rule_count = {len(rules)}"]
        self.lines += [f"static const struct shape {name} = {{{', '.join(parts)}}};", ""]
        return name


def c_int(number):
    return str(number) if -(2**31) < number < 2**31 else f"INT64_C({number})"
