"""The faults: what each does, how it ends, which rows of the fault matrix it stands for.

A fault is struck while both workers are frozen with an upload in the middle of posting (chaos.py
sees to that), goes on for a while with the workers awake, and is then healed.
"""

import contextlib
import random
import signal
import subprocess

import psycopg2

import kafka_admin
import strikes
from running.process import Failure, wait_for

WORK, EVENTS = "mamis.credit.work", "mamis.credit.events"
WORK_PARTITIONS = 8
REPLAYS = 4


class Fault:
    """`strike` is called with the workers frozen, `last` seconds later `heal`. A strike that gives
    False has missed, and is no hit."""

    def __init__(self, name, rows, strike, heal=None, last=0.3):
        self.name, self.rows, self.last = name, rows, last
        self.strike, self.heal = strike, heal or (lambda run: None)
        self.hits = 0
        self.recovery = []  # seconds from healed to the next chunk posted


def _one_credit(run):
    return run.chance.choice(["credit-1", "credit-2"])


def _gateway(run):
    return run.chance.choice(["gateway-1", "gateway-2"])


def _kill(*names):
    def strike(run):
        run.killed = [name(run) if callable(name) else name for name in names]
        for name in run.killed:
            run.fleet.kill(name)
    return strike


def _bring_back(run):
    for name in run.killed:
        run.fleet.bring_back(name)
    run.killed = []


def _terminate(choose):
    """SIGTERM reaches a frozen process when it goes on."""
    def strike(run):
        name = choose(run)
        run.killed = [name]
        run.thaw()
        run.fleet.terminate(name)
    return strike


def _stop(choose):
    def strike(run):
        run.stopped = choose(run) if callable(choose) else choose
        run.fleet.send(run.stopped, signal.SIGSTOP)
        run.keep_frozen = {run.stopped}
    return strike


def _go_on(run):
    run.fleet.send(run.stopped, signal.SIGCONT)
    run.keep_frozen = set()


def _order(*words):
    return lambda run: run.fleet.links.order(*words)


def _release(names):
    """What was held is not delivered late: the connection ends, as a broken network's would."""
    def heal(run):
        run.fleet.links.order("cut", names)
        run.fleet.links.order("release", names)
    return heal


def _deliver(names):
    return _order("release", names)


# ---- credit ----

def _kill_after_commit(run):
    """Commits reach PostgreSQL, their answers never come back; then the process dies (F3)."""
    run.fleet.links.order("hold", "pg:credit-*", "down")
    run.thaw()
    run.wait(0.2)
    _kill("credit-1", "credit-2")(run)
    _release("pg:credit-*")(run)


def _kill_before_mark(run):
    """Published, but the mark that says so never reaches PostgreSQL (F9)."""
    run.thaw()
    run.fleet.links.order("hold", "pg:credit-*", "up")
    run.wait(0.1)
    _kill("credit-1", "credit-2")(run)
    _release("pg:credit-*")(run)


def _few_descriptors(run):
    """No new file descriptor, and the connections to PostgreSQL are gone (F59)."""
    for name in run.fleet.running("credit"):
        run.fleet.limit_descriptors(name, 8)
    run.fleet.links.order("cut", "pg:credit-*")


def _many_descriptors(run):
    for name in run.fleet.running("credit"):
        run.fleet.limit_descriptors(name, None)


# ---- PostgreSQL ----

def _backends(run):
    with run.fleet.sql() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'mamis_credit'")
        return [row[0] for row in cursor.fetchall()]


def _terminate_backends(run):
    with run.fleet.sql() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                       " WHERE usename IN ('mamis_credit', 'mamis_gateway')")


def _kill_backend(run):
    """SIGKILL to one backend: PostgreSQL restarts all of them (F19)."""
    pids = _backends(run)
    if pids:
        run.kill_pid(run.chance.choice(pids))


def _postgres_back(run):
    wait_for(run.postgres_answers, 60, "PostgreSQL after a crash")


def _restart_postgres(run):
    run.fleet.copy.postgres.process.stop(20, signal.SIGINT)


def _lock_tables(run):
    """Somebody holds a lock longer than lock_timeout."""
    run.holder = run.fleet.sql()
    run.holder.autocommit = False
    with run.holder.cursor() as cursor:
        with contextlib.suppress(psycopg2.Error):
            cursor.execute("LOCK TABLE credit.ledger IN SHARE ROW EXCLUSIVE MODE")


def _unlock_tables(run):
    with contextlib.suppress(psycopg2.Error):
        run.holder.rollback()
        run.holder.close()


def _fill_connections(run):
    """No connection is left, and those of the workers are cut."""
    run.many = []
    run.fleet.links.order("cut", "pg:credit-*")
    with contextlib.suppress(psycopg2.Error):
        while len(run.many) < 250:
            run.many.append(run.fleet.sql())


