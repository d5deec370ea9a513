"""proto/access.yaml -> access.h access.c access.sql"""
import re

from .common import banner, c_text, expect

NAME = re.compile(r"[a-z][a-z0-9_]*$")
# Of an action, besides who may do it.
FLAGS = ("first_login", "second_factor", "reauthenticate", "administrator")

FUNCTIONS = r"""
const char *role_name(enum role role)
{
    must((size_t)role < ROLE_COUNT);
    return roles[role];
}

enum role role_of_name(struct str name)
{
    for (size_t i = 1; i < ROLE_COUNT; i++) {
        if (str_eq_c(name, roles[i]))
            return (enum role)i;
    }
    return ROLE_NONE;
}

const char *action_name(enum action action)
{
    must((size_t)action < ACTION_COUNT);
    return actions[action].name;
}

bool action_of_name(struct str name, enum action *ret_action)
{
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        if (str_eq_c(name, actions[i].name)) {
            *ret_action = (enum action)i;
            return true;
        }
    }
    return false;
}

enum access_scope access_scope(enum role role, enum action action)
{
    must((size_t)role < ROLE_COUNT && (size_t)action < ACTION_COUNT);
    return (enum access_scope)actions[action].scopes[role];
}

bool access_allowed(enum role role, enum action action)
{
    return action == ACTION_PUBLIC || access_scope(role, action) != ACCESS_NONE;
}

bool access_first_login(enum action action)
{
    must((size_t)action < ACTION_COUNT);
    return actions[action].first_login;
}

bool access_second_factor(enum action action)
{
    must((size_t)action < ACTION_COUNT);
    return actions[action].second_factor;
}

bool access_reauthenticate(enum action action)
{
    must((size_t)action < ACTION_COUNT);
    return actions[action].reauthenticate;
}

bool access_administrator(enum action action)
{
    must((size_t)action < ACTION_COUNT);
    return actions[action].administrator;
}

bool access_reason(enum role role, enum action action)
{
    must((size_t)role < ROLE_COUNT && (size_t)action < ACTION_COUNT);
    return (actions[action].reason >> role & 1u) != 0;
}

bool access_token_allowed(struct str scope, enum action action)
{
    must((size_t)action < ACTION_COUNT);
    for (size_t i = 0; i < TOKEN_SCOPE_COUNT; i++) {
        if (str_eq_c(scope, token_scopes[i]))
            return (actions[action].tokens >> i & 1u) != 0;
    }
    return false;
}
"""


def check(doc):
    roles, scopes = doc["roles"], doc["scopes"]
    for name, action in doc["actions"].items():
        where = f"access.yaml: {name}"
        expect(NAME.match(name) and name != "public", f"{where}: no name")
        expect(set(action) <= {"about", *FLAGS, "tokens", "reason", "roles"}, f"{where}: keys")
        expect(action.get("about"), f"{where}: about")
        expect(action.get("roles"), f"{where}: nobody may do it")
        for role, scope in action["roles"].items():
            expect(role in roles, f"{where}: role {role}")
            expect(scope in scopes, f"{where}: scope {scope}")
        for role in action.get("reason", []):
            expect(role in action["roles"], f"{where}: reason of role {role}")
        for token in action.get("tokens", []):
            expect(token in doc["token_scopes"], f"{where}: token scope {token}")


def generate(doc, out):
    check(doc)
    out.add("access.h", header(doc))
    out.add("access.c", source(doc))
    out.add("access.sql", table(doc))


def table(doc):
    """The rows of portal.access, all of them anew."""
    rows = ",\n".join(f"    ('{role}', '{name}', '{scope}')" for name, action in doc["actions"].items()
                      for role, scope in action["roles"].items())
    return ("-- Made by scripts/gen_proto.py from proto/access.yaml.\n"
            "DELETE FROM portal.access;\n"
            f"INSERT INTO portal.access (role, action, scope) VALUES\n{rows};")


