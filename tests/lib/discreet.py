"""What must not stand in logs and mails: searching everything that a copy wrote for it."""

import json
import pathlib
import re

# Fields of a log line that hold times and amounts: digits there are nobody's number.
AMOUNTS = re.compile(r"(^|_)(time|us|ms|s|n|count|rows|bytes|port|pid|offset|part|version|line|rate)$")
ADDRESS = re.compile(r"[\w.+-]+@(?!mamis\.)[\w-]+\.(?:example\.)?(?:jp|com)")


def _values(line):
    """The texts and numbers of a log line that could be somebody's; the whole line when it is none
    of ours (PostgreSQL, Redis, Kafka, a library)."""
    try:
        fields = json.loads(line)
    except ValueError:
        return [line]
    if not isinstance(fields, dict):
        return [line]
    return [str(value) for key, value in fields.items() if not AMOUNTS.search(key)]


def log_lines(folder):
    """(file, line) of every log."""
    for path in sorted(pathlib.Path(folder).glob("*.log")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            yield path.name, line


def leaks_in_logs(folder, secrets):
    """Where a secret stands: [(file, what, line)]. `secrets`: {what: text}; digits count as a whole
    number only."""
    patterns = {what: re.compile(rf"(?<![0-9]){re.escape(text)}(?![0-9])") if text.isdigit()
                else re.compile(re.escape(text)) for what, text in secrets.items() if text}
    return [(name, what, line[:400]) for name, line in log_lines(folder)
            for what, pattern in patterns.items()
            if pattern.search(line) and any(pattern.search(value) for value in _values(line))]


def addresses_in_logs(folder):
    return [(name, line[:400]) for name, line in log_lines(folder) if ADDRESS.search(line)]
