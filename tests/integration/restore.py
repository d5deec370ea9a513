"""A drill: the database is lost while files are posting, and restored while Kafka stays as it is. The
commands are those of deploy/backup.md, run as they stand there. test_crash.py runs it on its stack."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import textwrap

from running import paths as places
from running.postgres import programs
from running.process import wait_for
from stack import TOP

PAGE = TOP / "deploy" / "backup.md"
RUN_S = 120
MAMISCTL = 'mamisctl() { "$PROGRAM" --settings "$SETTINGS" "$@"; }\n'


def block(name):
    """The commands of the page that carry a name."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```bash {name}\n(.*?)^\1```$", text, re.S | re.M)
    assert len(found) == 1, name
    return textwrap.dedent(found[0][1])


class Backup:
    """Backups of a stack's PostgreSQL in a folder beside its data."""

    def __init__(self, stack, name):
        self.copy = stack.copy
        self.folder = os.path.join(self.copy.paths.base(), f"backups-{name}")
        self.user = places.postgres_user()
        os.mkdir(self.folder, mode=0o700)
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)

    def _begin(self, name, **more):
        """Starts a block: as the server's user, unless it is ours."""
        postgres = self.copy.postgres
        ours = "mamisctl" in block(name)
        environment = {
            "PATH": f"{programs()}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "BACKUPS": self.folder,
            "PGDATA": postgres.data, "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port),
            "PGUSER": "postgres", "PGPASSWORD": self.copy.paths.secret("postgres_password"),
            "PROGRAM": os.path.join(self.copy.build, "bin", "mamisctl"),
            "SETTINGS": self.copy.mamisctl_settings} | more
        argv = ["bash", "-euo", "pipefail", "-c", (MAMISCTL if ours else "") + block(name)]
        if self.user is not None and not ours:
            argv = ["setpriv", f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}",
                    "--clear-groups", "--"] + argv
        return subprocess.Popen(argv, env=environment, cwd="/", stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, name, **more):
        """Runs a block of the page to its end; gives what it said."""
        done = self._begin(name, **more)
        said, _ = done.communicate(timeout=RUN_S)
        assert done.returncode == 0, f"{name}: {said[-2000:]}"
        return said

    @contextlib.contextmanager
    def receiving(self):
        """The log is streamed meanwhile."""
        receiver = self._begin("receive")
        try:
            wait_for(lambda: list(pathlib.Path(self.folder).glob("wal/*.partial")), 20,
                     "the log's first bytes")
            yield
        finally:
            receiver.send_signal(signal.SIGINT)
            receiver.communicate(timeout=20)

    def restore(self, point=None):
        """Everything of the server is gone, and comes back. `point`: of the past. Gives what
        mamisctl said of events that nobody sent."""
        postgres = self.copy.postgres
        for path in pathlib.Path(postgres.data).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        bases = sorted(pathlib.Path(self.folder).glob("base-*"))
        assert len(bases) == 1 and bases[0].suffix == "", bases
        self.run("restore", BASE=str(bases[0]))
        if point is not None:
            self.run("point", POINT=point)
        self.copy.redis.stop()
        self.copy.start_servers()
        self.copy.write_mamisctl_settings()
        self.run("wait", PGPORT=str(postgres.port))
        self.run("forget", PGPORT=str(postgres.port))
        return self.run("pass")
