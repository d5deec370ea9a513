"""scripts/run: the commands run, stop, status and reset."""

import json
import os
import signal
import sys
import time

from . import build, demo
from . import kafka as brokers
from . import paths as places
from . import services
from .copy import Copy, clock_offset_us
from .process import Failure, Process

USAGE = """usage: scripts/run [run]     starts a copy with sample data, or what of it is not running
       scripts/run stop      stops everything it started
       scripts/run status    shows what runs
       scripts/run reset     begins afresh: stops, forgets all data, starts again

Environment: MAMIS_RUN_DIR    where the copy lives (default .run); two copies may run side by side
             MAMIS_NOW        the copy's time at its first start: 2025-04-07T09:00:00+09:00
             KAFKA_BOOTSTRAP  host:port of a Kafka broker to use instead of one of our own
             KAFKA_VERSION    another version of our own broker, e.g. 3.9.1"""


class Steps:
    """Prints each step with its time; a failing step names itself, its log and the cure."""

    def __init__(self, total):
        self.total, self.number = total, 0

    def run(self, title, work):
        self.number += 1
        print(f"[{self.number:2}/{self.total}] {title:<44}", end="", flush=True)
        begun = time.monotonic()
        try:
            told = work()
        except Failure as failure:
            print(f"FAILED after {time.monotonic() - begun:.1f} s", flush=True)
            print(f"\nstep:  {title}\nwhy:   {failure.text}", file=sys.stderr)
            if failure.log:
                print(f"log:   {failure.log}", file=sys.stderr)
            print(f"cure:  {failure.cure or 'see the log, mend it and run again: ./scripts/run'}",
                  file=sys.stderr)
            sys.exit(1)
        print(f"{time.monotonic() - begun:6.1f} s  {told or ''}".rstrip(), flush=True)


def run(copy):
    begun = time.monotonic()
    if os.environ.get("MAMIS_ENV") == "production":
        clock_offset_us(os.environ.get("MAMIS_NOW", ""))
        raise Failure("scripts/run makes a copy with sample data and test passwords;"
                      " it is refused where MAMIS_ENV=production",
                      cure="for production see deploy/")
    copy.lock()
    copy.now_offset_us()
    seeded = copy.recall("demo") is not None
    steps = Steps(8 if seeded else 9)
    log = copy.paths.log("build")
    steps.run("build the programs", lambda: build.programs(copy.build, log))
    steps.run("build the portal", lambda: build.portal(copy.build, log))
    if copy.choose_broker():
        steps.run("fetch the Kafka broker", lambda: _fetch(copy))
    else:
        steps.run("fetch the Kafka broker", lambda: "not needed: KAFKA_BOOTSTRAP")
    steps.run("start PostgreSQL, Redis, Kafka, mail", copy.start_servers)
    copy.write_mamisctl_settings()
    steps.run("migrate the database", lambda: _migrate(copy))
    steps.run("make the topics", lambda: _last_line(copy.mamisctl("topics")))
    steps.run("start our processes", lambda: _names(copy.start_services()))
    if not seeded:
        steps.run("import organisers, doctors, seminars", lambda: demo.import_samples(copy))
    steps.run("accounts and a posted file", lambda: demo.make(copy))
    demo.write(copy)
    print_summary(copy, time.monotonic() - begun)


def _fetch(copy):
    there = os.path.isdir(brokers.ready())
    brokers.fetch(copy.paths.log("kafka-fetch"))
    return "there already" if there else f"Kafka {brokers.version()}"


def _migrate(copy):
    try:
        return _last_line(copy.mamisctl("migrate"))
    except Failure as failure:
        if "was changed after it was applied" in failure.text:
            failure.cure = "this copy belongs to another state of the tree: ./scripts/run reset"
        raise


def _last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""


def _names(names):
    return ", ".join(names) if names else "all ran already"


def print_summary(copy, seconds):
    told = copy.recall("demo")
    accounts, sample = told["accounts"], told["posted"]
    counts = ", ".join(f"{name} {count}" for name, count in sample["counts"].items() if count)
    print(f"\nMAMIS runs since {seconds:.1f} s.")
    print(f"  portal          {copy.base_url}/")
    print(f"  sample file     {sample['file']} for {sample['seminar_no']}: {sample['rows']} rows"
          f" in {sample['seconds']:.2f} s: {counts}")
    if sample.get("seen_s") is not None:
        print(f"                  visible on a doctor's page {sample['seen_s']:.2f} s after posting")
    print("  accounts        (login id / password)")
    for role, account in accounts.items():
        print(f"    {role:<13} {account['login_id']} / {account['password']}")
    for label, account in told["more_accounts"].items():
        print(f"    {label:<13} {account['login_id']} / {account['password']}")
    print(f"  all this        {os.path.join(copy.paths.run, 'demo.json')}")
    print(f"  mails           {copy.mail.folder} (Maildir)")
    print("  stop            ./scripts/run stop      begin afresh: ./scripts/run reset")


def stop(copy):
    if not os.path.isdir(copy.paths.run):
        print(f"nothing runs in {copy.paths.run}")
        return
    copy.lock()
    stopped = copy.stop()
    print("stopped: " + ", ".join(stopped) if stopped else "nothing was running")


def status(copy):
    """Exit code 0 when all runs and is ready."""
    names = copy.process_names()
    if not names:
        print(f"nothing runs in {copy.paths.run}; start: ./scripts/run")
        return 3
    ports = copy.recall("ports") or {}
    well = True
    for name in names:
        pid = Process(copy.paths, name).pid()
        state = "dead" if pid is None else "running"
        if pid is not None and name.rpartition("-")[0] in services.NAMES:
            code = services.http_status(f"http://127.0.0.1:{ports.get(name)}/readyz")
            state = "ready" if code == 200 else f"running, not ready ({code})"
        well = well and state in ("running", "ready")
        print(f"{name:<16} {pid or '-':>8}  {state}")
    if "gateway-http" in ports:
        print(f"portal           {copy.base_url}/")
    return 0 if well else 1


def reset(copy):
    if os.path.isdir(copy.paths.run):
        copy.lock()
        copy.remove()
    run(Copy(copy.paths.run, copy.build))


def main(argv):
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # ends quietly in `... | head`
    words = argv[1:] or ["run"]
    commands = {"run": run, "stop": stop, "status": status, "reset": reset}
    if words in (["-h"], ["--help"], ["help"]):
        print(USAGE)
        return 0
    if len(words) != 1 or words[0] not in commands:
        print(USAGE, file=sys.stderr)
        return 2
    copy = Copy(os.environ.get("MAMIS_RUN_DIR") or os.path.join(places.TOP, ".run"))
    try:
        return commands[words[0]](copy) or 0
    except Failure as failure:
        print(f"scripts/run: {failure.text}", file=sys.stderr)
        if failure.log:
            print(f"log:  {failure.log}", file=sys.stderr)
        if failure.cure:
            print(f"cure: {failure.cure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped by you; what was started still runs: ./scripts/run stop", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv))
