#!/usr/bin/python3
"""Includes point down only. usage: layers.py < names of files, NUL between them

service > lib/proc > lib/work postcard passkey > lib/db cache bus http mail scan pdf secret attendance posted chain fees > lib/flow lib/domain >
lib/text lib/shape lib/qr lib/retention > lib/base. A file includes its own folder and lower ranks; services never include
each other. Generated headers rank as the library that they belong to.
"""
import pathlib
import re
import sys

RANKS = {
    "base": 0, "text": 1, "shape": 1, "qr": 1, "retention": 1, "flow": 2, "domain": 2,
    "db": 3, "cache": 3, "bus": 3, "http": 3, "mail": 3, "scan": 3, "secret": 3,
    "attendance": 3, "pdf": 3, "posted": 3, "chain": 3, "fees": 3,
    "postcard": 4, "passkey": 4, "work": 4, "proc": 5,
}
SERVICE = 6
SERVICES = {"gateway", "registration", "credit", "renewal", "notification", "mamisctl"}
# Built from proto/ into mamis_base and mamis_proto; tables of a library into that library.
GENERATED = {"errors.h": "base", "codes.h": "base", "cp932_table.h": "text"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def rank(folder):
    return RANKS.get(folder, SERVICE)


def folder_of(path):
    """services/lib/db/db.c -> db, services/credit/x.c -> credit, services/notification/mail/.. too"""
    parts = pathlib.PurePath(path).parts
    return parts[2] if parts[1] == "lib" else parts[1]


def judge(path, line_no, target):
    """Text of what is wrong, or None."""
    own = folder_of(path)
    parts = target.split("/")
    where = f"{path}:{line_no}: includes {target}"
    if len(parts) == 1:
        return f"{where}: write the folder too"
    other = parts[0]
    if other == "gen":
        other = GENERATED.get(parts[1], "shape")
    if other not in RANKS and other not in SERVICES:
        return f"{where}: no such folder"
    if other == own:
        return None
    if rank(own) == SERVICE and other in SERVICES:
        return f"{where}: a service includes another"
    if rank(other) >= rank(own):
        return f"{where}: {own} may not include {other}"
    return None


def main():
    wrong = []
    for path in filter(None, sys.stdin.read().split("\0")):
        if not (pathlib.PurePath(path).parts[1] in SERVICES | {"lib"}):
            continue
        with open(path, encoding="utf-8") as file:
            for line_no, line in enumerate(file, 1):
                found = INCLUDE.match(line)
                if found:
                    wrong.append(judge(path, line_no, found.group(1)))
    wrong = [text for text in wrong if text]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
