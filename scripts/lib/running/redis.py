"""Redis of a running copy: a cache without persistence, on a Unix socket for our processes and on
the loopback with a password for operators."""

import os
import socket

from .process import Process, free_port

# The application's user may not do what most of Redis's known faults need.
USER = "mamis"
USER_RIGHTS = ("~* resetchannels +@all -@admin -@dangerous -@scripting"
               " -eval -evalsha -restore -debug -config -script -keys -flushall -flushdb")

SETTINGS = """
bind 127.0.0.1
port {port}
unixsocket {socket}
unixsocketperm 700
protected-mode yes
daemonize no
dir {folder}
save ""
appendonly no
maxmemory 256mb
maxmemory-policy allkeys-lru
tcp-keepalive 30
user default on >{operator} ~* &* +@all
user {user} on >{password} {rights}
"""


class Redis:
    def __init__(self, paths):
        self.paths = paths
        self.process = Process(paths, "redis")
        self.port = None

    @property
    def socket(self):
        return os.path.join(self.paths.sockets(), "redis.sock")

    @property
    def password(self):
        return self.paths.secret("redis_password")

    def start(self, port=None):
        """`port`: the one to take if free."""
        settings = os.path.join(self.paths.settings, "redis.conf")
        if self.process.pid() is not None:
            with open(settings, encoding="utf-8") as file:
                self.port = int(next(line for line in file if line.startswith("port ")).split()[1])
            return
        self.port = port or free_port()
        text = SETTINGS.format(
            port=self.port, socket=self.socket, folder=self.paths.redis, user=USER,
            operator=self.paths.secret("redis_operator_password"), password=self.password,
            rights=USER_RIGHTS)
        descriptor = os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        self.process.start(["redis-server", settings])
        self.process.wait_ready(self._answers, 10)

    def stop(self):
        return self.process.stop(5)

    def operator_url(self):
        return f"redis://:{self.paths.secret('redis_operator_password')}@127.0.0.1:{self.port}/0"

    def command(self, *words):
        """Run one command with all rights; gives the raw answer's first bytes."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(1)
            link.connect(self.socket)
            operator = self.paths.secret("redis_operator_password")
            link.sendall(_request("AUTH", operator) + _request(*words))
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = link.recv(65536)
                if not part:
                    break
                answer += part
        return answer.partition(b"\r\n")[2]

    def _answers(self):
        try:
            return self.command("PING") == b"+PONG\r\n"
        except OSError:
            return False


def _request(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)
