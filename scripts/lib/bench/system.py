"""The system that is measured: a running copy of its own, filled with doctors."""

import os
import shutil
import tempfile
import time
import urllib.request

import psycopg2

from running import build, services
from running import kafka as brokers
from running import paths as places
from running.api import Client
from running.copy import Copy
from running.process import Process, wait_for

from . import data, ending, sink

PASSWORD = "bench-password-2026"
SETTLE_S = 300
QUIET_S = 90  # most wait for PostgreSQL's own work
# The limit of open uploads is fairness between organisers; here one sends everything. That of bytes
# is for people's files; one of a million rows has about 90 MB.
LIMITS = {"MAMIS_UPLOADS_OPEN_MAX": "1000", "MAMIS_UPLOAD_BYTES_MAX": str(128 * 1024 * 1024)}
# What is still to be applied or to be sent.
UNSETTLED = """
SELECT (SELECT count(*) FROM credit.outbox WHERE sent_at IS NULL AND parked IS NULL)
     + (SELECT count(*) FROM gateway.outbox WHERE sent_at IS NULL AND parked IS NULL)
     + (SELECT count(*) FROM credit.upload AS u
        WHERE status IN ('received', 'reading', 'posting') OR status = 'done' AND NOT EXISTS (
          SELECT FROM notification.upload AS n WHERE n.upload_id = u.upload_id AND n.complete))
"""
# The planner is not told that the ledger is empty: see 0178_ledger_parts.sql.
TABLES = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND oid >= 16384 AND oid::regclass::text NOT LIKE 'credit.ledger%'
"""
# Each alone: notification works meanwhile.
DROP_MAILS = (
    "UPDATE notification.upload SET released = true WHERE NOT released",
    "DELETE FROM notification.upload_chunk",
    "DELETE FROM notification.mail WHERE state IN ('ready', 'deferred')",
    "VACUUM notification.mail, notification.upload_chunk, notification.upload",
)


class System:
    """Servers and our processes in a scratch folder of their own, until close()."""

    def __init__(self, options, say=print):
        self.options, self.say = options, say
        self.folder = tempfile.mkdtemp(prefix="mamis-bench-")
        os.chmod(self.folder, 0o755)
        self.copy = Copy(os.path.join(self.folder, "run"), os.path.join(places.TOP, "build"))
        self.copy.mail = self.sink = sink.Sink(self.copy.paths, options.mail_ms)
        self.readers, self.tokens, self.connection = [], {}, None
        ending.opened(self)

    def start(self):
        os.environ.update(LIMITS)
        os.environ["MAMIS_NOW"] = data.NOW
        copy = self.copy
        copy.lock()
        build.programs(copy.build, copy.paths.log("build"))
        brokers.fetch(copy.paths.log("kafka-fetch"))
        copy.start_servers()
        copy.write_mamisctl_settings()
        copy.mamisctl("migrate")
        copy.mamisctl("topics")
        copy.start_services()
        self.connection = psycopg2.connect(copy.postgres.operator_dsn())
        self.connection.autocommit = True
        self.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.forget()
        ending.closed(self)

    def forget(self):
        """What still runs, and all files."""
        self.copy.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what is in it ----

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def fill(self):
        """Doctors; tokens for the large and the small files; readers signed in."""
        copy, doctors = self.copy, self.options.doctors
        copy.mamisctl("import", "organisers", self.write("organisers.csv", data.organisers()))
        path = self.write("members.csv", data.members(doctors))
        begun = time.monotonic()
        copy.mamisctl("import", "members", path, "--password-for-tests", PASSWORD, seconds=900)
        self.say(f"imported {doctors:,} doctors in {time.monotonic() - begun:.1f} s")
        self.tokens = {kind: copy.mamisctl("token", "create", "--organiser", code,
                                           "--scope", "attendance:write").strip().splitlines()[-1]
                       for kind, code in data.ORGANISERS.items()}
        self.readers = [Client(copy.base_url).sign_in(data.mamis_no(number), PASSWORD).cookie
                        for number in range(self.options.readers)]
        self.sql("VACUUM ANALYZE " + ", ".join(name for name, in self.sql(TABLES)))

    def seminars(self, names, kind, sessions=1):
        path = self.write("seminars.csv", data.seminars(names, kind, sessions))
        self.copy.mamisctl("import", "seminars", path, seconds=300)

    # ---- looking ----

    def sql(self, text, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else None

    def done(self, text):
        """False when others were in the way."""
        try:
            self.sql(text)
            return True
        except (psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable):
            return False

    def ledger_rows(self):
        return self.sql("SELECT count(*) FROM credit.ledger")[0][0]

    @staticmethod
    def metric(service, name):
        """The sum of a metric of a process; -1 while it is unknown."""
        with urllib.request.urlopen(service.admin_url + "/metrics", timeout=10) as answer:
            return sum(float(line.split()[-1]) for line in answer.read().decode().splitlines()
                       if line.split("{")[0].split(" ")[0] == name)

    def applied(self):
        """Whether each process has handled every message there is."""
        return all(self.metric(self.copy.service(*self.split(name)), "mamis_work_lag") == 0
                   for name in self.our_names())

    @staticmethod
    def split(name):
        service, _, number = name.rpartition("-")
        return service, int(number)

    def our_names(self):
        return [name for name in self.copy.process_names()
                if name.rpartition("-")[0] in services.NAMES]

    def settle(self):
        """Until everything is applied and PostgreSQL's own work has ended. Mails that still wait go
        unsent, so that every run begins with none."""
        wait_for(lambda: self.sql(UNSETTLED)[0][0] == 0 and self.applied(), SETTLE_S,
                 "everything applied", every=0.1)
        for statement in DROP_MAILS:
            wait_for(lambda: self.done(statement), SETTLE_S, "waiting mails dropped")
        self.sql("ANALYZE")  # a plan made while there was little does not stay
        end = time.monotonic() + QUIET_S
        while time.monotonic() < end and self.sql(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'autovacuum worker'")[0][0] > 0:
            time.sleep(0.2)

    # ---- processes ----

    def restart(self):
        """Our processes anew, on the same servers."""
        for name in self.our_names():
            Process(self.copy.paths, name).stop(10)
        self.copy.start_services()
        self.settle()

    def _status(self, name):
        return f"/proc/{Process(self.copy.paths, name).pid()}"

    def forget_peaks(self):
        for name in self.our_names():
            with open(self._status(name) + "/clear_refs", "w", encoding="ascii") as file:
                file.write("5")

    def peaks_mib(self):
        """Peak resident memory of each of our processes, MiB."""
        peaks = {}
        for name in self.our_names():
            with open(self._status(name) + "/status", encoding="ascii") as file:
                for line in file:
                    if line.startswith("VmHWM"):
                        peaks[name] = int(line.split()[1]) / 1024
        return peaks
