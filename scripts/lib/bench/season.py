"""scripts/bench season: everything that performance is judged by, part after part on one system; the full
ledger has a young one beside it, in a second system."""

import argparse
import contextlib
import datetime
import json
import os
import platform
import signal
import sys
import time

from . import commands, ledger, memory, plot, posting, report, workers
from .system import System

PARTS = ["commands", "posting", "workers", "memory", "ledger"]  # the ledger is full at the end
MAIL_MS = 20
YOUNG_LEDGER = 1000000  # entries in the one that the full ledger is beside


def arguments(words):
    parser = argparse.ArgumentParser(prog="scripts/bench season", description=__doc__,
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS,
                        help="only this one; may stand several times")
    parser.add_argument("--doctors", type=int, default=340000)
    parser.add_argument("--rows", type=int, default=1000000, help="of a run")
    parser.add_argument("--seminars", type=int, default=200, help="that these rows are of")
    parser.add_argument("--senders", type=int, default=200, help="files sent at once")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", type=int, default=900,
                        help="most 50-row files of a run, one every 100 ms while it lasts")
    parser.add_argument("--readers", type=int, default=200,
                        help="signed-in doctors who look for the small files' credits")
    parser.add_argument("--commands", type=int, default=200, help="of a round")
    parser.add_argument("--worker-rows", type=int, default=200000,
                        help="of a run with one or two workers")
    parser.add_argument("--ledger", type=int, default=20000000,
                        help="entries in the full ledger")
    parser.add_argument("--ledger-runs", type=int, default=9,
                        help="in the full ledger, and as many in the young one")
    parser.add_argument("--fill-minutes", type=float, default=8,
                        help="after which the ledger is as full as it is")
    parser.add_argument("--mail-ms", type=int, default=MAIL_MS,
                        help="after which the smart host answers a mail")
    parser.add_argument("--minutes", type=int, default=60, help="after which it gives up")
    parser.add_argument("--out", default="build/bench", help="folder of bench.json, .md and .svg")
    options = parser.parse_args(words)
    options.part = options.part or PARTS
    return options


class Progress:
    """Lines with the minutes since it began."""

    def __init__(self):
        self.begun = time.monotonic()

    def __call__(self, words):
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        print(f"{minutes:3}:{seconds:02}  {words}", flush=True)


def machine():
    found = {"cores": os.cpu_count(), "cpu": platform.machine(), "memory_gib": 0}
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                found["cpu"] = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="ascii") as file:
        found["memory_gib"] = round(int(file.readline().split()[1]) / 1024 / 1024, 1)
    return found


# ---- the parts: each gives what becomes its entry in bench.json ----

def run_commands(system, options, say):
    rounds = commands.run(system, "C", options.commands, options.runs)
    for one in rounds:
        say(report.command_line(one))
    return {"rounds": rounds}


def post(system, tag, seed, count, say):
    runs = []
    for number in range(count):
        runs.append(posting.run(system, f"{tag}{number}", seed + number))
        say(report.posting_line(runs[-1]))
    return runs


def run_posting(system, options, say):
    return {"runs": post(system, "P", 0, options.runs, say)}


def run_workers(system, options, say):
    sets = workers.run(system, "W", options.runs)
    for one in sets:
        say(report.workers_line(one))
    return {"sets": sets}


def run_memory(system, options, say):
    runs = []
    system.restart()  # peaks of processes that had 200 files at once before say nothing of one
    for number in range(options.runs):
        runs.append(memory.run(system, f"M{number}", 300 + number))
        say(report.memory_line(runs[-1]))
    return {"runs": runs}


def run_ledger(system, options, say):
    """In turn in the full ledger and in one of a million entries, each in a system of its own: what
    slows the machine for a while slows both."""
    begun = time.monotonic()
    entries = ledger.fill(system, "E", options.ledger, options.fill_minutes * 60)
    say(f"the ledger has {entries:,} entries after {time.monotonic() - begun:.0f} s")
    base, runs = [], []
    with contextlib.closing(System(options, say)) as young:
        young.start()
        young.fill()
        ledger.fill(young, "E", YOUNG_LEDGER, options.fill_minutes * 60)
        for number in range(options.ledger_runs):
            pair = [(young, base), (system, runs)]
            for one, those in pair if number % 2 == 0 else reversed(pair):
                those += post(one, f"F{number}", 500 + number, 1, say)
    return {"wanted": options.ledger, "entries": entries, "base": base, "runs": runs}


RUN = {"commands": run_commands, "posting": run_posting, "workers": run_workers,
       "memory": run_memory, "ledger": run_ledger}


# ---- results ----

def load_results(path):
    """Those of parts measured before: a part alone replaces its own."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {"parts": {}}


def write_results(options, results):
    for name, text in (("json", json.dumps(results, indent=1)),
                       ("md", report.markdown(results)), ("svg", plot.svg(results))):
        with open(os.path.join(options.out, "bench." + name), "w", encoding="utf-8") as file:
            file.write(text)


def main(words):
    options = arguments(words)
    os.makedirs(options.out, exist_ok=True)
    signal.alarm(options.minutes * 60)
    say = Progress()
    results = load_results(os.path.join(options.out, "bench.json"))
    results["machine"] = machine()
    system = System(options, say)
    try:
        system.start()
        say("servers and processes run")
        system.fill()
        for part in PARTS:
            if part not in options.part:
                continue
            begun = time.monotonic()
            say(f"-- {part}")
            results["parts"][part] = RUN[part](system, options, say) | {
                "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - begun), "doctors": options.doctors,
                "mail_ms": options.mail_ms}
            write_results(options, results)
    finally:
        signal.alarm(0)
        system.close()
    print("\n" + report.markdown(results))
    say(f"written: {os.path.join(options.out, 'bench')}.json, .md, .svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
