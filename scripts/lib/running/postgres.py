"""PostgreSQL of a running copy: own data folder, Unix socket for our processes, TCP for operators.

Our processes come by the Unix socket as the system user who runs them; pg_ident lets that user in
as each mamis_* role. Operators come by TCP on the loopback with a password.
"""

import glob
import os
import pwd
import shutil
import signal
import subprocess

import psycopg2

from . import paths as places
from .process import Failure, Process, free_port, wait_for

DATABASE = "mamis"
REMAINS_S = 20
ROLES = ["postgres", "mamis_gateway", "mamis_registration", "mamis_credit", "mamis_renewal",
         "mamis_notification", "mamis_operator"]

# Also what deployments should have; the sizes are for a small machine.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
max_connections = 200
shared_buffers = {buffers}MB
max_wal_size = 4GB
min_wal_size = 256MB
wal_compression = lz4
default_toast_compression = lz4
synchronous_commit = on
fsync = on
full_page_writes = on
checkpoint_timeout = 15min
shared_preload_libraries = 'pg_stat_statements'
password_encryption = 'scram-sha-256'
idle_in_transaction_session_timeout = 10s
lock_timeout = 2s
tcp_keepalives_idle = 30
client_connection_check_interval = 5s
timezone = 'Asia/Tokyo'
lc_messages = 'C'
log_timezone = 'Asia/Tokyo'
log_line_prefix = '%m [%p] %q%u@%d '
# No personal data in the log.
log_statement = 'none'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
"""


def buffers_mib():
    """A quarter of the memory; only what is used of it is taken."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return total // 4 // 2**20


def programs():
    """The folder of the newest PostgreSQL that Debian installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"),
                   key=lambda name: int(name.split("/")[4]))
    if not found:
        raise Failure("PostgreSQL is not installed", cure="apt-get install postgresql")
    return os.path.dirname(found[-1])


class Postgres:
    def __init__(self, paths):
        self.paths = paths
        self.process = Process(paths, "postgres")
        self.port = None
        self.lasting = True  # False: nobody minds when the machine's end takes a fresh copy along

    @property
    def data(self):
        return os.path.join(self.paths.base(), "postgres")

    def start(self, port=None):
        """Make it at first use, then start it unless it runs. `port`: the one to take if free."""
        if not os.path.exists(os.path.join(self.data, "PG_VERSION")):
            self._init()
        if self.process.pid() is not None:
            self.port = self._port_in_use()
            return
        self.port = port or free_port()
        self._configure()
        wait_for(lambda: not self._remains(), REMAINS_S, "the end of killed PostgreSQL's processes")
        self._drop_stale_lock()
        self.process.start([os.path.join(programs(), "postgres"), "-D", self.data],
                           user=places.postgres_user())
        self.process.wait_ready(self._answers, 30)
        self._make_database()

    def stop(self, seconds=20):
        # SIGINT is PostgreSQL's fast shutdown: sessions end, everything is written.
        return self.process.stop(seconds, signal.SIGINT)

    def dsn(self, role):
        """libpq string of a role for our own processes: Unix socket, no password."""
        return f"host={self.paths.sockets()} port={self.port} dbname={DATABASE} user={role}"

    def operator_dsn(self):
        """URL with all rights, for people and programs outside the copy."""
        password = self.paths.secret("postgres_password")
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def connect(self, role="postgres", database=DATABASE):
        connection = psycopg2.connect(host=self.paths.sockets(), port=self.port, dbname=database,
                                      user=role, connect_timeout=3)
        connection.autocommit = True
        return connection

    def _init(self):
        user = places.postgres_user()
        shutil.rmtree(self.data, ignore_errors=True)
        os.makedirs(self.data, mode=0o700)
        # The password by file, readable for the user that initdb runs as only.
        password_file = os.path.join(self.paths.base(), "initdb_password")
        places.write_private(password_file, self.paths.secret("postgres_password"))
        if user is not None:
            for path in (self.data, password_file, self.paths.sockets()):
                os.chown(path, user.pw_uid, user.pw_gid)
        argv = [os.path.join(programs(), "initdb"), "--pgdata", self.data, "--username=postgres",
                f"--pwfile={password_file}", "--data-checksums", "--encoding=UTF8",
                "--locale=C.UTF-8", "--auth-local=peer", "--auth-host=scram-sha-256",
                *([] if self.lasting else ["--no-sync"])]
        if user is not None:
            argv = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                    "--clear-groups", "--"] + argv
        try:
            with open(self.process.log, "ab") as log:
                done = subprocess.run(argv, stdout=log, stderr=log, cwd="/", check=False)
        finally:
            os.unlink(password_file)
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise self.process.failure("could not be initialised")

    def _configure(self):
        owner = os.stat(self.data)
        me = pwd.getpwuid(os.geteuid()).pw_name
        files = {
            "postgresql.auto.conf": "",
            "mamis.conf": SETTINGS.format(port=self.port, sockets=self.paths.sockets(),
                                          buffers=buffers_mib()),
            "pg_hba.conf": "local all " + ",".join(ROLES) + " peer map=mamis\n"
                           "host all all 127.0.0.1/32 scram-sha-256\n"
                           "host replication postgres 127.0.0.1/32 scram-sha-256\n",
            "pg_ident.conf": "".join(f'mamis "{me}" {role}\n' for role in ROLES),
        }
        if os.path.exists(os.path.join(self.data, "recovery.signal")):
            del files["postgresql.auto.conf"]  # says what is restored (deploy/backup.md)
        main = os.path.join(self.data, "postgresql.conf")
        with open(main, encoding="utf-8") as file:
            text = file.read()
        if "include 'mamis.conf'" not in text:
            files["postgresql.conf"] = text + "\ninclude 'mamis.conf'\n"
        for name, content in files.items():
            path = os.path.join(self.data, name)
            places.write_private(path, content)
            os.chown(path, owner.st_uid, owner.st_gid)

    def _remains(self):
        """Whether processes of a killed postmaster live on; they end by themselves, and until then
        their shared memory keeps a new one from starting. All of them work in the data folder."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.readlink(f"/proc/{entry}/cwd") == self.data:
                        return True
                except OSError:
                    pass  # ended meanwhile, or somebody else's
        return False

    def _drop_stale_lock(self):
        """After a crash postmaster.pid names a process that is gone or became somebody else's;
        PostgreSQL refuses to start when that id lives. Ours does not run: that was checked."""
        lock = os.path.join(self.data, "postmaster.pid")
        try:
            with open(lock, encoding="ascii", errors="replace") as file:
                pid = int(file.readline())
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except (OSError, ValueError):
            return
        if self.data.encode() in words:
            raise Failure(f"PostgreSQL already runs on {self.data} as process {pid}",
                          cure=f"stop it: kill -INT {pid}")
        os.unlink(lock)

    def _port_in_use(self):
        with open(os.path.join(self.data, "mamis.conf"), encoding="utf-8") as file:
            for line in file:
                if line.startswith("port = "):
                    return int(line.split("=")[1])
        raise Failure(f"{self.data}/mamis.conf names no port", cure="./scripts/run reset")

    def _answers(self):
        try:
            self.connect(database="postgres").close()
            return True
        except psycopg2.OperationalError:
            return False

    def _make_database(self):
        connection = self.connect(database="postgres")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
        connection.close()
