"""The load of `scripts/bench access` (callers.c) and the bare rate of Argon2id (hashes.c)."""

import json
import os
import re
import subprocess
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = {"callers": [], "hashes": ["-lsodium", "-lpthread"]}


def build(folder, name):
    """The program, built into `folder`."""
    program = os.path.join(folder, name)
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program,
                    os.path.join(HERE, f"{name}.c"), *LIBRARIES[name]], check=True, timeout=120)
    return program


class Callers:
    """`system`: the one that is called. Programs are built once, into its folder."""

    def __init__(self, system):
        self.system = system
        self.program = build(system.folder, "callers")
        self.hashes_program = build(system.folder, "hashes")

    def start(self, mode, connections, lines, *words):
        """A running load; end() gives what it tells."""
        port = urllib.parse.urlsplit(self.system.copy.base_url).port
        return subprocess.Popen(
            [self.program, mode, str(port), str(connections), lines, *map(str, words)],
            stdout=subprocess.PIPE, text=True)

    @staticmethod
    def end(process, seconds):
        told, _ = process.communicate(timeout=seconds)
        if process.returncode != 0:
            raise SystemExit(f"the load ended with {process.returncode}")
        told = json.loads(told)
        if told["failed"]:
            raise SystemExit(f"the run is void, {told['failed']} failures, the last one with status"
                             f" {told['last_failure']}")
        return told

    def run(self, mode, connections, lines, seconds, *words):
        return self.end(self.start(mode, connections, lines, seconds, *words), seconds + 60)

    def hashes(self, threads, seconds):
        """Bare Argon2id: hashes a second."""
        return float(subprocess.run([self.hashes_program, str(threads), str(seconds)], check=True,
                                    capture_output=True, text=True, timeout=seconds + 60).stdout)

    def redis_gets(self, connections, count):
        """`redis-benchmark GET`: answers a second."""
        redis = self.system.copy.redis
        told = subprocess.run(
            ["redis-benchmark", "-h", "127.0.0.1", "-p", str(redis.port), "-a",
             self.system.copy.paths.secret("redis_operator_password"), "-t", "get", "-c",
             str(connections), "-n", str(count), "-q"],
            check=True, capture_output=True, text=True, timeout=120).stdout
        return float(re.findall(r"GET: ([0-9.]+) requests per second", told)[-1])