def _leave_connections(run):
    for connection in run.many:
        connection.close()
    run.many = []


def _slow_disk(run):
    """Each flush of the log takes 0.3 s more (F31)."""
    run.tracer = strikes.inject(_backends(run), "fdatasync", "delay_enter=300000")


def _quick_disk(run):
    if run.tracer.poll() not in (None, 0):
        run.load.violation("the disk was not slow: strace could not attach")
    run.end_tracer()


# ---- Kafka ----

def _restart_kafka(run):
    run.killed = ["kafka"]
    run.fleet.send("kafka", signal.SIGTERM)
    run.thaw()
    run.fleet.copy.kafka.process.stop(30)


def _lost_acks(run):
    """Requests arrive, their answers do not: cut behind the request, before the answer (F45)."""
    run.fleet.links.order("hold", "kafka", "down")


def _replay(run, topic):
    copy = run.fleet.copy
    for turn in range(REPLAYS):
        try:
            copy.mamisctl("replay", "--topic", topic, seconds=300)
            return
        except Failure as failure:
            if "code 3" in failure.text:  # published; a service needs longer to take it over
                return
            if turn + 1 == REPLAYS:
                raise


def _lose_topic(topic):
    def strike(run):
        port = run.fleet.copy.kafka.port
        kafka_admin.delete_topic(port, topic)
        wait_for(lambda: not kafka_admin.topic_exists(port, topic), 30, f"{topic}: being deleted")
    return strike


def _topic_back(topic):
    def heal(run):
        run.fleet.copy.mamisctl("topics")
        _replay(run, topic)
    return heal


def _lose_records(run):
    kafka_admin.delete_records(run.fleet.copy.kafka.port, WORK, WORK_PARTITIONS)


def _repeat_events(run):
    """The newest messages once more, in their own and in other partitions (F51)."""
    with run.fleet.sql() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT key, body FROM (SELECT * FROM credit.outbox UNION ALL SELECT * FROM"
                       " gateway.outbox) o WHERE topic = %s ORDER BY created_at DESC LIMIT 60",
                       (WORK,))
        rows = cursor.fetchall()
    lines = "".join(f"{key}\t{body}\n" for key, body in reversed(rows))
    for part in run.chance.sample(range(WORK_PARTITIONS), 3):
        subprocess.run(["kcat", "-P", "-b", run.fleet.copy.kafka.bootstrap, "-t", WORK, "-p",
                        str(part), "-K", "\t"], input=lines.encode(), check=True, timeout=30)


# ---- Redis ----

def _redis(*words):
    def act(run):
        with contextlib.suppress(OSError):
            run.fleet.copy.redis.command(*words)
    return act


