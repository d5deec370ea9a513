"""scripts/bench access: what registration and access are judged by."""

import argparse
import datetime
import os
import signal
import json

from . import access_report, importing, reads, season, storm
from .callers import Callers
from .system import System

PARTS = ["import", "storm", "reads"]


def arguments(words):
    parser = argparse.ArgumentParser(prog="scripts/bench access", description=__doc__,
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS,
                        help="only this one; may stand several times")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--members", type=int, default=177000, help="of the list that is imported")
    parser.add_argument("--accounts", type=int, default=30000, help="that want to sign in")
    parser.add_argument("--readers", type=int, default=50, help="people who are signed in")
    parser.add_argument("--arrive-seconds", type=float, default=8,
                        help="in which they come; then it is measured")
    parser.add_argument("--seconds", type=float, default=10, help="of a storm, measured")
    parser.add_argument("--idle-seconds", type=float, default=5)
    parser.add_argument("--hash-seconds", type=float, default=4)
    parser.add_argument("--read-seconds", type=float, default=4)
    parser.add_argument("--redis-gets", type=int, default=200000)
    parser.add_argument("--mail-ms", type=int, default=season.MAIL_MS,
                        help="after which the smart host answers a mail")
    parser.add_argument("--minutes", type=int, default=30, help="after which it gives up")
    parser.add_argument("--out", default="build/bench", help="folder of access.json and .md")
    options = parser.parse_args(words)
    options.part = options.part or PARTS
    options.doctors = options.accounts  # System.fill()
    return options


def with_system(options, say, work):
    system = System(options, say)
    try:
        system.start()
        return work(system)
    finally:
        system.close()


def run_import(options, say):
    """Each on a system of its own: the list is new."""
    runs = []
    for _ in range(options.runs):
        runs.append(with_system(options, say, lambda it: importing.run(it, options.members)))
        say(access_report.import_line(runs[-1]))
    return {"runs": runs}


def run_people(options, say):
    """Storms, then reads, on one system."""
    def work(system):
        system.fill()
        callers, done = Callers(system), {}
        for name, part, line in (("storm", storm, access_report.storm_line),
                                 ("reads", reads, access_report.reads_line)):
            if name not in options.part:
                continue
            done[name] = {"runs": []}
            for _ in range(options.runs):
                done[name]["runs"].append(part.run(system, callers, options))
                say(line(done[name]["runs"][-1]))
                if name == "storm":
                    storm.calm(system)
        return done
    return with_system(options, say, work)


def write_results(options, results):
    for name, text in (("json", json.dumps(results, indent=1)),
                       ("md", access_report.markdown(results))):
        with open(os.path.join(options.out, "access." + name), "w", encoding="utf-8") as file:
            file.write(text)


def main(words):
    options = arguments(words)
    os.makedirs(options.out, exist_ok=True)
    signal.alarm(options.minutes * 60)
    say = season.Progress()
    results = season.load_results(os.path.join(options.out, "access.json"))
    results["machine"] = season.machine()
    fresh = {}
    if "import" in options.part:
        fresh["import"] = run_import(options, say)
    if set(options.part) & {"storm", "reads"}:
        fresh.update(run_people(options, say))
    signal.alarm(0)
    for name, part in fresh.items():
        part["date"] = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        results["parts"][name] = part
    write_results(options, results)
    print("\n" + access_report.markdown(results))
    say(f"written: {os.path.join(options.out, 'access')}.json, .md")
    return 0
