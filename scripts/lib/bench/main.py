"""scripts/bench: see there."""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time

import psycopg2

from running import build, services
from running import kafka as brokers
from running import paths as places
from running.api import Client
from running.copy import Copy
from running.process import Process

from . import ceiling, commands, cpu, data, load

PASSWORD = "bench-password-2026"
SMALL_ROWS = 50


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--seminars", type=int, default=50)
    parser.add_argument("--doctors", type=int, default=20000)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--statements", type=int, default=0, metavar="N",
                        help="print the N statements that took most of PostgreSQL's time")
    parser.add_argument("--commands", type=int, default=0, metavar="N",
                        help="first, on the idle system: the round trip of N commands")
    parser.add_argument("--out", default="")
    return parser.parse_args()


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def start(copy):
    # The limit of open uploads is fairness between organisers; here one sends everything.
    os.environ["MAMIS_UPLOADS_OPEN_MAX"] = "1000"
    build.programs(copy.build, copy.paths.log("build"))
    brokers.fetch(copy.paths.log("kafka-fetch"))
    copy.start_servers()
    copy.write_mamisctl_settings()
    copy.mamisctl("migrate")
    copy.mamisctl("topics")
    copy.start_services()


def fill(copy, options, folder):
    """Doctors and seminars; gives a token for the large files and one for the small ones."""
    copy.mamisctl("import", "organisers", write(folder, "organisers.csv", data.organisers()))
    begun = time.monotonic()
    copy.mamisctl("import", "members", write(folder, "members.csv", data.members(options.doctors)),
                  "--password-for-tests", PASSWORD, seconds=900)
    print(f"imported {options.doctors} doctors in {time.monotonic() - begun:.1f} s", flush=True)
    copy.mamisctl("import", "seminars",
                  write(folder, "seminars.csv",
                        data.seminars(options.seminars + (options.commands > 0), options.small)))
    return {kind: copy.mamisctl("token", "create", "--organiser", code,
                                "--scope", "attendance:write").strip().splitlines()[-1]
            for kind, code in data.ORGANISERS.items()}


def sign_in_readers(copy, count):
    readers = []
    for number in range(count):
        _, mamis_no, _ = data.doctor(number)
        readers.append(Client(copy.base_url).sign_in(mamis_no, PASSWORD))
    return readers


def peak_mib(copy):
    """Peak resident memory of each of our processes, MiB."""
    peaks = {}
    for name in copy.process_names():
        if name.rpartition("-")[0] not in services.NAMES:
            continue
        pid = Process(copy.paths, name).pid()
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM"):
                    peaks[name] = int(line.split()[1]) / 1024
    return peaks


def visible_rows(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM credit.ledger")
        count = cursor.fetchone()[0]
    connection.commit()
    return count


def once(copy, options, tokens, readers, run):
    """One run on fresh seminars: (rows/s, ceiling rows/s, seconds to visible of the small files,
    processor seconds by part)."""
    large = data.large_files(options.rows, options.seminars, options.doctors, seed=run)
    small = data.small_files(options.small, SMALL_ROWS, options.doctors, seed=1000 + run)
    large_bytes = {no: data.attendance(no, numbers) for no, numbers in large.items()}
    small_bytes = {no: data.attendance(no, numbers) for no, numbers in small.items()}
    connection = psycopg2.connect(copy.postgres.operator_dsn())
    top = ceiling.measure(connection, large)
    before = visible_rows(connection)
    big = load.Large(copy.base_url, tokens["L"], large_bytes)
    little = load.Small(copy.base_url, tokens["S"], small_bytes, readers)
    stop = threading.Event()
    side = threading.Thread(target=little.run, args=(stop,))
    with copy.postgres.connect() as operator, operator.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements;"
                       "SELECT pg_stat_statements_reset()")
    used = cpu.seconds(copy)
    side.start()
    big.run()
    used = cpu.between(used, cpu.seconds(copy))
    stop.set()
    side.join(load.GIVE_UP_S)
    failures = big.failures + little.failures
    rows = sum(len(numbers) for numbers in large.values())
    there = visible_rows(connection) - before - SMALL_ROWS * len(little.seconds)
    connection.close()
    if failures or there != rows:
        raise SystemExit(f"the run is void: {failures[:3]}, {there} of {rows} rows in the ledger")
    return rows / (big.ended - big.begun), top, little.seconds, used


