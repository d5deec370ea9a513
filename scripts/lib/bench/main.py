"""scripts/bench: see there."""

import argparse
import json
import os
import statistics
import sys

from . import access, commands, ending, posting, season
from .figures import percentile
from .system import System


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--seminars", type=int, default=50)
    parser.add_argument("--doctors", type=int, default=20000)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--senders", type=int, default=4, help="large files sent at once")
    parser.add_argument("--mail-ms", type=int, default=season.MAIL_MS)
    parser.add_argument("--statements", type=int, default=0, metavar="N",
                        help="print the N statements that took most of PostgreSQL's time")
    parser.add_argument("--commands", type=int, default=0, metavar="N",
                        help="first, on the idle system: the round trip of N commands")
    parser.add_argument("--out", default="")
    options = parser.parse_args()
    options.readers = options.small
    return options


def print_statements(system, count):
    print("\n  ms, calls, rows, MB of WAL, role, statement")
    for row in system.sql(
            "SELECT round(total_exec_time), calls, rows, round(wal_bytes / 1e6, 1),"
            " rolname, left(regexp_replace(query, '\\s+', ' ', 'g'), 110)"
            " FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid"
            " ORDER BY total_exec_time DESC LIMIT %s", count):
        print("  " + "  ".join(str(value) for value in row))


def report_commands(seconds):
    print(f"{len(seconds)} commands on the idle system, cancel one credit"
          f"   p50 {percentile(seconds, 0.5) * 1000:.1f} ms"
          f"  p99 {percentile(seconds, 0.99) * 1000:.1f} ms", flush=True)


def spread(values, form):
    return (f"median {statistics.median(values):{form}}"
            f"  min {min(values):{form}}  max {max(values):{form}}")


def report(runs, options):
    rates = [run["rate"] for run in runs]
    tops = [run["ceiling"] for run in runs]
    ratios = [run["ratio"] for run in runs]
    small = [seconds for run in runs for seconds in run["small_seconds"]]
    last = runs[-1]
    print(f"\nposted {options.rows} rows over {options.seminars} seminars, {len(runs)} run(s)")
    print(f"  rows/s, first byte sent to last row visible   {spread(rates, ',.0f')}")
    print(f"  bare COPY, three indexes, rows/s              {spread(tops, ',.0f')}")
    print(f"  ratio                                         {spread(ratios, '.3f')}")
    print(f"  small files meanwhile: {len(small)} of {posting.SMALL_ROWS} rows, to visible"
          f"   p50 {percentile(small, 0.5) * 1000:.0f} ms"
          f"  p99 {percentile(small, 0.99) * 1000:.0f} ms")
    print("  peak memory, MiB      " + "  ".join(f"{name} {mib:.0f}"
                                                 for name, mib in last["peaks_mib"].items()))
    print(f"  processor seconds (last run, {last['mails']} mails)   "
          + ", ".join(f"{part} {value:.1f}" for part, value in last["cpu_seconds"].items()))
    return {"rows": options.rows, "cpu_seconds": last["cpu_seconds"],
            "seminars": options.seminars, "rates": rates, "ceilings": tops, "ratios": ratios,
            "small_seconds": small, "peak_mib": last["peaks_mib"]}


def quick():
    options = arguments()
    runs = []
    for run in range(options.runs):  # each on a system of its own
        system = System(options)
        try:
            system.start()
            system.fill()
            if options.commands and run == 0:
                report_commands(commands.run(system, "Q", options.commands, 1)[0]
                                ["command_seconds"])
            runs.append(posting.run(system, "Q", run))
            if run + 1 < options.runs:
                continue
            told = report(runs, options)
            if options.statements:
                print_statements(system, options.statements)
            if options.out:
                os.makedirs(options.out, exist_ok=True)
                with open(os.path.join(options.out, "posting.json"), "w",
                          encoding="utf-8") as file:
                    json.dump(told, file, indent=1)
        finally:
            system.close()
    return 0


def main():
    ending.watch()
    if len(sys.argv) > 1 and sys.argv[1] == "season":
        return season.main(sys.argv[2:])
    if len(sys.argv) > 1 and sys.argv[1] == "access":
        return access.main(sys.argv[2:])
    return quick()


if __name__ == "__main__":
    sys.exit(main())
