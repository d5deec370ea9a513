"""One run of posting: large files at once, small ones meanwhile, the ceiling before and after."""

import statistics
import time

from . import ceiling, cpu, data, load

SMALL_ROWS = 50
SMALL_ALONE = 20  # small files on the idle system
# Of PostgreSQL's time for credit: what the links of the ledger's chain took.
CHAIN_SHARE = """
SELECT coalesce(sum(total_exec_time) FILTER (WHERE query LIKE '%chain_put%')
                / sum(total_exec_time), 0)
FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid
WHERE rolname = 'mamis_credit' AND toplevel
"""


class Void(SystemExit):
    """A run that measured nothing."""


def check(failures):
    if failures:
        raise Void(f"the run is void, {len(failures)} failures: {failures[:3]}")


def small_load(system, tag, count, seed):
    """`count` small files to new seminars, ready to be sent."""
    options = system.options
    names = data.numbers_of(tag, "S", count)
    system.seminars(names, "S")
    numbers = data.small_files(names, SMALL_ROWS, options.doctors, seed, len(system.readers))
    return load.Small(system.copy.base_url, system.tokens["S"], data.files(numbers),
                      system.readers)


def alone(system, tag, seed):
    """Seconds to visible of small files while nothing else goes on."""
    small = small_load(system, tag, SMALL_ALONE, seed)
    load.post_small(small)
    check(small.failures)
    return small.seconds


def run(system, tag, seed, rows=None, seminars=None, small=None, waits=None):
    """Posts `rows` over `seminars`; gives what was measured as a dict. `waits`: to be asked meanwhile
    what PostgreSQL waits for."""
    options = system.options
    rows, seminars = rows or options.rows, seminars or options.seminars
    small = options.small if small is None else small
    names = data.numbers_of(tag, "L", seminars)
    system.seminars(names, "L")
    numbers = data.large_files(names, rows, options.doctors, seed)
    large = load.Large(system.copy.base_url, system.tokens["L"], data.files(numbers),
                       options.senders)
    little = small_load(system, tag, small, 1000 + seed) if small else None
    system.settle()
    tops = [ceiling.measure(system.connection, numbers)]
    idle = alone(system, tag + "A", 2000 + seed) if small else []
    system.settle()
    before, mails = system.ledger_rows(), system.sink.mails()
    system.sql("SELECT pg_stat_statements_reset()")
    used, busy = cpu.seconds(system.copy), cpu.busy()
    if waits:
        waits.start()
    load.post(large, little)
    waited = waits.stop() if waits else {}
    used, busy = cpu.between(used, cpu.seconds(system.copy)), cpu.busy_between(busy, cpu.busy())
    mails, chain = system.sink.mails() - mails, system.sql(CHAIN_SHARE)[0][0]
    check(large.failures + (little.failures if little else []))
    count = sum(len(those) for those in numbers.values())
    seen = little.seconds if little else []
    there = system.ledger_rows() - before - SMALL_ROWS * len(seen)
    if there != count:
        raise Void(f"the run is void: {there} of {count} rows in the ledger")
    system.settle()
    tops.append(ceiling.measure(system.connection, numbers))
    rate = count / large.seconds
    top = statistics.harmonic_mean(tops)  # all their rows in all their time
    return {"at": time.time(), "rows": count, "seminars": seminars, "seconds": large.seconds,
            "rate": rate, "ceiling": top, "ceilings": tops, "ratio": rate / top, "ledger_before": before,
            "small_seconds": seen, "small_idle_seconds": idle,
            "small_meanwhile": sum(at <= large.ended for at in little.seen_at) if little else 0,
            "cpu_seconds": used, "cores_busy": busy, "mails": mails, "chain_share": chain, "waits": waited,
            "peaks_mib": system.peaks_mib()}
