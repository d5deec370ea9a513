"""access.md: what was measured, each beside its ceiling of the same run."""

from .figures import spread
from .report import table


def import_line(run):
    return (f"{run['members']:,} members with postcards in {run['seconds']:.1f} s,"
            f" the same list again in {run['again_seconds']:.1f} s;"
            f" processors {run['cores_busy']:.0%} busy")


def storm_line(run):
    told = run["storm"]
    return (f"{run['rate']:.1f} sign-ins/s of {run['bare']:.1f} bare hashes/s, ratio"
            f" {run['ratio']:.3f}; GET /me p99 {run['meanwhile']['p99_ms']:.1f} ms, idle"
            f" {run['idle']['p99_ms']:.1f} ms; {told['told_to_wait']:,} told to wait,"
            f" asked {told['asked']:,} times; processors {run['cores_busy']:.0%} busy")


def reads_line(run):
    return (f"GET /me {run['rate']:,.0f}/s of {run['gets']:,.0f} by redis-benchmark, ratio"
            f" {run['ratio']:.3f}")


def import_rows(runs):
    return [(f"1. import of {runs[0]['members']:,} members with postcards, s",
             spread([run["seconds"] for run in runs], ".1f"), "-", "<= 60", len(runs)),
            ("1. the same list again, nothing changed, s",
             spread([run["again_seconds"] for run in runs], ".1f"), "-", "-", len(runs))]


def storm_rows(runs):
    idle = [run["idle"]["p99_ms"] for run in runs]
    share = [run["meanwhile"]["p99_ms"] / max(2 * run["idle"]["p99_ms"], 10) for run in runs]
    return [(f"2. sign-ins/s while {runs[0]['accounts']:,} accounts want in",
             spread([run["rate"] for run in runs], ".1f"),
             "bare Argon2id, 2 threads: " + spread([run["bare"] for run in runs], ".1f"), "-",
             len(runs)),
            ("2. ratio of the two", spread([run["ratio"] for run in runs], ".3f"), "1", ">= 0.9",
             len(runs)),
            ("3. GET /me meanwhile, 200/s open loop, p99 ms",
             spread([run["meanwhile"]["p99_ms"] for run in runs], ".2f"),
             "idle system: " + spread(idle, ".2f"), "-", len(runs)),
            ("3. the one by max(2 x idle, 10 ms)", spread(share, ".2f"), "1", "<= 1", len(runs))]


def reads_rows(runs):
    return [("4. GET /me with a session, 50 connections, answers/s",
             spread([run["rate"] for run in runs]),
             "redis-benchmark GET: " + spread([run["gets"] for run in runs]), "-", len(runs)),
            ("4. ratio of the two", spread([run["ratio"] for run in runs], ".3f"), "1", ">= 0.3",
             len(runs))]


def processor_table(runs):
    parts = {}
    for run in runs:
        for part, seconds in run["cpu_seconds"].items():
            parts.setdefault(part, []).append(seconds)
    rows = sorted(parts.items(), key=lambda item: -max(item[1]))
    return table(["processor seconds of a run", "median (min-max)"],
                 [(part, spread(values, ".2f")) for part, values in rows])


ROWS = {"import": import_rows, "storm": storm_rows, "reads": reads_rows}


def markdown(results):
    machine, parts = results["machine"], results["parts"]
    rows = [row for name, make in ROWS.items() if name in parts for row in make(parts[name]["runs"])]
    blocks = ["# Measured by `scripts/bench access`",
              f"{machine['cores']} cores, {machine['cpu']}, {machine['memory_gib']} GiB of memory;"
              " servers, load and all processes on it. Only what was measured in one run compares"
              " between machines.", "Medians (min-max):",
              table(["what", "measured", "ceiling in the same run", "wanted", "runs"], rows)]
    for name in ("import", "storm"):
        if name in parts:
            blocks += [f"## {name}", processor_table(parts[name]["runs"])]
    return "\n\n".join(blocks) + "\n"