FAULTS = [
    Fault("credit: SIGKILL to one of two", "F7 F11 F13", _kill(_one_credit), _bring_back),
    Fault("credit: SIGKILL to both", "F1 F11", _kill("credit-1", "credit-2"), _bring_back),
    Fault("credit: SIGTERM to one of two", "F5", _terminate(_one_credit), _bring_back),
    Fault("credit: SIGSTOP for a second", "F27", _stop(_one_credit), _go_on, last=1),
    Fault("credit: SIGSTOP beyond its session", "F27 K10", _stop(_one_credit), _go_on, last=7),
    Fault("credit: killed after COMMIT, before its answer", "F3", _kill_after_commit, _bring_back),
    Fault("credit: killed after publishing, before the mark", "F9", _kill_before_mark, _bring_back),
    Fault("credit: clock a day on or back, or to and fro", "F61", strikes.change_clock,
          strikes.right_clock, last=1.5),
    Fault("credit: no file descriptor left", "F59", _few_descriptors, _many_descriptors, last=1),
    Fault("gateway: SIGKILL to one of two", "-", _kill(_gateway), _bring_back),
    Fault("gateway: SIGTERM to one of two", "-", _terminate(_gateway), _bring_back),
    Fault("gateway: SIGSTOP for a second", "-", _stop(_gateway), _go_on, last=1),
    Fault("gateway: clients cut off", "F55", _order("cut", "http:*")),
    Fault("gateway: clients that never read", "F57", strikes.never_read, strikes.stop_waiting,
          last=0.5),
    Fault("gateway: queue of open uploads full", "B93", lambda run: run.fill_uploads()),
    Fault("registration: SIGKILL", "-", _kill("registration-1"), _bring_back),
    Fault("renewal: SIGKILL", "F13", _kill("renewal-1"), _bring_back),
    Fault("notification: SIGKILL", "F15 F17", _kill("notification-1"), _bring_back),
    Fault("mail server: SIGKILL", "F15", _kill("mail"), _bring_back),
    Fault("mail server: 4xx", "-", strikes.answer_mails(
        [("rcpt", "450 4.2.1 later"), ("dot", "451 4.3.0 later"), ("dot", "421 4.3.2 closing")],
        5), strikes.mails_again),
    Fault("mail server: 5xx", "F65 F67", strikes.answer_mails(
        [("rcpt", "550 5.1.1 nobody"), ("dot", "552 5.2.2 full"), ("dot", "554 5.6.0 no")],
        1), strikes.mails_again),
    Fault("mail server: line cut behind the final dot", "F17", strikes.answer_mails(
        [("dot", "drop")], 3), strikes.mails_again),
    Fault("PostgreSQL: link cut", "F53", _order("cut", "pg:*")),
    Fault("PostgreSQL: nothing arrives, then cut", "F53", _order("hold", "pg:credit-*", "up"),
          _release("pg:credit-*"), last=1.5),
    Fault("PostgreSQL: no answer, then cut", "F3 F53", _order("hold", "pg:credit-*", "down"),
          _release("pg:credit-*"), last=1.5),
    Fault("PostgreSQL: answers late", "F31", _order("hold", "pg:*", "down"), _deliver("pg:*"),
          last=1.5),
    Fault("PostgreSQL: cut every 100 kB", "F55", _order("budget", "pg:credit-*", "up", 100000),
          _deliver("pg:credit-*"), last=1.5),
    Fault("PostgreSQL: sessions terminated", "F21", _terminate_backends),
    Fault("PostgreSQL: SIGKILL to a backend", "F19", _kill_backend, _postgres_back),
    Fault("PostgreSQL: SIGKILL", "F19 F23", _kill("postgres"), _bring_back),
    Fault("PostgreSQL: restart", "F23", _restart_postgres,
          lambda run: run.fleet.bring_back("postgres")),
    Fault("PostgreSQL: no room for its log", "F29", strikes.fill_log_volume,
          strikes.empty_log_volume),
    Fault("PostgreSQL: table locked", "-", _lock_tables, _unlock_tables, last=2.5),
    Fault("PostgreSQL: deadlock, a worker ends it", "F25", strikes.cross_locks),
    Fault("PostgreSQL: no connection left", "F59", _fill_connections, _leave_connections, last=1),
    Fault("PostgreSQL: slow disk", "F31", _slow_disk, _quick_disk, last=1.5),
    Fault("Kafka: SIGKILL", "-", _kill("kafka"), _bring_back),
    Fault("Kafka: restart", "-", _restart_kafka, _bring_back),
    Fault("Kafka: frozen", "F43", _stop("kafka"), _go_on, last=3),
    Fault("Kafka: link cut", "F55", _order("cut", "kafka")),
    Fault("Kafka: no acknowledgement, then cut", "F45 K5", _lost_acks, _release("kafka"), last=1),
    Fault("Kafka: queue of the producer fills", "-", _order("hold", "kafka", "up"),
          _deliver("kafka"), last=3),
    Fault("Kafka: work topic deleted, replayed", "1.3", _lose_topic(WORK), _topic_back(WORK)),
    Fault("Kafka: event topic deleted, replayed", "1.3", _lose_topic(EVENTS), _topic_back(EVENTS)),
    Fault("Kafka: unread records gone, replayed", "F49", _lose_records,
          lambda run: _replay(run, WORK)),
    Fault("Kafka: events larger than it takes", "F47", strikes.shrink_events,
          strikes.grow_events, last=1),
    Fault("Kafka: messages repeated in three partitions", "F51", _repeat_events),
    Fault("Redis: SIGKILL", "F35", _kill("redis"), _bring_back),
    Fault("Redis: frozen", "F37", _stop("redis"), _go_on, last=1),
    Fault("Redis: flushed", "F35", _redis("FLUSHALL")),
    Fault("Redis: memory full", "F39", _redis("CONFIG", "SET", "maxmemory", "1kb"),
          _redis("CONFIG", "SET", "maxmemory", "256mb"), last=1),
]


# Rows of the matrix that no fault here stands for, and why. Neighbours of a row stand beside it:
# the same event ten times, in three partitions, is one.
NOT_HERE = {
    "F33": "a drill: test_restore_to_a_moment in tests/integration/test_crash.py",
    "F41": "wants three brokers; the only one of here is killed, restarted, frozen and cut off",
    "F63": "about starting without entropy; nothing posts before a start",
}
MATRIX = [f"F{number}" for number in range(1, 68, 2)]


def coverage():
    """(rows struck, rows that are neither struck nor explained)"""
    struck = {row for fault in FAULTS for row in fault.rows.split() if row in MATRIX}
    return struck, [row for row in MATRIX if row not in struck and row not in NOT_HERE]


def schedule(seed, count):
    """Names in a random order, every kind as often as the others (give or take one)."""
    chance = random.Random(seed)
    order = []
    while len(order) < count:
        order += chance.sample(FAULTS, len(FAULTS))
    return order[:count]
