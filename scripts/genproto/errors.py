"""proto/errors.yaml -> errors.h errors.c codes.h codes.c"""
import re

from .common import banner, c_text, expect

CLASSES = ["ok", "input", "state", "retry", "bug"]
LANGUAGES = ["ja", "en"]
NAME = re.compile(r"[a-z][a-z0-9_]*$")

# What a process error is called towards people when no code has its name.
CODE_OF_CLASS = {"ok": "none", "input": "bad_request", "state": "state_conflict",
                 "retry": "service_unavailable", "bug": "internal"}
CODE_OF_ERROR = {"too_many": "too_many_requests", "db_unknown": "outcome_unknown",
                 "settings": "internal", "port": "internal"}

HELPERS = r"""
enum { CODE_VALUE_BYTES_MAX = 240 };

/* A value as people see it: cut after a whole character. */
static void add_value(struct buf *out, struct str value)
{
    size_t len = value.len;

    if (len > CODE_VALUE_BYTES_MAX) {
        len = CODE_VALUE_BYTES_MAX;
        while (len > 0 && ((unsigned char)value.data[len] & 0xC0) == 0x80)
            len--;
    }
    if (len > 0)
        buf_add(out, value.data, len);
    if (len < value.len)
        buf_add_c(out, "…");
}

static const struct code_param *find(struct str name, const struct code_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(name, params[i].name))
            return &params[i];
    }
    return NULL;
}

void code_render(struct buf *out, const char *text, const struct code_param *params, size_t count)
{
    while (*text != '\0') {
        const char *open = strchr(text, '{');
        const char *close = open == NULL ? NULL : strchr(open, '}');

        if (close == NULL) {
            buf_add_c(out, text);
            return;
        }
        buf_add(out, text, (size_t)(open - text));
        const struct str name = {open + 1, (size_t)(close - open - 1)};
        const struct code_param *param = find(name, params, count);

        if (param == NULL || param->value.len == 0)
            buf_add_char(out, '-');
        else
            add_value(out, param->value);
        text = close + 1;
    }
}

const char *code_name(enum code code)
{
    must((size_t)code < CODE_COUNT);
    return codes[code].name;
}

const struct code_text *code_text(enum code code, bool english)
{
    must((size_t)code < CODE_COUNT);
    return english ? &codes[code].en : &codes[code].ja;
}

unsigned code_status(enum code code)
{
    must((size_t)code < CODE_COUNT);
    return codes[code].status;
}

enum code_group code_group(enum code code)
{
    must((size_t)code < CODE_COUNT);
    return codes[code].group;
}

enum code code_of_name(struct str name)
{
    for (size_t i = 1; i < CODE_COUNT; i++) {
        if (!codes[i].variant && str_eq_c(name, codes[i].name))
            return (enum code)i;
    }
    return CODE_NONE;
}

enum code code_of_err(enum err err)
{
    must((size_t)err < ARRAY_LEN(of_err));
    return of_err[err];
}
"""


def generate(doc, out):
    errors, groups, codes = doc["errors"], doc["groups"], doc["codes"]
    check_errors(errors)
    check_codes(codes, groups)
    out.add("errors.h", errors_header(errors))
    out.add("errors.c", errors_source(errors))
    out.add("codes.h", codes_header(codes, groups))
    out.add("codes.c", codes_source(codes, groups, errors))


def check_errors(errors):
    names = [error["name"] for error in errors]
    expect(names[0] == "ok", "errors.yaml: the first error is ok")
    for error in errors:
        name = error["name"]
        expect(NAME.match(name), f"errors.yaml: error '{name}' is no name")
        expect(names.count(name) == 1, f"errors.yaml: error '{name}' stands twice")
        expect(set(error) == {"name", "class", "status"}, f"errors.yaml: keys of '{name}'")
        expect(error["class"] in CLASSES, f"errors.yaml: class of '{name}'")
        expect(100 <= error["status"] <= 599, f"errors.yaml: status of '{name}'")


def check_codes(codes, groups):
    for name, code in codes.items():
        where = f"errors.yaml: code '{name}'"
        expect(NAME.match(name), f"{where} is no name")
        expect(set(code) <= {"group", "status", "says", "params", "ja", "en"}, f"{where}: keys")
        expect(code.get("group") in groups, f"{where}: group")
        expect("says" not in code or code["says"] in codes, f"{where}: says an unknown code")
        params = code.get("params", [])
        for language in LANGUAGES:
            text = code.get(language, {})
            expect(list(text) == ["title", "detail", "cure"],
                   f"{where}: {language} needs title, detail, cure")
            for part, words in text.items():
                expect(isinstance(words, str), f"{where}: {language} {part} is no text")
                used = re.findall(r"\{([^}]*)\}", words)
                for param in used:
                    expect(param in params, f"{where}: {language} {part} uses {{{param}}}")
            expect(text["title"] and text["detail"], f"{where}: {language} is empty")


