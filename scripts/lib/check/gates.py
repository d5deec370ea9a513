#!/usr/bin/python3
"""Things that must not stand in the tree, each with its reason.

usage: gates.py < names of files, NUL between them
"""
import json
import pathlib
import re
import sys

CODE = (".c", ".h")
FILE_LINES_MAX = 800

# (files: function of the path, pattern, why)
REFUSED = [
    (lambda path: is_code(path), r"\bPQescape\w*\s*\(", "parameters only, never quoting by hand"),
    (lambda path: is_code(path), r"\b(PQfn|lo_[a-z]+)\s*\(", "not safe against a hostile server"),
    (lambda path: is_code(path), r"\brd_kafka_consume_batch\w*\s*\(", "loses messages with seek, "
     "pause or a rebalance"),
    (lambda path: in_services(path), r"\b(redisAsyncCommand|redisvAsyncCommand|redisCommand|"
     r"redisvCommand|redisAppendCommand)\s*\(", "formats: redisAsyncCommandArgv with lengths"),
    # bus_admin.c serves mamisctl, which has no loop to hold up.
    (lambda path: in_services(path) and not path.endswith("/bus_admin.c"),
     r"\brd_kafka_(query_watermark_offsets|seek_partitions)\s*\(", "their timeouts do not hold"),
    (lambda path: is_code(path), r"cooperative-sticky", "loops and crashes in librdkafka 2.0"),
    (lambda path: is_code(path), r"\bjson_(un)?pack\w*\s*\(\s*\"[^\"]*#", "takes negative lengths"),
    (lambda path: in_services(path), r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|"
     r"system|popen|setjmp|longjmp|alloca)\s*\(", "not used here: base/str.h has what is needed"),
    (lambda path: in_services(path), r"\b(setlocale|uselocale)\s*\(", "numbers and JSON need the C "
     "locale"),
    (lambda path: in_services(path), r"\b(sleep|usleep|nanosleep)\s*\(",
     "wait for a condition, with a deadline"),
    (lambda path: path.startswith("services/") and path.endswith("_store.c"),
     r"\b(now\(\)|current_timestamp|current_date)", "business time is a parameter"),
    (lambda path: True, r"\b(TODO|FIXME|XXX|HACK)\b", "finish it, or write an issue"),
    (lambda path: path.endswith("package-lock.json"), r'"resolved":', "the registry's address is "
     "everybody's own: npm config omit-lockfile-registry-resolved"),
]

# services/lib/bus/bus_conf.c has to say each of these; defaults of librdkafka differ.
BUS_SETTINGS = {
    "enable.idempotence": "true", "acks": "all", "max.in.flight": "5", "message.timeout.ms": "0",
    "queue.buffering.max.messages": "20000", "queue.buffering.max.kbytes": "32768",
    "linger.ms": "0", "partitioner": "murmur2_random", "compression.type": "lz4",
    "partition.assignment.strategy": "range", "session.timeout.ms": "6000",
    "heartbeat.interval.ms": "500", "enable.auto.commit": "false",
    "enable.auto.offset.store": "false", "auto.offset.reset": "error", "check.crcs": "true",
    "fetch.wait.max.ms": "50", "socket.nagle.disable": "true", "socket.keepalive.enable": "true",
    "allow.auto.create.topics": "false", "statistics.interval.ms": "5000", "log.queue": "true",
    "queued.min.messages": "20000", "queued.max.messages.kbytes": "16384",
    "reconnect.backoff.max.ms": "1000",
}
CLIENT_ID_BYTES_MAX = 16


def is_code(path):
    return path.endswith(CODE) and path.startswith(("services/", "tests/"))


def in_services(path):
    return path.endswith(CODE) and path.startswith("services/")


def without_comments(text):
    """C text with comments blanked, lines kept."""
    def blank(found):
        if found.group(0).startswith(('"', "'")):
            return found.group(0)
        return re.sub(r"[^\n]", " ", found.group(0))

    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', blank, text,
                  flags=re.S)


def refused(path, text):
    code = without_comments(text) if path.endswith(CODE) else text
    for applies, pattern, why in REFUSED:
        if not applies(path):
            continue
        leftover = "TODO" in pattern
        for found in re.finditer(pattern, text if leftover else code):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{path}:{line}: {found.group(0).strip()}: {why}"


def size(path, text):
    lines = text.count("\n")
    if path.endswith((".c", ".h", ".py", ".ts", ".tsx", ".mjs")) and lines > FILE_LINES_MAX:
        yield f"{path}: {lines} lines; split it by topic before {FILE_LINES_MAX}"


def bus_settings():
    path = pathlib.Path("services/lib/bus/bus_conf.c")
    if not path.exists():
        return
    said = dict(re.findall(r'\{"([a-z.]+)",\s*"([^"]*)"\}', path.read_text(encoding="utf-8")))
    for name, value in BUS_SETTINGS.items():
        if said.get(name) != value:
            yield f"{path}: {name} is {said.get(name, 'not set')}, has to be {value}"


def client_ids(path, text):
    for name in re.findall(r'"client\.id",\s*"([^"]*)"', text):
        if len(name.encode()) > CLIENT_ID_BYTES_MAX or not name.isascii():
            yield f"{path}: client.id {name} is longer than {CLIENT_ID_BYTES_MAX} ASCII bytes"


def migrations(paths):
    numbers = {}
    for path in paths:
        found = re.match(r"deploy/migrations/(\d+)_\w+\.sql$", path)
        if path.startswith("deploy/migrations/") and path.endswith(".sql"):
            if not found or len(found.group(1)) != 4:
                yield f"{path}: a migration is NNNN_name.sql"
            elif found.group(1) in numbers:
                yield f"{path}: number of {numbers[found.group(1)]}"
            else:
                numbers[found.group(1)] = path


def python_compiles(path, text):
    if path.endswith(".py"):
        try:
            compile(text, path, "exec")
        except SyntaxError as error:
            yield f"{path}:{error.lineno}: {error.msg}"


def json_reads(path, text):
    if path.endswith(".json") and "tsconfig" not in path:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            yield f"{path}:{error.lineno}: {error.msg}"


def main():
    own = "scripts/lib/check/gates.py"
    paths = [path for path in sys.stdin.read().split("\0") if path]
    wrong = list(migrations(paths)) + list(bus_settings())
    for path in paths:
        if path == own or path.startswith(("tests/data/", "LICENSE")):
            continue
        try:
            text = pathlib.Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for look in (refused, size, client_ids, python_compiles, json_reads):
            wrong += look(path, text)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
