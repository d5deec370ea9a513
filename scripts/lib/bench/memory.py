"""Peak memory of our processes while one file of a million rows posts."""

import time

from running.process import wait_for

from . import data, load, posting

APPLIED_S = 300


def run(system, tag, seed):
    options = system.options
    name = f"B-{tag}M0000"
    system.seminars([name], "L", data.sessions_for(options.rows, options.doctors))
    file = data.one_file(name, options.rows, options.doctors, seed)
    large = load.Large(system.copy.base_url, system.tokens["L"], {name: file}, 1)
    system.settle()
    before = system.ledger_rows()
    system.forget_peaks()
    load.post(large)
    posting.check(large.failures)
    wait_for(system.applied, APPLIED_S, "every event applied", every=0.1)
    peaks = system.peaks_mib()
    there = system.ledger_rows() - before
    if there != options.rows:
        raise posting.Void(f"the run is void: {there} of {options.rows} rows in the ledger")
    return {"at": time.time(), "rows": options.rows, "bytes": len(file), "seconds": large.seconds,
            "rate": options.rows / large.seconds, "peaks_mib": peaks}
