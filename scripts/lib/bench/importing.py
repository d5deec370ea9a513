"""The import of a list of the real size: every member's postcard, certificates for those who have one.
From the command's start to its end, which is when every projection has applied the last event."""

import os
import time

from . import cpu, data


class Void(SystemExit):
    """A run that measured nothing."""


def run(system, count):
    """Imports `count` members into a system without any; gives what was measured as a dict."""
    path = system.write("list.csv", data.member_list(count))
    cards = os.path.join(system.folder, "postcards.csv")
    system.sql("SELECT pg_stat_statements_reset()")
    used, busy, begun = cpu.seconds(system.copy), cpu.busy(), time.monotonic()
    system.copy.mamisctl("import", "members", path, "--postcards", cards, seconds=900)
    seconds = time.monotonic() - begun
    used, busy = cpu.between(used, cpu.seconds(system.copy)), cpu.busy_between(busy, cpu.busy())
    with open(cards, "rb") as file:
        made = sum(1 for _ in file) - 1
    seen = [system.sql(f"SELECT count(*) FROM {table}")[0][0]
            for table in ("gateway.temp_credential", "credit.doctor", "renewal.doctor",
                          "notification.doctor", "notification.account")]
    if made != count or set(seen) != {count}:
        raise Void(f"the run is void: {made} postcards, {seen} of {count} seen")
    begun = time.monotonic()
    system.copy.mamisctl("import", "members", path, seconds=900)
    return {"members": count, "seconds": seconds, "again_seconds": time.monotonic() - begun,
            "cpu_seconds": used, "cores_busy": busy}
