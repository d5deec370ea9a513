"""What some faults do: the clock, the mail server's answers, full disks, limits, slow readers."""

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
import urllib.request

import psycopg2

import kafka_admin
from running.process import wait_for

DAY_US = 24 * 3600 * 1000000
TOLD_S = 30
UNREAD_S = 120       # the gateway ends after 10 s where an answer is stuck, after 75 s of quiet
UNREAD_REQUESTS = 6  # on one connection
GATEWAY_KIB_MOST = 512 * 1024


# ---- the wall clock of the workers (F61) ----

def change_clock(run):
    """A day on, a day back, or to and fro."""
    way = run.chance.choice([[DAY_US], [-DAY_US], [DAY_US, 0, -DAY_US, 0]])
    run.clock_right = threading.Event()

    def turn():
        at = 0
        while True:
            run.fleet.set_clock(way[at % len(way)])
            at += 1
            if run.clock_right.wait(0.2):
                return

    run.clock_turns = threading.Thread(target=turn, daemon=True)
    run.clock_turns.start()


def right_clock(run):
    run.clock_right.set()
    run.clock_turns.join()
    run.fleet.set_clock(0)


# ---- the mail server's answers ----

def _told(run):
    try:
        with open(run.fleet.mood_file + ".told", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def refused_mails(run):
    """Message-IDs and addresses that it refused for good."""
    return {name for _, answer, address, message_id in _told(run) if answer.startswith("5")
            for name in (message_id, address) if name}


def answer_mails(choices, times):
    def strike(run):
        at, answer = run.chance.choice(choices)
        run.told_before = len(_told(run))
        run.fleet.set_mood({"at": at, "answer": answer, "times": times})
    return strike


def mails_again(run):
    """It has answered at least one mail so, and is itself again."""
    try:
        run.hungry_for(lambda: len(_told(run)) > run.told_before, TOLD_S)
    finally:
        run.fleet.set_mood({})


# ---- what a system call does to some processes, as long as the tracer lives ----

def inject(pids, call, what, log="/dev/null"):
    words = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}", "-e", f"inject={call}:{what}"]
    for pid in pids:
        words += ["-p", str(pid)]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


# ---- no room for PostgreSQL's log (F29) ----

def fill_log_volume(run):
    """The next writes of credit's sessions find no room: of the log that is a PANIC."""
    run.tracer_log = run.fleet.scratch("strace")
    with run.fleet.sql() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'mamis_credit'"
                       " OR backend_type IN ('walwriter', 'checkpointer')")
        pids = [row[0] for row in cursor.fetchall()]
    run.tracer = inject(pids, "pwrite64", "error=ENOSPC", run.tracer_log)


def empty_log_volume(run):
    def found():
        with open(run.tracer_log, encoding="utf-8", errors="replace") as file:
            return "ENOSPC" in file.read()

    try:
        wait_for(found, 30, "a write that finds no room")
    finally:
        run.end_tracer()
    wait_for(run.postgres_answers, 60, "PostgreSQL after its log had no room")


# ---- events larger than Kafka takes (F47) ----

def shrink_events(run):
    kafka_admin.set_topic(run.fleet.copy.kafka.port, run.events_topic, "max.message.bytes", "700")


def grow_events(run):
    """As before; what was put aside is published after all."""
    kafka_admin.set_topic(run.fleet.copy.kafka.port, run.events_topic, "max.message.bytes", None)
    run.unpark()


# ---- clients that never read (F57) ----

def never_read(run):
    """The next file sent, and a large result asked for again and again; no answer is taken."""
    load, number = run.load, run.chance.choice([1, 2])
    run.unread = [one for one in getattr(run, "unread", []) if not _gone(run, *one)]
    with load.changed:
        file = load.take(200) if load.ready else None
        done = [one for one in run.world.files[-60:] if one.upload_id and one.rows > 3000
                and one.status == "done"]
    token = f"Authorization: Bearer {run.token}\r\n"
    port = run.fleet.http_port(number)
    host = f"Host: 127.0.0.1:{port}\r\n"
    if file is not None:
        head = (f"POST /api/v1/seminars/{file.seminar.no}/attendance HTTP/1.1\r\n{host}{token}"
                f"Content-Type: text/csv\r\nIdempotency-Key: {file.key}\r\n"
                f"Content-Disposition: attachment; filename*=UTF-8''{file.name}.csv\r\n"
                f"Content-Length: {len(file.data)}\r\n\r\n")
        _send(run, port, head.encode() + file.data)
        run.after_heal = lambda: load.accepted_later(file)
    for one in done[:3]:
        request = (f"GET /api/v1/uploads/{one.upload_id}/result.csv HTTP/1.1\r\n{host}{token}"
                   "\r\n")
        _send(run, port, request.encode() * UNREAD_REQUESTS)


