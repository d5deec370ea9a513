"""bench.md: a table of what was measured, each beside its ceiling of the same run."""

import statistics

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
            + f"; processors {run['cores_busy']:.0%} busy, the chain {run['chain_share']:.1%} of"
              " PostgreSQL's time for credit")


def memory_line(run):
    return (f"one file of {run['rows']:,} rows, {run['bytes'] / 1e6:.0f} MB,"
            f" {run['rate']:,.0f} rows/s; peaks in MiB: "
            + ", ".join(f"{name} {mib:.1f}" for name, mib in run["peaks_mib"].items()))


def workers_line(one):
    return (f"{one['workers']} credit worker(s): rows/s {spread([r['rate'] for r in one['runs']])},"
            f" ratio {spread([r['ratio'] for r in one['runs']], '.3f')}")


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


def whole_ms(seconds, share):
    return f"{percentile(seconds, share) * 1000:.0f}" if seconds else "-"


def run_table(runs):
    return table(
        ["run", "entries before", "rows/s", "COPY rows/s", "ratio", "small files",
         "of them while it posted", "p50 ms", "p99 ms", "largest process MiB", "mails meanwhile",
         "processors busy", "chain's share of PostgreSQL for credit"],
        [(at + 1, f"{run['ledger_before']:,}", f"{run['rate']:,.0f}", f"{run['ceiling']:,.0f}",
          f"{run['ratio']:.3f}", len(run["small_seconds"]), run["small_meanwhile"],
          whole_ms(run["small_seconds"], 0.5), whole_ms(run["small_seconds"], 0.99),
          f"{max(run['peaks_mib'].values()):.0f}", f"{run['mails']:,}",
          f"{run['cores_busy']:.0%}",
          f"{run['chain_share']:.1%}" if "chain_share" in run else "-")
         for at, run in enumerate(runs)])


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


def memory_rows(part):
    runs = part["runs"]
    worst = {name: max(run["peaks_mib"][name] for run in runs) for name in runs[0]["peaks_mib"]}
    name = max(worst, key=worst.get)
    return [(f"4. peak memory while one file of {runs[0]['rows']:,} rows"
             f" ({runs[0]['bytes'] / 1e6:.0f} MB) posts, MiB, the largest process ({name})",
             spread([run["peaks_mib"][name] for run in runs], ".1f"), "-", "<= 96 each",
             len(runs))]


def median_of(runs, key):
    return statistics.median(run[key] for run in runs)


def ledger_rows(part):
    base, runs = part["base"], part["runs"]
    gains = {key: [full[key] / young[key] for full, young in zip(runs, base)]
             for key in ("rate", "ratio")}
    return [(f"5. rows/s with {runs[0]['ledger_before'] / 1e6:.1f} million entries in the ledger",
             spread([run["rate"] for run in runs]),
             f"with {base[0]['ledger_before'] / 1e6:.1f} to"
             f" {(base[-1]['ledger_before'] + base[-1]['rows']) / 1e6:.1f} million, in turn: "
             + spread([run["rate"] for run in base]), "-", len(runs)),
            ("5. the one by the other, turn by turn (each by its own COPY first)",
             f"{spread(gains['rate'], '.2f')} ({spread(gains['ratio'], '.2f')})",
             "1", ">= 0.9", len(runs))]


def worker_rows(part):
    one, two = (each["runs"] for each in part["sets"])
    gain = median_of(two, "rate") / median_of(one, "rate")
    ratio = median_of(two, "ratio") / median_of(one, "ratio")
    return [(f"6. rows/s with 2 workers of `credit`, {one[0]['rows']:,} rows a run",
             spread([run["rate"] for run in two]),
             "with 1: " + spread([run["rate"] for run in one]), "-", len(two)),
            ("6. the one by the other (each by its own COPY first)", f"{gain:.2f} ({ratio:.2f})",
             "-", "-", len(two))]


def posting_more(part):
    return ["## Posting, run by run", run_table(part["runs"]), processor_table(part["runs"])]


def memory_more(part):
    runs = part["runs"]
    return ["## Peak memory with one large file, MiB",
            table(["process", "median (min-max)"],
                  [(name, spread([run["peaks_mib"][name] for run in runs], ".1f"))
                   for name in runs[0]["peaks_mib"]]),
            "It posted with " + spread([run["rate"] for run in runs])
            + " rows/s: one seminar is one partition's work."]


def ledger_more(part):
    short = ("" if part["entries"] >= part["wanted"] else
             f" The time for filling was over before the {part['wanted']:,} that were wanted.")
    return [f"## The full ledger, run by run\n\nFilled to {part['entries']:,} entries.{short}",
            run_table(part["runs"]), processor_table(part["runs"]),
            f"### Beside it, with {part['base'][0]['ledger_before']:,} entries at first",
            run_table(part["base"]), processor_table(part["base"])]


def workers_more(part):
    blocks = ["## One and two workers of `credit`"]
    for each in part["sets"]:
        runs = each["runs"]
        waits = {}
        for run in runs:
            for what, count in run["waits"].items():
                waits[what] = waits.get(what, 0) + count / len(runs)
        most = sorted(waits.items(), key=lambda item: -item[1])[:WAITS_SHOWN]
        blocks += [f"### {each['workers']}", run_table(runs), processor_table(runs),
                   table(["connections to PostgreSQL, and what they wait for", "on average"],
                         [(what, f"{count:.2f}") for what, count in most])]
    return blocks + [where(part["sets"])]


def where(sets):
    """What the figures say of contention, in words."""
    busy = [median_of(one["runs"], "cores_busy") for one in sets]
    words = (f"The processors are {busy[0]:.0%} busy with one worker and {busy[1]:.0%} with two. ")
    if busy[0] >= 0.9:
        return words + "They are what the workers contend for: a second one finds none idle."
    return words + "They are not used up: what connections wait for, above, is the place to look."


ROWS = {"posting": posting_rows, "commands": command_rows, "memory": memory_rows,
        "ledger": ledger_rows, "workers": worker_rows}
MORE = {"posting": posting_more, "memory": memory_more, "ledger": ledger_more,
        "workers": workers_more}
WAITS_SHOWN = 8


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
