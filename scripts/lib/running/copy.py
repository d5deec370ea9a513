"""A running copy as a whole: what stands where, how its parts are started and stopped."""

import datetime
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time

from . import kafka as brokers
from . import paths as places
from . import services
from .mail import Mail
from .postgres import Postgres
from .process import Failure, free_port, port_answers
from .redis import USER as REDIS_USER
from .redis import Redis

PORT_WAIT_S = 5
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


class Copy:
    """The copy in `run_dir`, made of the programs in `build`/bin."""

    def __init__(self, run_dir, build=None):
        self.paths = places.Paths(run_dir)
        self.build = build or os.path.join(places.TOP, "build")
        self.postgres = Postgres(self.paths)
        self.redis = Redis(self.paths)
        self.kafka = brokers.Kafka(self.paths)
        self.mail = Mail(self.paths)
        self.bootstrap = None
        self.further = {}  # settings of some processes, by name, that go over ours
        self._lock = None
        self._ports = {}

    # ---- one run at a time, and what is remembered between runs ----

    def lock(self):
        self.paths.make()
        self._lock = open(os.path.join(self.paths.run, "lock"), "w", encoding="ascii")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failure(f"another scripts/run works on {self.paths.run}",
                          cure="wait for it to end") from None

    def recall(self, name):
        """A remembered value, None when there is none."""
        try:
            with open(os.path.join(self.paths.state, name + ".json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def remember(self, name, value):
        places.write_private(os.path.join(self.paths.state, name + ".json"),
                             json.dumps(value, indent=1, ensure_ascii=False))

    def port(self, name):
        """The port called `name`: the one it had before, as long as nobody else took it."""
        if not self._ports:
            self._ports = self.recall("ports") or {}
        if name not in self._ports:
            self._ports[name] = free_port()
            while list(self._ports.values()).count(self._ports[name]) > 1:
                self._ports[name] = free_port()
            self.remember("ports", self._ports)
        return self._ports[name]

    def port_to_start_on(self, name, process):
        """As port(), but when `process` does not run and somebody else keeps the port, a new one. A
        process that was just killed may hold it for a moment: others know it by this port."""
        until = time.monotonic() + PORT_WAIT_S
        while process.pid() is None and port_answers(self.port(name), 0.2):
            if time.monotonic() > until:
                del self._ports[name]
                break
            time.sleep(0.05)
        return self.port(name)

    def now_offset_us(self):
        """Microseconds between MAMIS_NOW and real time, set at the first start."""
        kept = self.recall("now_offset_us")
        if kept is None:
            kept = clock_offset_us(os.environ.get("MAMIS_NOW", ""))
            self.remember("now_offset_us", kept)
        return kept

    def now(self):
        """The copy's time, in Japan."""
        japan = datetime.timezone(datetime.timedelta(hours=9))
        return (datetime.datetime.now(japan)
                + datetime.timedelta(microseconds=self.now_offset_us()))

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port('gateway-http')}"

    # ---- servers ----

    def start_servers(self):
        own_broker = self.choose_broker()
        if own_broker:
            self.kafka.launch(self.port_to_start_on("kafka", self.kafka.process),
                              self.port_to_start_on("kafka-quorum", self.kafka.process))
        for name, server in (("postgres", self.postgres), ("redis", self.redis),
                             ("mail", self.mail)):
            server.start(self.port_to_start_on(name, server.process))
        if own_broker:
            self.kafka.wait()
            self.bootstrap = self.kafka.bootstrap
        elif not brokers.answers(self.bootstrap):
            raise Failure(f"no Kafka broker answers at {self.bootstrap} (KAFKA_BOOTSTRAP)",
                          cure="start it, or leave KAFKA_BOOTSTRAP empty for a broker of our own")
        self.remember("kafka_bootstrap", "" if own_broker else self.bootstrap)

    def choose_broker(self):
        """True for a broker of our own. What was chosen first stays: offsets belong to a broker."""
        given = os.environ.get("KAFKA_BOOTSTRAP", "")
        chosen = self.recall("kafka_bootstrap")
        if chosen is None:
            chosen = given
        if given not in ("", chosen):
            raise Failure(f"this copy began with {chosen or 'a broker of its own'},"
                          f" KAFKA_BOOTSTRAP says {given}",
                          cure="leave KAFKA_BOOTSTRAP as it was, or ./scripts/run reset")
        self.bootstrap = chosen or None
        return not chosen

    # ---- our processes ----

    def common_settings(self, name):
        return {
            "database": self.postgres.dsn(f"mamis_{name}"),
            "kafka_bootstrap": self.bootstrap,
            "redis_socket": self.redis.socket,
            "redis_user": REDIS_USER,
            "redis_password": self.redis.password,
            "now_offset_us": self.now_offset_us(),
            "env": "development",
            "public_url": self.base_url,
            "link_key_file": self.paths.key("link_key"),
            "data_dir": places.TOP,
        }

    @staticmethod
    def portal_dir():
        """The built pages; None (the gateway serves none) where they were not built."""
        folder = os.path.join(places.TOP, "services", "portal", "dist")
        return folder if os.path.exists(os.path.join(folder, "index.html")) else None

    def own_settings(self, name):
        if name == "gateway":
            return {
                "http_port": self.port("gateway-http"),
                "pepper_file": self.paths.key("pepper"),
                "temp_key_file": self.paths.key("temp_key"),
                "postcards_dir": self.paths.postcards,
                "factor_key_file": self.paths.key("factor_key"),
                "passwords_file": os.path.join(self.build, "passwords.txt"),
                "second_factor_staff": "optional",
                "portal_dir": self.portal_dir(),
            }
        if name == "notification":
            # Mail may come later than credits: it gets a smaller share of PostgreSQL.
            return {"smart_host": f"smtp://127.0.0.1:{self.mail.port}", "db_connections": 2}
        return {}

    def service(self, name, number=1, extra=None):
        """Process `number` of a service with its settings file written anew; not started. `extra`
        settings go over ours."""
        values = {key: value for key, value in self.common_settings(name).items()
                  if key in services.settings_known(name)}
        values.update(self.own_settings(name))
        label = f"{name}-{number}"
        values["admin_port"] = self.port(label)
        values.update(self.further.get(name, {}))
        values.update(extra or {})
        path = services.write_settings(os.path.join(self.paths.settings, label + ".conf"), values)
        return services.Service(self.paths, name, number,
                                os.path.join(self.build, "bin", f"mamis-{name}"), path,
                                values["admin_port"])

    def write_mamisctl_settings(self):
        values = self.common_settings("operator")
        values["admin_database"] = self.postgres.dsn("postgres")
        values["pepper_file"] = self.paths.key("pepper")
        values["temp_key_file"] = self.paths.key("temp_key")
        values["anchor_key_file"] = self.paths.key("anchor_key")
        values.update(self.further.get("mamisctl", {}))
        known = services.settings_known("mamisctl")
        return services.write_settings(
            self.mamisctl_settings,
            {key: value for key, value in values.items() if key in known})

    @property
    def mamisctl_settings(self):
        return os.path.join(self.paths.settings, "mamisctl.conf")

    def mamisctl(self, *words, seconds=120):
        """Run mamisctl; gives what it printed. A failure carries its words."""
        log = self.paths.log("mamisctl")
        argv = [os.path.join(self.build, "bin", "mamisctl"), "--settings", self.mamisctl_settings,
                *words]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=seconds)
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"$ mamisctl {words[0]} -> {done.returncode}\n{done.stderr}")
        if done.returncode != 0:
            shown = [word for word in words if not word.startswith("-")][:2]
            raise Failure(f"mamisctl {' '.join(shown)} ended with code {done.returncode}:\n"
                          + (done.stderr + done.stdout)[-2000:].strip(), log)
        return done.stdout

    def all_services(self):
        return [self.service(name) for name in services.NAMES]

    def start_services(self):
        """Start what does not run, all at once, then wait for each. Gives the names started."""
        started = []
        for name in services.NAMES:
            service = self.service(name)
            if service.running():
                continue
            if name == "gateway":
                self.port_to_start_on("gateway-http", service.process)
            self.port_to_start_on(service.name, service.process)
            service = self.service(name)  # ports may have changed
            service.start()
            started.append(service)
        for service in self.all_services():
            service.wait_ready()
        return [service.name for service in started]

    # ---- stopping ----

    def stop(self):
        """Stop everything that a pid file names, in reverse order. Gives the names stopped."""
        stopped = self._stop_services()
        for server in (self.mail, self.redis, self.kafka, self.postgres):
            if server.stop():
                stopped.append(server.process.name)
        return stopped

    def _stop_services(self):
        names = self.process_names()
        ours = [name for prefix in reversed(services.NAMES) for name in names
                if name.startswith(prefix + "-")]
        processes = [services.Process(self.paths, name) for name in ours]
        pids = {process.name: process.pid() for process in processes}
        for process in processes:  # all at once; each has its own time to finish
            process.send(15)
        for process in processes:
            process.stop(5)
            if pids[process.name] is not None:
                process.wait_reaped(pids[process.name])
        return [name for name, pid in pids.items() if pid is not None]

    def process_names(self):
        try:
            return sorted(name[:-4] for name in os.listdir(self.paths.pids)
                          if name.endswith(".pid"))
        except FileNotFoundError:
            return []

    def remove(self):
        """Stop, then delete the copy's files. Servers need not write down what goes anyhow."""
        self._stop_services()
        self.kafka.process.stop(5, signal.SIGKILL)
        self.postgres.process.stop(20, signal.SIGQUIT)
        self.stop()
        note = os.path.join(self.paths.run, "private_folder")
        if os.path.exists(note):
            with open(note, encoding="utf-8") as file:
                folder = file.read().strip()
            if folder.startswith("/tmp/mamis-"):
                shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.paths.run, ignore_errors=True)


def clock_offset_us(now_text):
    """What MAMIS_NOW says, as microseconds from real time. RFC 3339, the offset is required."""
    if not now_text:
        return 0
    if os.environ.get("MAMIS_ENV") == "production":
        raise Failure("MAMIS_NOW is refused where MAMIS_ENV=production", cure="unset MAMIS_NOW")
    if not RFC3339.match(now_text):
        raise Failure(f"MAMIS_NOW={now_text} is no time",
                      cure="write it like 2025-04-07T09:00:00+09:00")
    try:
        wanted = datetime.datetime.fromisoformat(now_text.replace("Z", "+00:00"))
    except ValueError:
        raise Failure(f"MAMIS_NOW={now_text} is no time",
                      cure="write it like 2025-04-07T09:00:00+09:00") from None
    delta = wanted - datetime.datetime.now(datetime.timezone.utc)
    return (delta.days * 86400 + delta.seconds) * 1000000 + delta.microseconds