def _send(run, port, data):
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    link.settimeout(5)
    try:
        link.connect(("127.0.0.1", port))
        link.sendall(data)
    except OSError:
        link.close()
        return
    run.unread.append((time.monotonic(), link))


def _held(link):
    """True while a process holds the other end: here the end alone would not tell, for what says
    that it is gone stands behind bytes that nobody takes."""
    here, there = (f":{address[1]:04X}" for address in (link.getsockname(), link.getpeername()))
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file:
            fields = line.split()
            if fields[1].endswith(there) and fields[2].endswith(here):
                return fields[3] == "01" and fields[9] != "0"  # established; 0: an orphan
    return False


def _gone(run, begun, link):
    """True when the gateway has let go of it; later than it promises is a violation."""
    try:
        held = _held(link)
    except OSError:  # the other end reset it
        held = False
    late = time.monotonic() - begun > UNREAD_S
    if held and late:
        run.load.violation(f"an answer that nobody takes was kept for {UNREAD_S} s")
    if not held or late:
        link.close()
    return not held or late


def stop_waiting(run):
    run.after_heal()
    run.after_heal = lambda: None
    for name in run.fleet.running("gateway"):
        with open(f"/proc/{run.fleet.pid(name)}/status", encoding="ascii") as file:
            most = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        if most > GATEWAY_KIB_MOST:
            run.load.violation(f"{name} has taken {most} KiB")


# ---- a deadlock of which a worker is the victim (F25) ----

DEADLOCK_S = 60
METRICS_S = 10
WAITS_MS = 800  # the worker looks for a deadlock once, after deadlock_timeout (1 s) of waiting


def _deadlocks(run):
    """Batches of the workers that PostgreSQL ended with 40P01, by their own count."""
    total = 0
    for name in run.fleet.running("credit"):
        address = run.fleet.services[name].admin_url + "/metrics"
        with urllib.request.urlopen(address, timeout=METRICS_S) as answer:
            total += sum(int(line.split()[1]) for line in answer.read().decode().splitlines()
                         if line.startswith("mamis_db_deadlocks_total"))
    return total


def _one_waits_for(cursor, pid):
    until = time.monotonic() + WAITS_MS / 1000
    while time.monotonic() < until:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'mamis_credit'"
                       " AND %s = ANY (pg_blocking_pids(pid))", (pid,))
        if cursor.fetchone()[0]:
            return True
        time.sleep(0.01)
    return False


def _cross(watcher, session):
    """Takes the rows of uploads that post, then wants those of the offsets. A worker holds its
    offset's row when it comes to its upload's; only its session ever looks for deadlocks."""
    with watcher.cursor() as eyes, session.cursor() as cursor:
        cursor.execute("SET LOCAL deadlock_timeout = '1h'; SET LOCAL lock_timeout = '10s';"
                       " SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        cursor.execute("SELECT FROM credit.upload WHERE status = 'posting' FOR UPDATE SKIP LOCKED")
        if cursor.rowcount and _one_waits_for(eyes, pid):
            with contextlib.suppress(psycopg2.errors.LockNotAvailable):  # nobody fell
                cursor.execute("SELECT FROM credit.work_offset WHERE topic = 'mamis.credit.work'"
                               " FOR UPDATE")
    session.rollback()


def cross_locks(run):
    """False when no worker has met a deadlock."""
    run.thaw()
    before = _deadlocks(run)
    with contextlib.closing(run.fleet.sql()) as watcher, \
            contextlib.closing(run.fleet.sql()) as session:
        session.autocommit = False

        def crossed():
            _cross(watcher, session)
            return _deadlocks(run) > before

        return run.hungry_for(crossed, DEADLOCK_S)
