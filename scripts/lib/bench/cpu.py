"""Where the time goes: processor seconds by part of a running copy."""

import os

from running.process import Process

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """(parent, processor seconds), None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS


def _backend(pid):
    """The role that a PostgreSQL backend serves."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            words = file.read().replace("\0", " ").split()
    except OSError:
        words = []
    role = words[1] if len(words) > 1 else ""
    return f"postgres for {role[6:]}" if role.startswith("mamis_") else "postgres itself"


def seconds(copy):
    """{part: processor seconds since it began}, this program's own too."""
    used = {"the load": sum(os.times()[:2])}
    for name in copy.process_names():
        pid = Process(copy.paths, name).pid()
        stat = _stat(pid)
        if stat is None:
            continue
        used[name] = stat[1]
        if name == "postgres":
            used["postgres itself"] = used.pop(name)
            for other in filter(str.isdigit, os.listdir("/proc")):
                child = _stat(other)
                if child is not None and child[0] == int(pid):
                    part = _backend(other)
                    used[part] = used.get(part, 0) + child[1]
    return used


def between(before, after):
    """What was used meanwhile, most first; parts below 50 ms are left out."""
    used = {part: after[part] - before.get(part, 0) for part in after}
    return dict(sorted(((part, value) for part, value in used.items() if value >= 0.05),
                       key=lambda item: -item[1]))


def busy():
    """(ticks in use, all ticks) of all processors since boot; what others take away is in use."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def busy_between(before, after):
    """Share of the processors' time that was in use meanwhile."""
    return (after[0] - before[0]) / max(1, after[1] - before[1])
