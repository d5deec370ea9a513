"""tests/security/asvs.csv against OWASP ASVS 5.0.0, levels 1 and 2: each requirement stands there
once, and what is said to show it is there.

state: met (`shown` names tests as FILE::NAME, or the line of a file that decides), none (does not
apply), open (not met yet). `why` says why, where it is not met or what is not seen at once. The
standard's sentences are its own; `about` has only words to find them by.
"""
import collections
import csv
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
# Requirements of levels 1 and 2 in each chapter.
CHAPTERS = {1: (8, 19), 2: (4, 7), 3: (8, 11), 4: (2, 8), 5: (4, 5), 6: (13, 22), 7: (6, 12),
            8: (4, 3), 9: (4, 3), 10: (5, 24), 11: (3, 11), 12: (3, 6), 13: (1, 12), 14: (2, 7),
            15: (3, 10), 16: (0, 16), 17: (0, 7)}


def rows():
    with open(HERE / "asvs.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_requirement_stands_there_once():
    ids = [row["id"] for row in rows()]
    assert len(ids) == len(set(ids)) == sum(sum(counts) for counts in CHAPTERS.values())
    found = collections.Counter((int(row["id"][1:].split(".")[0]), row["level"]) for row in rows())
    assert {chapter: (found[(chapter, "1")], found[(chapter, "2")]) for chapter in CHAPTERS} == \
        CHAPTERS


def test_each_says_how_it_stands():
    for row in rows():
        assert row["state"] in ("met", "none", "open"), row
        assert row["about"], row
        if row["state"] == "met":
            assert row["shown"], row
        else:
            assert row["why"] and not row["shown"], row
    states = collections.Counter(row["state"] for row in rows())
    print(", ".join(f"{state} {count}" for state, count in sorted(states.items())))


def test_what_shows_it_is_there():
    missing = []
    for row in rows():
        for shown in filter(None, row["shown"].split("; ")):
            path, _, name = shown.partition("::")
            file = TOP / path
            if not file.is_file() or not name or name not in file.read_text(encoding="utf-8"):
                missing.append(f"{row['id']}: {shown}")
    assert not missing, "\n".join(missing)
