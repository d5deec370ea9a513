"""The copy that is tormented: two of `credit` and of the gateway, one of the others, every link to
a server through the proxy."""

import json
import os
import pathlib
import resource
import signal
import struct
import subprocess
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts" / "lib"))

from running import kafka as brokers  # noqa: E402
from running import mail  # noqa: E402
from running.copy import Copy  # noqa: E402
from running.process import Failure, Process, free_port, started_at, wait_for  # noqa: E402

NOW = "2026-11-22T12:00:00+09:00"
INSTANCES = [("registration", 1), ("credit", 1), ("credit", 2), ("renewal", 1),
             ("notification", 1), ("gateway", 1), ("gateway", 2)]
READY_S = 60
SERVERS = {"postgres": "postgres", "redis": "redis", "kafka": "kafka-1", "mail": "mail-1"}


class Links:
    """The proxy as a process of its own, and the orders it takes."""

    def __init__(self):
        program = pathlib.Path(__file__).with_name("proxy.py")
        self.child = subprocess.Popen([sys.executable, "-I", str(program)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.lock = threading.Lock()

    def order(self, *words):
        with self.lock:
            self.child.stdin.write(json.dumps(words) + "\n")
            self.child.stdin.flush()
            answer = self.child.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"the proxy refused {words}: {answer or 'it is gone'}")

    def stop(self):
        self.child.stdin.close()
        self.child.wait(10)


class Fleet:
    def __init__(self, folder, build):
        os.environ["MAMIS_NOW"] = NOW
        os.environ.pop("KAFKA_BOOTSTRAP", None)
        self.folder = folder.parent
        self.mood_file = os.environ["CHAOS_MOOD"] = self.scratch("mood")
        mail.PROGRAM = str(pathlib.Path(__file__).with_name("mail_server.py"))
        self.clock_file = self.scratch("clock")
        self.set_clock(0)
        self.clock = pathlib.Path(build) / "tests" / "chaos" / "libchaos_clock.so"
        if not self.clock.exists():
            raise Failure(f"{self.clock} is not there", cure="ninja -C build chaos_clock")
        self.copy = Copy(str(folder), build)
        self.links = Links()
        self.services = {}
        self.ended = {}  # of processes that ended by themselves
        self.lock = threading.RLock()
        self.wanted = set()  # names that ought to run

    # ---- starting ----

    def start(self):
        copy = self.copy
        copy.paths.make()
        copy.now_offset_us()
        brokers.fetch(copy.paths.log("kafka-fetch"))
        copy.kafka.advertised_port = free_port()
        copy.start_servers()
        copy.write_mamisctl_settings()
        copy.mamisctl("migrate")
        self._make_links()
        copy.mamisctl("topics")
        for name, number in INSTANCES:
            self._make(name, number)
        for service in self.services.values():
            self._start(service)
            self.wanted.add(service.name)
        for service in self.services.values():
            service.wait_ready(READY_S)

    def _make_links(self):
        copy, order = self.copy, self.links.order
        order("link", "kafka", copy.kafka.advertised_port, copy.kafka.port)
        order("link", "redis", self._place("redis.sock"), copy.redis.socket)
        for name, number in INSTANCES:
            socket = f".s.PGSQL.{copy.postgres.port}"
            order("link", f"pg:{name}-{number}", self._place(f"{name}-{number}", socket),
                  os.path.join(copy.paths.sockets(), socket))
        self.http = {}
        for number in (1, 2):
            self.http[number] = copy.port(f"chaos-http-{number}")
            order("link", f"http:gateway-{number}", self.http[number], self.http_port(number))

    def _start(self, service):
        """The workers that post, with a clock that can be set."""
        clock = {"LD_PRELOAD": str(self.clock), "CHAOS_CLOCK": self.clock_file}
        service.start(clock if service.name.startswith("credit") else None)

    def http_port(self, number):
        return self.copy.port("gateway-http" if number == 1 else f"gateway-http-{number}")

    def _place(self, *words):
        return os.path.join(self.copy.paths.base(), "px", *words)

    def _make(self, name, number):
        label = f"{name}-{number}"
        extra = {"database": f"host={self._place(label)} port={self.copy.postgres.port}"
                             f" dbname=mamis user=mamis_{name}"}
        if name == "gateway":
            extra.update(http_port=self.http_port(number), redis_socket=self._place("redis.sock"),
                         http_hosts=",".join(f"127.0.0.1:{port}" for port in
                                             [*self.http.values(), self.http_port(2)]))
        if name == "notification":
            extra.update(mail_retry_s=1)
        self.services[label] = self.copy.service(name, number, extra)

    def scratch(self, name):
        return str(self.folder / name)

    def set_clock(self, offset_us):
        """Of the workers: microseconds from the right time. Read by memory map: in place."""
        with open(self.clock_file, "r+b" if os.path.exists(self.clock_file) else "wb") as file:
            file.write(struct.pack("=q", offset_us))

    def set_mood(self, mood):
        """How the mail server answers; whole or not at all."""
        with open(self.mood_file + ".new", "w", encoding="utf-8") as file:
            json.dump(mood, file)
        os.replace(self.mood_file + ".new", self.mood_file)

    # ---- who runs ----

    def pid(self, name):
        return Process(self.copy.paths, SERVERS.get(name, name)).pid()

    def running(self, prefix):
        """The names of our processes that run, e.g. "credit" -> credit-1, credit-2."""
        return [name for name in self.services
                if name.startswith(prefix) and self.pid(name) is not None]

    def send(self, name, number):
        pid = self.pid(name)
        if pid is not None:
            os.kill(pid, number)
        return pid

    def kill(self, name):
        with self.lock:
            self.wanted.discard(name)
            pid = self.send(name, signal.SIGKILL)
            if pid is not None:
                wait_for(lambda: started_at(pid) is None, 20, f"end of {name}")

    def terminate(self, name):
        """SIGTERM; gives the seconds it took. 3 s are promised; a busy machine may take more."""
        with self.lock:
            self.wanted.discard(name)
            pid = self.send(name, signal.SIGTERM)
            if pid is not None:
                wait_for(lambda: started_at(pid) is None, 30, f"{name}: ending after SIGTERM")

    def bring_back(self, name):
        if name in SERVERS:
            self.copy.start_servers()
            return
        with self.lock:
            service = self.services[name]
            if not service.running():
                self._start(service)
            self.wanted.add(name)
        service.wait_ready(READY_S)

    def revive(self):
        """What a service manager does: starts again what ended by itself, and counts it."""
        with self.lock:
            for name in sorted(self.wanted):
                if not self.services[name].running():
                    self.ended[name] = self.ended.get(name, 0) + 1
                    self._start(self.services[name])

    def limit_descriptors(self, name, count):
        """The soft limit; None: as high as the hard one."""
        pid = self.pid(name)
        if pid is not None:
            _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (count or most, most))

    def sql(self):
        return self.copy.postgres.connect()

    def stop(self):
        for name in self.services:
            self.send(name, signal.SIGCONT)
        for name in SERVERS:
            self.send(name, signal.SIGCONT)
        self.copy.stop()
        self.links.stop()
