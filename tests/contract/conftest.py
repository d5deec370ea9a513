"""The running copy that the contract tests ask.

MAMIS_RUN_DIR: a copy that runs already (made by scripts/run). Without it a copy of its own is started
in a folder under /tmp and stopped at the end. Every answer is checked against openapi.yaml.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "lib"))

from contract import CheckedClient, Coverage  # noqa: E402

START_SECONDS = 600
NOW = "2026-11-22T12:00:00+09:00"


class Demo:
    """A copy with sample data: its addresses, its accounts, its tool."""

    def __init__(self, run_dir):
        self.run_dir = pathlib.Path(run_dir)
        self.about = json.loads((self.run_dir / "demo.json").read_text(encoding="utf-8"))
        self.base_url = self.about["base_url"]
        self.mail_dir = pathlib.Path(self.about["mail_dir"])
        self.coverage = Coverage()
        self.environment = {**os.environ, "MAMIS_RUN_DIR": str(self.run_dir)}

    def client(self, **options):
        return CheckedClient(self.base_url, coverage=self.coverage, **options)

    def person(self, login_id, password):
        return self.client().sign_in(login_id, password)

    def account(self, role):
        return self.person(**self.about["accounts"][role])

    def mamisctl(self, *words):
        done = subprocess.run([str(TOP / "scripts" / "mamisctl"), *words], text=True, check=False,
                              env=self.environment, capture_output=True, timeout=120)
        assert done.returncode == 0, f"mamisctl {words[:2]}: {done.stdout}{done.stderr}"
        return done.stdout

    def offset_us(self):
        """From real time to the copy's."""
        path = self.run_dir / "state" / "now_offset_us.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else 0

    def pids(self, service):
        return [int(path.read_text(encoding="ascii"))
                for path in (self.run_dir / "pids").glob(f"{service}-*.pid")]


def _scripts_run(word, environment):
    return subprocess.run([str(TOP / "scripts" / "run"), word], env=environment, text=True,
                          check=False, capture_output=True, timeout=START_SECONDS)


@pytest.fixture(scope="session")
def demo():
    given = os.environ.get("MAMIS_RUN_DIR")
    if given:
        yield Demo(given)
        return
    folder = tempfile.mkdtemp(prefix="mamis-contract-", dir="/tmp")
    environment = {**os.environ, "MAMIS_RUN_DIR": folder, "MAMIS_NOW": NOW}
    try:
        done = _scripts_run("run", environment)
        assert done.returncode == 0, f"scripts/run failed:\n{done.stdout}\n{done.stderr}"
        yield Demo(folder)
    finally:
        _scripts_run("stop", environment)
        shutil.rmtree(folder, ignore_errors=True)
