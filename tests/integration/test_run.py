"""scripts/run as people use it: starts, shows, mends, stops, begins afresh."""

import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts" / "lib"))

from running.api import Client  # noqa: E402
from running.process import started_at  # noqa: E402

FIRST_S, AGAIN_S = 600, 15
PROCESSES = ["registration-1", "credit-1", "renewal-1", "notification-1", "gateway-1", "postgres",
             "redis", "kafka-1", "mail-1"]


def run(folder, *words, **environment):
    kept = {key: value for key, value in os.environ.items()
            if key not in ("MAMIS_NOW", "MAMIS_ENV", "KAFKA_BOOTSTRAP")}
    return subprocess.run([str(TOP / "scripts" / "run"), *words], text=True, check=False,
                          capture_output=True, timeout=FIRST_S,
                          env={**kept, "MAMIS_RUN_DIR": str(folder), **environment})


@pytest.fixture(scope="module")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="mamis-run-", dir="/tmp"))
    done = run(path)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield path
    finally:
        run(path, "stop")
        shutil.rmtree(path, ignore_errors=True)


def demo(folder):
    return json.loads((folder / "demo.json").read_text(encoding="utf-8"))


def pid(folder, name):
    return int((folder / "pids" / f"{name}.pid").read_text(encoding="ascii"))


def test_demo_json_holds_what_others_rely_on(folder):
    told = demo(folder)
    assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600
    assert set(told) >= {"base_url", "admin_urls", "postgres_dsn", "kafka_bootstrap", "redis_url",
                         "mail_dir", "accounts", "organiser_token", "sample"}
    assert set(told["accounts"]) == {"admin", "organiser", "office_l1", "office_l2", "office_l3",
                                     "call_centre", "doctor"}
    assert set(told["sample"]) == {"seminar_no", "upload_id"}
    for name in PROCESSES:
        os.kill(pid(folder, name), 0)


def test_all_accounts_get_in(folder):
    told = demo(folder)
    for role, account in told["accounts"].items():
        client = Client(told["base_url"]).sign_in(**account)
        assert client.session["account"]["role"] == role
        assert client.session["next"] == ""


def test_the_doctor_has_credits_and_qualifies(folder):
    told = demo(folder)
    doctor = Client(told["base_url"]).sign_in(**told["accounts"]["doctor"])
    assert doctor.get("/me/credits").expect(200).json["items"]
    until = time.monotonic() + 15  # standing may lag 5 s
    while True:
        standing = doctor.get("/me/standing").expect(200).json["items"][0]
        if standing["eligible"]:
            break
        assert time.monotonic() < until, standing
        time.sleep(0.3)
    lacking = Client(told["base_url"]).sign_in(**told["more_accounts"]["lacks 実地"])
    standing = lacking.get("/me/standing").expect(200).json["items"][0]
    assert not standing["eligible"]
    assert [missing["kind"] for missing in standing["missing"]] == ["OPL-J"]


def test_the_sample_was_posted(folder):
    told = demo(folder)
    client = Client(told["base_url"], token=told["organiser_token"])
    upload = client.upload(told["sample"]["upload_id"])
    assert upload["status"] == "done" and upload["counts"]["posted"] == upload["rows_total"] > 0


def test_running_again_starts_only_what_is_missing(folder):
    before = {name: pid(folder, name) for name in PROCESSES}
    os.kill(before["credit-1"], 9)
    begun = time.monotonic()
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - begun <= AGAIN_S
    after = {name: pid(folder, name) for name in PROCESSES}
    assert after["credit-1"] != before["credit-1"]
    assert {name: number for name, number in after.items() if name != "credit-1"} == \
        {name: number for name, number in before.items() if name != "credit-1"}


def test_status_shows_what_died(folder):
    assert run(folder, "status").returncode == 0
    os.kill(pid(folder, "renewal-1"), 9)
    done = run(folder, "status")
    assert done.returncode == 1 and "dead" in done.stdout
    assert run(folder).returncode == 0


def test_stop_and_start_again_keeps_the_data(folder):
    before = {name: pid(folder, name) for name in PROCESSES}
    assert run(folder, "stop").returncode == 0
    for number in before.values():
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
    assert run(folder, "status").returncode == 3
    begun = time.monotonic()
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - begun <= AGAIN_S
    test_the_sample_was_posted(folder)


def test_production_is_refused(folder):
    done = run(folder, MAMIS_ENV="production", MAMIS_NOW="2025-04-07T09:00:00+09:00")
    assert done.returncode != 0 and "MAMIS_NOW is refused" in done.stderr
    assert run(folder, MAMIS_ENV="production").returncode != 0


def test_wrong_words_are_explained(folder):
    done = run(folder, "sotp")
    assert done.returncode == 2 and "usage" in done.stderr
    with tempfile.TemporaryDirectory(prefix="mamis-run-", dir="/tmp") as other:
        done = run(other, MAMIS_NOW="yesterday")
        assert done.returncode == 1 and "MAMIS_NOW=yesterday is no time" in done.stderr


# A bench in the middle: one process of its copy, one of no copy, and its main thread where Python
# handles no signal.
BENCH = """
import ctypes, os, subprocess, sys
from bench import ending
from running.copy import Copy
from running.process import Process
class System:
    copy = Copy(sys.argv[1])
    forget = copy.remove
ending.watch()
ending.opened(System)
System.copy.paths.make()
Process(System.copy.paths, "sleeper-1").start(["sleep", "600"])
other = subprocess.Popen(["sleep", "600"])
print(Process(System.copy.paths, "sleeper-1").pid(), other.pid, flush=True)
mutex, library = ctypes.create_string_buffer(64), ctypes.CDLL(None)
library.pthread_mutex_lock(mutex)
library.pthread_mutex_lock(mutex)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGALRM])
def test_a_bench_ends_at_a_signal(tmp_path, number):
    """Also one in the background, which begins with SIGINT ignored; nothing of it stays."""
    with subprocess.Popen(
            ["sh", "-c", 'trap "" INT; exec "$@"', "-", sys.executable, "-c", BENCH,
             str(tmp_path / "run")], stdout=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(TOP / "scripts" / "lib")}) as bench:
        pids = bench.stdout.readline().split()
        bench.send_signal(number)
        assert bench.wait(10) == 128 + number
    assert len(pids) == 2 and not any(started_at(int(one)) for one in pids)
    assert not (tmp_path / "run").exists()