def errors_header(errors):
    lines = [banner("Process errors.", "proto/errors.yaml"), "#pragma once", "", "enum err {"]
    for number, error in enumerate(errors):
        lines.append(f"    ERR_{error['name'].upper()} = {number},")
    lines += ["};", "", f"enum {{ ERR_COUNT = {len(errors)} }};", "",
              "/* The class alone decides what happens next: see proto/errors.yaml. */",
              "enum err_class {"]
    lines += [f"    ERR_CLASS_{name.upper()}," for name in CLASSES]
    lines += ["};", "", '/* "db_down" for ERR_DB_DOWN. */', "const char *err_name(enum err err);",
              "enum err_class err_class(enum err err);",
              "/* HTTP status when it ends a request. */", "unsigned err_status(enum err err);"]
    return "\n".join(lines)


def errors_source(errors):
    lines = [banner("Process errors.", "proto/errors.yaml"), '#include "gen/errors.h"', "",
             '#include "base/base.h"', "",
             "static const struct {", "    const char *name;", "    enum err_class class;",
             "    unsigned status;", "} errors[ERR_COUNT] = {"]
    for error in errors:
        lines.append(f"    [ERR_{error['name'].upper()}] = {{{c_text(error['name'])}, "
                     f"ERR_CLASS_{error['class'].upper()}, {error['status']}}},")
    lines.append("};")
    for kind, function, field in (("const char *", "err_name", "name"),
                                  ("enum err_class ", "err_class", "class"),
                                  ("unsigned ", "err_status", "status")):
        lines += ["", f"{kind}{function}(enum err err)", "{",
                  "    must((size_t)err < ERR_COUNT);", f"    return errors[err].{field};", "}"]
    return "\n".join(lines)


def codes_header(codes, groups):
    lines = [banner("Codes of problems and of rows' outcomes, with their texts.",
                    "proto/errors.yaml"), "#pragma once", "", '#include "base/str.h"', "",
             "enum code {", "    CODE_NONE = 0,"]
    group = None
    for name, code in codes.items():
        if code["group"] != group:
            group = code["group"]
            lines.append(f"    /* {groups[group]['about']} */")
        variant = f" /* another text of {code['says']} */" if "says" in code else ""
        lines.append(f"    CODE_{name.upper()},{variant}")
    lines += ["};", "", f"enum {{ CODE_COUNT = {len(codes) + 1} }};", "",
              "enum code_group {", "    CODE_GROUP_NONE = 0,"]
    for name, group in groups.items():
        lines.append(f"    CODE_GROUP_{name.upper()}, /* {group['about']} */")
    lines += ["};", "", "/* `detail` and `cure` may hold {names} to fill in by code_render(). */",
              "struct code_text {", "    const char *title;", "    const char *detail;",
              '    const char *cure; /* "" when there is nothing to do */', "};", "",
              "struct code_param {", "    const char *name;", "    struct str value;", "};", "",
              "/* The stable name that is sent; a variant has the name of the code it stands for. */",
              "const char *code_name(enum code code);",
              "const struct code_text *code_text(enum code code, bool english);",
              "/* HTTP status when it is a problem of its own. */",
              "unsigned code_status(enum code code);",
              "enum code_group code_group(enum code code);",
              "/* CODE_NONE when there is no such code; never a variant. */",
              "enum code code_of_name(struct str name);",
              "/* The code that tells people of a process error. */",
              "enum code code_of_err(enum err err);",
              "/*", " * Append `text` with {name}s filled in. Long values are cut; a name without a"
              " value shows \"-\".", " */",
              "void code_render(struct buf *out, const char *text, const struct code_param *params,",
              "                 size_t count);"]
    return "\n".join(lines)


def codes_source(codes, groups, errors):
    lines = [banner("Codes of problems and of rows' outcomes, with their texts.",
                    "proto/errors.yaml"), '#include "gen/codes.h"', "", "#include <string.h>", "",
             "static const struct {", "    const char *name;", "    enum code_group group;",
             "    unsigned status;", "    bool variant;", "    struct code_text ja;",
             "    struct code_text en;", "} codes[CODE_COUNT] = {",
             '    [CODE_NONE] = {"", CODE_GROUP_NONE, 200, false, {"", "", ""}, {"", "", ""}},']
    for name, code in codes.items():
        status = code.get("status", groups[code["group"]]["status"])
        lines.append(f"    [CODE_{name.upper()}] = {{{c_text(code.get('says', name))}, "
                     f"CODE_GROUP_{code['group'].upper()}, {status}, "
                     f"{'true' if 'says' in code else 'false'},")
        for language in LANGUAGES:
            text = ", ".join(c_text(code[language][part]) for part in ("title", "detail", "cure"))
            lines.append(f"        {{{text}}},")
        lines.append("    },")
    lines += ["};", "", "static const enum code of_err[ERR_COUNT] = {"]
    for error in errors:
        name = error["name"]
        code = CODE_OF_ERROR.get(name) or (name if name in codes else CODE_OF_CLASS[error["class"]])
        lines.append(f"    [ERR_{name.upper()}] = CODE_{code.upper()},")
    lines += ["};", HELPERS]
    return "\n".join(lines)
