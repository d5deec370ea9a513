"""Starting, watching and stopping processes by their id."""

import os
import random
import signal
import socket
import subprocess
import time


class Failure(Exception):
    """What went wrong, in words for the person at the terminal; `log` and `cure` may be None."""

    def __init__(self, text, log=None, cure=None):
        super().__init__(text)
        self.text, self.log, self.cure = text, log, cure


def wait_for(condition, seconds, what, every=0.02, log=None, cure=None):
    """Ask `condition` until it gives something true, and give that back. The pause grows from
    `every` to ten times that; after `seconds` it is a Failure naming `what`."""
    end = time.monotonic() + seconds
    pause = every
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= end:
            raise Failure(f"{what} did not come about within {seconds:g} s", log, cure)
        time.sleep(pause)
        pause = min(pause * 1.3, every * 10)


_claims = []  # of ports, until this process ends: by then the server that gets one listens


def free_port():
    """A TCP port of the loopback that nobody uses, below those the kernel gives to clients.

    Nor does anybody else who asks here meanwhile get it: its number is a name of this process.
    """
    for _ in range(500):
        port = random.randrange(15000, 30000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0mamis-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise Failure("no free TCP port found between 15000 and 30000")


def port_answers(port, seconds=0.5):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds):
            return True
    except OSError:
        return False


def started_at(pid):
    """When the kernel started process `pid`, in ticks since boot; None when it is not running."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _reap(pid):
    """Ask for the code of an ended child whose starter kept no hold on it."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # somebody else's child, or asked already


class Process:
    """One process of a copy. Its id lies in pids/NAME.pid, when it was started in state/, so that
    an id that another process got meanwhile is never taken for ours."""

    def __init__(self, paths, name):
        self.paths, self.name = paths, name
        self.pid_file = os.path.join(paths.pids, name + ".pid")
        self.start_file = os.path.join(paths.state, name + ".started")
        self.log = paths.log(name)
        self.child = None

    def pid(self):
        """Its id while it runs, else None."""
        if self.child is not None:
            self.child.poll()
        try:
            with open(self.pid_file, encoding="ascii") as file:
                pid = int(file.read())
            with open(self.start_file, encoding="ascii") as file:
                started = int(file.read())
        except (OSError, ValueError):
            return None
        return pid if started_at(pid) == started else None

    def start(self, argv, user=None, env=None, cwd=None):
        """Start it in a session of its own, output appended to its log. `user` is an entry of the
        password database to change to with setpriv."""
        if user is not None:
            argv = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                    "--clear-groups", "--"] + argv
        environment = dict(os.environ)
        environment.update(env or {})
        with open(self.log, "ab") as log:
            os.chmod(self.log, 0o600)
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                cwd=cwd or "/", start_new_session=True)
        self.adopt(self.child.pid)

    def adopt(self, pid):
        started = started_at(pid)
        if started is None:
            self.fail_if_dead()
            raise self.failure("ended at once")
        with open(self.start_file, "w", encoding="ascii") as file:
            file.write(str(started))
        with open(self.pid_file, "w", encoding="ascii") as file:
            file.write(f"{pid}\n")

    def failure(self, what):
        return Failure(f"{self.name} {what}; the end of its log:\n{self.log_end()}", self.log)

    def fail_if_dead(self):
        if self.child is not None and self.child.poll() is not None:
            raise self.failure(f"ended with code {self.child.returncode}")
        if self.child is None and self.pid() is None:
            raise self.failure("is not running")

    def wait_ready(self, ready, seconds):
        """Until `ready()` is true; fails at once when the process ends before."""
        def condition():
            if ready():
                return True
            self.fail_if_dead()
            return False
        wait_for(condition, seconds, f"{self.name}: being ready", log=self.log)

    def send(self, number):
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self, seconds=10, first=signal.SIGTERM):
        """Ask it to end, and after `seconds` make it. True when it had been running."""
        pid = self.pid()
        if pid is None:
            self.forget()
            return False
        self.send(first)
        try:
            wait_for(lambda: self.pid() is None, seconds, f"{self.name}: ending")
        except Failure:
            self.send(signal.SIGKILL)
            wait_for(lambda: self.pid() is None, 10, f"{self.name}: being killed")
        self.wait_reaped(pid)
        self.forget()
        return True

    def wait_reaped(self, pid, seconds=2):
        """An ended process keeps its id until its parent has asked for its code; init may take a
        moment. Nobody should take it for running meanwhile, but nothing depends on it."""
        end = time.monotonic() + seconds
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
            if self.child is not None:
                self.child.poll()
            else:
                _reap(pid)
            time.sleep(0.01)

    def kill(self):
        """SIGKILL, as a crash; the files stay as a crash leaves them."""
        self.send(signal.SIGKILL)
        wait_for(lambda: self.pid() is None, 10, f"{self.name}: being killed")

    def forget(self):
        for path in (self.pid_file, self.start_file):
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass

    def log_end(self, lines=12):
        try:
            with open(self.log, "rb") as file:
                file.seek(max(0, os.path.getsize(self.log) - 8192))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"
