"""A running copy for tests: servers and processes of its own in a scratch folder, samples imported.

MAMIS_TEST_BUILD: the build folder whose programs run (default build/). MAMIS_TEST_KEEP=1 leaves the
folder and its logs behind.
"""

import contextlib
import csv
import os
import pathlib
import shutil
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts" / "lib"))

import discreet  # noqa: E402
from running.api import Client  # noqa: E402
from running.copy import Copy  # noqa: E402
from running.process import started_at, wait_for  # noqa: E402

DATA = TOP / "tests" / "data"
# What tests/data/attendance/expected was worked out for.
NOW = "2026-11-22T12:00:00+09:00"
PASSWORD = "test-password-of-all"


class Stack:
    def __init__(self, folder, now=NOW):
        self.folder = pathlib.Path(folder)
        os.environ["MAMIS_NOW"] = now
        os.environ.pop("KAFKA_BOOTSTRAP", None)
        self.copy = Copy(str(folder), os.environ.get("MAMIS_TEST_BUILD", str(TOP / "build")))
        self.copy.postgres.lasting = False
        self._tokens = {}

    def start(self, samples=True, kafka=None, settings=None):
        """Servers, tables, topics, processes and, unless told otherwise, the samples. `kafka`:
        starts the broker; `settings`: of some processes, by name, over ours."""
        copy = self.copy
        copy.further = settings or {}
        copy.paths.make()
        copy.now_offset_us()
        if kafka:
            kafka(copy.kafka)
        copy.start_servers()
        copy.write_mamisctl_settings()
        copy.mamisctl("migrate")
        copy.mamisctl("topics")
        copy.start_services()
        if samples:
            self.import_samples()

    def import_samples(self):
        self.copy.mamisctl("import", "organisers", str(DATA / "organisers.csv"))
        self.copy.mamisctl("import", "members", str(DATA / "members.csv"), "--password-for-tests",
                           PASSWORD, "--postcards", str(self.folder / "postcards.csv"),
                           seconds=300)
        self.copy.mamisctl("import", "seminars", str(DATA / "seminars.csv"))

    def stop(self):
        if os.environ.get("MAMIS_TEST_KEEP") == "1":
            self.copy.stop()
        else:
            self.copy.remove()

    @contextlib.contextmanager
    def sql(self, role="postgres"):
        """A cursor on a connection of its own; every statement is committed at once."""
        connection = self.copy.postgres.connect(role)
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def one(self, statement, values=()):
        """The first row of a statement's answer."""
        with self.sql() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone()

    def client(self, **options):
        return Client(self.copy.base_url, **options)

    def doctor_client(self, register_no):
        """Signed in as a doctor of the samples whose My Page is complete."""
        mamis_no = self.one("SELECT mamis_no FROM registration.doctor WHERE register_no = %s",
                            (str(register_no),))[0]
        return self.client().sign_in(mamis_no, PASSWORD)

    def another_gateway(self, number=2, **settings):
        """One more gateway beside the first: the service, started, and its address."""
        port = self.copy.port(f"gateway-http-{number}")
        service = self.copy.service("gateway", number,
                                    {"http_port": port, "http_hosts": f"127.0.0.1:{port}"} | settings)
        service.start()
        service.wait_ready()
        return service, f"http://127.0.0.1:{port}"

    def organiser_token(self, code):
        if code not in self._tokens:
            self._tokens[code] = self.copy.mamisctl(
                "token", "create", "--organiser", code, "--scope", "attendance:write").split()[-1]
        return self._tokens[code]

    def organiser_client(self, seminar_no):
        """With a token of the organiser who holds a seminar of the samples."""
        with open(DATA / "seminars.csv", encoding="utf-8", newline="") as file:
            code = next(row["organiser_code"] for row in csv.DictReader(file)
                        if row["seminar_no"] == seminar_no)
        return self.client(token=self.organiser_token(code))

    def stranger_client(self, seminar_no):
        """With a token of an organiser who does not hold the seminar."""
        code = self.one("SELECT organiser_code FROM credit.seminar WHERE organiser_code <>"
                        " (SELECT organiser_code FROM credit.seminar WHERE seminar_no = %s) LIMIT 1",
                        (seminar_no,))[0]
        return self.client(token=self.organiser_token(code))

    def staff_client(self, role, *words):
        """Signed in with a new account of the role."""
        login = f"{role.replace('_', '-')}-{os.urandom(4).hex()}"
        self.copy.mamisctl("account", "create", "--role", role, "--login", login, "--password",
                           PASSWORD, "--name", "試験用", *words)
        return self.client().sign_in(login, PASSWORD)

    @staticmethod
    def wait_gone(pid, seconds=10):
        wait_for(lambda: started_at(pid) is None, seconds, f"end of process {pid}")

    def mails(self):
        """The Maildir's messages as files."""
        return sorted(pathlib.Path(self.copy.mail.folder).glob("new/*"))


@contextlib.contextmanager
def running_stack(**options):
    """A stack that is stopped and removed at the end. Logs of a failed start are shown."""
    stack = Stack(tempfile.mkdtemp(prefix="mamis-stack-", dir="/tmp"))
    try:
        stack.start(**options)
        yield stack
        # Whatever the tests did: nobody's address stands in a log.
        assert discreet.addresses_in_logs(stack.copy.paths.logs) == []
    finally:
        stack.stop()
        if os.environ.get("MAMIS_TEST_KEEP") != "1":
            shutil.rmtree(stack.folder, ignore_errors=True)
