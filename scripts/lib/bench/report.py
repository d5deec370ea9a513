"""bench.md: a table of what was measured, each beside its ceiling of the same run."""

from .figures import milliseconds, percentile, spread


def p50_p99(seconds):
    return (f"p50 {percentile(seconds, 0.5) * 1000:.1f} ms,"
            f" p99 {percentile(seconds, 0.99) * 1000:.1f} ms")


# ---- lines while it runs ----

def command_line(one):
    return (f"{len(one['command_seconds'])} commands: {p50_p99(one['command_seconds'])};"
            f" two bare commits: {p50_p99(one['commit_seconds'])}")


def posting_line(run):
    return (f"{run['rows']:,} rows in {run['seconds']:.1f} s: {run['rate']:,.0f} rows/s of"
            f" {run['ceiling']:,.0f} by COPY, ratio {run['ratio']:.3f};"
            f" {len(run['small_seconds'])} small files"
            + (f" {p50_p99(run['small_seconds'])}" if run["small_seconds"] else "")
            + f"; processors {run['cores_busy']:.0%} busy")


# ---- tables ----

def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def processor_table(runs):
    """Median processor seconds by part, for a million rows."""
    parts = {}
    for run in runs:
        for part, seconds in run["cpu_seconds"].items():
            parts.setdefault(part, []).append(seconds * 1e6 / run["rows"])
    rows = sorted(parts.items(), key=lambda item: -max(item[1]))
    return table(["processor seconds for 1,000,000 rows", "median (min-max)"],
                 [(part, spread(values, ".2f")) for part, values in rows])


def run_table(runs):
    return table(
        ["run", "entries before", "rows/s", "COPY rows/s", "ratio", "small files",
         "of them while it posted", "p50 ms", "p99 ms", "mails meanwhile", "processors busy"],
        [(at + 1, f"{run['ledger_before']:,}", f"{run['rate']:,.0f}", f"{run['ceiling']:,.0f}",
          f"{run['ratio']:.3f}", len(run["small_seconds"]), run["small_meanwhile"],
          f"{percentile(run['small_seconds'], 0.5) * 1000:.0f}",
          f"{percentile(run['small_seconds'], 0.99) * 1000:.0f}", f"{run['mails']:,}",
          f"{run['cores_busy']:.0%}") for at, run in enumerate(runs)])


def pooled(runs, key):
    return [seconds for run in runs for seconds in run[key]]


def each(runs, key, share):
    return milliseconds(percentile(run[key], share) for run in runs if run[key])


# ---- parts: rows of the first table, and what follows it ----

def posting_rows(part):
    runs = part["runs"]
    small = pooled(runs, "small_seconds")
    rows = [
        (f"1. {runs[0]['rows']:,} rows over {runs[0]['seminars']} seminars offered at once, rows/s,"
         " first byte sent to last row visible", spread([run["rate"] for run in runs]),
         "bare COPY of the same rows, three indexes: "
         + spread([run["ceiling"] for run in runs]), "-", len(runs)),
        ("1. ratio of the two", spread([run["ratio"] for run in runs], ".3f"), "1", ">= 0.5",
         len(runs))]
    if small:
        rows += [
            (f"2. 50-row files meanwhile, last byte sent to GET /me/credits, p99 of all {len(small)}",
             f"{percentile(small, 0.99) * 1000:.0f} ms; of each run "
             + spread(each(runs, "small_seconds", 0.99)),
             "with nothing else going on: "
             + spread(each(runs, "small_idle_seconds", 0.99)), "<= 1000 ms", len(runs)),
            ("2. the same, p50", f"{percentile(small, 0.5) * 1000:.0f} ms; of each run "
             + spread(each(runs, "small_seconds", 0.5)),
             "with nothing else going on: "
             + spread(each(runs, "small_idle_seconds", 0.5)), "-", len(runs))]
    return rows


def command_rows(part):
    rounds = part["rounds"]
    count = len(rounds[0]["command_seconds"])
    return [(f"3. cancel one credit on the idle system, {name} of {count}, ms",
             spread(each(rounds, "command_seconds", share), ".1f"),
             "two bare commits: " + spread(each(rounds, "commit_seconds", share), ".2f"),
             limit, len(rounds))
            for name, share, limit in (("p50", 0.5, "<= 15 ms"), ("p99", 0.99, "<= 60 ms"))]


def posting_more(part):
    return ["## Posting, run by run", run_table(part["runs"]), processor_table(part["runs"])]


ROWS = {"posting": posting_rows, "commands": command_rows}
MORE = {"posting": posting_more}


def heading(results):
    machine = results["machine"]
    lines = ["# Measured by `scripts/bench season`", "",
             f"{machine['cores']} cores, {machine['cpu']}, {machine['memory_gib']} GiB of memory;"
             " servers, load and all processes on it. Only what was measured in one run compares"
             " between machines.", ""]
    lines += [f"- {name}: {part['date']}, {part['doctors']:,} doctors, took {part['seconds']} s;"
              f" the smart host answers a mail after {part['mail_ms']} ms"
              for name, part in results["parts"].items()]
    return "\n".join(lines)


def markdown(results):
    parts = results["parts"]
    rows = [row for name, make in ROWS.items() if name in parts for row in make(parts[name])]
    blocks = [heading(results), "Medians (min-max):",
              table(["what", "measured", "ceiling in the same run", "wanted", "runs"], rows)]
    for name, make in MORE.items():
        if name in parts:
            blocks += make(parts[name])
    return "\n\n".join(blocks) + "\n"