def print_statements(copy, count):
    with copy.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT round(total_exec_time), calls, rows, round(wal_bytes / 1e6, 1),"
            " rolname, left(regexp_replace(query, '\\s+', ' ', 'g'), 110)"
            " FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid"
            " ORDER BY total_exec_time DESC LIMIT %s", (count,))
        print("\n  ms, calls, rows, MB of WAL, role, statement")
        for row in cursor.fetchall():
            print("  " + "  ".join(str(value) for value in row))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def report_commands(seconds):
    print(f"{len(seconds)} commands on the idle system, cancel one credit"
          f"   p50 {percentile(seconds, 0.5) * 1000:.1f} ms"
          f"  p99 {percentile(seconds, 0.99) * 1000:.1f} ms", flush=True)


def spread(values, form):
    return (f"median {statistics.median(values):{form}}"
            f"  min {min(values):{form}}  max {max(values):{form}}")


def report(results, peaks, options):
    rates = [rate for rate, _, _, _ in results]
    tops = [top for _, top, _, _ in results]
    ratios = [rate / top for rate, top, _, _ in results]
    small = [seconds for _, _, files, _ in results for seconds in files]
    used = results[-1][3]
    print(f"\nposted {options.rows} rows over {options.seminars} seminars, {len(results)} run(s)")
    print(f"  rows/s, first byte sent to last row visible   {spread(rates, ',.0f')}")
    print(f"  bare COPY, three indexes, rows/s              {spread(tops, ',.0f')}")
    print(f"  ratio                                         {spread(ratios, '.3f')}")
    print(f"  small files meanwhile: {len(small)} of {SMALL_ROWS} rows, to visible"
          f"   p50 {percentile(small, 0.5) * 1000:.0f} ms"
          f"  p99 {percentile(small, 0.99) * 1000:.0f} ms")
    print("  peak memory, MiB      " + "  ".join(f"{name} {mib:.0f}" for name, mib in peaks.items()))
    print("  processor seconds (last run)   " + ", ".join(f"{part} {value:.1f}"
                                                       for part, value in used.items()))
    return {"rows": options.rows, "cpu_seconds": used, "seminars": options.seminars, "rates": rates, "ceilings": tops,
            "ratios": ratios, "small_seconds": small, "peak_mib": peaks}


def main():
    options = arguments()
    folder = tempfile.mkdtemp(prefix="mamis-bench-")
    os.chmod(folder, 0o755)
    copy = Copy(os.path.join(folder, "run"), os.path.join(places.TOP, "build"))
    copy.lock()
    try:
        start(copy)
        tokens = fill(copy, options, folder)
        if options.commands:
            report_commands(commands.measure(copy, tokens["L"], f"B-L{options.seminars:04d}",
                                             options.commands))
        readers = sign_in_readers(copy, options.small)
        results = []
        for run in range(options.runs):
            if run > 0:  # seminars of the run before are full: begin with new ones
                copy.remove()
                copy = Copy(os.path.join(folder, f"run{run}"), os.path.join(places.TOP, "build"))
                copy.lock()
                start(copy)
                tokens = fill(copy, options, folder)
                readers = sign_in_readers(copy, options.small)
            results.append(once(copy, options, tokens, readers, run))
        told = report(results, peak_mib(copy), options)
        if options.statements:
            print_statements(copy, options.statements)
        if options.out:
            os.makedirs(options.out, exist_ok=True)
            write(options.out, "posting.json", json.dumps(told, indent=1))
    finally:
        copy.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