def header(doc):
    lines = [banner("Who may do what.", "proto/access.yaml"), "#pragma once",
             '#include "base/str.h"', "", "enum role {", "    ROLE_NONE = 0,"]
    lines += [f"    ROLE_{role.upper()}," for role in doc["roles"]]
    lines += ["};", "", "enum action {", "    ACTION_PUBLIC = 0, /* nobody needs to be signed in */"]
    lines += [f"    ACTION_{name.upper()}, /* {action['about']} */"
              for name, action in doc["actions"].items()]
    lines += ["};", "", "enum {", f"    ROLE_COUNT = {len(doc['roles']) + 1},",
              f"    ACTION_COUNT = {len(doc['actions']) + 1},",
              f"    TOKEN_SCOPE_COUNT = {len(doc['token_scopes'])},", "};", "",
              "/* How far a right reaches. */", "enum access_scope {", "    ACCESS_NONE = 0,"]
    lines += [f"    ACCESS_{scope.upper()}," for scope in doc["scopes"]]
    lines += ["};", "", "const char *role_name(enum role role); /* \"\" for ROLE_NONE */",
              "/* ROLE_NONE when there is no such role. */",
              "enum role role_of_name(struct str name);",
              "const char *action_name(enum action action);",
              "/* False when there is no such action. */",
              "bool action_of_name(struct str name, enum action *ret_action);",
              "enum access_scope access_scope(enum role role, enum action action);",
              "bool access_allowed(enum role role, enum action action);",
              "/* Open while a step of first login is pending. */",
              "bool access_first_login(enum action action);",
              "/* Open while the second factor is still to be given. */",
              "bool access_second_factor(enum action action);",
              "/* Only for who has proved lately who they are. */",
              "bool access_reauthenticate(enum action action);",
              "/* Only for accounts that administer their association, and the role admin. */",
              "bool access_administrator(enum action action);",
              "/* Whether the role has to say why. */",
              "bool access_reason(enum role role, enum action action);",
              "/* Whether a token with this scope (\"attendance:write\") may do it. */",
              "bool access_token_allowed(struct str scope, enum action action);",
              "/* Writes all rights into portal.access, which row security asks. */",
              "extern const char access_sql[];"]
    return "\n".join(lines)


def source(doc):
    roles = ", ".join(c_text(role) for role in doc["roles"])
    tokens = ", ".join(c_text(token) for token in doc["token_scopes"])
    lines = [banner("Who may do what.", "proto/access.yaml"), '#include "gen/access.h"', "",
             f"static const char *const roles[ROLE_COUNT] = {{\"\", {roles}}};",
             f"static const char *const token_scopes[TOKEN_SCOPE_COUNT] = {{{tokens}}};", "",
             "static const struct {", "    const char *name;",
             *(f"    bool {flag};" for flag in FLAGS),
             "    unsigned tokens; /* bit i: token_scopes[i] */",
             "    unsigned reason; /* bit i: role i */",
             "    unsigned char scopes[ROLE_COUNT];", "} actions[ACTION_COUNT] = {",
             '    [ACTION_PUBLIC] = {.name = "public", .first_login = true, .second_factor = true},']
    for name, action in doc["actions"].items():
        bits = sum(1 << doc["token_scopes"].index(token) for token in action.get("tokens", []))
        reason = sum(2 << doc["roles"].index(role) for role in action.get("reason", []))
        scopes = ", ".join(f"[ROLE_{role.upper()}] = ACCESS_{scope.upper()}"
                           for role, scope in action["roles"].items())
        flags = ", ".join("true" if action.get(flag) else "false" for flag in FLAGS)
        lines.append(f"    [ACTION_{name.upper()}] = {{{c_text(name)}, {flags}, {bits}, {reason}, "
                     f"{{{scopes}}}}},")
    sql = "\n".join(f"    {c_text(line + chr(10))}" for line in table(doc).split("\n"))
    lines += ["};", "", f"const char access_sql[] =\n{sql};", FUNCTIONS]
    return "\n".join(lines)
