"""One worker of `credit` and two: rates, processor seconds, and what PostgreSQL waits for."""

import collections
import threading

from running.process import wait_for

from . import posting

SAMPLE_S = 0.05
SECOND_READY_S = 60
# What each connection of our processes does at this moment.
LOOK = """
SELECT usename, CASE WHEN state <> 'active' THEN 'for the next statement of its transaction'
                     WHEN wait_event IS NULL THEN 'for nothing: it works'
                     ELSE wait_event_type || ': ' || wait_event END, count(*)
FROM pg_stat_activity
WHERE usename LIKE 'mamis_%' AND state IN ('active', 'idle in transaction') GROUP BY 1, 2
"""


class Waits:
    """Looks at PostgreSQL's connections every 50 ms, from start() to stop()."""

    def __init__(self, copy):
        self.connection = copy.postgres.connect()
        self.seen, self.looks = collections.Counter(), 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def start(self):
        self.thread.start()

    def _look(self):
        with self.connection.cursor() as cursor:
            while not self.ended.wait(SAMPLE_S):
                cursor.execute(LOOK)
                self.looks += 1
                for role, wait, count in cursor.fetchall():
                    self.seen[f"{role} {wait}"] += count

    def stop(self):
        """{role and wait: how many connections on average}, most first."""
        self.ended.set()
        self.thread.join()
        self.connection.close()
        return {what: count / max(1, self.looks) for what, count in self.seen.most_common()}


def measure(system, tag, seed, count):
    """Runs with as many workers as there are now."""
    options = system.options
    runs = []
    for number in range(count):
        waits = Waits(system.copy)
        runs.append(posting.run(system, f"{tag}{number}", seed + number, rows=options.worker_rows,
                                seminars=min(options.seminars, 50), small=0, waits=waits))
    return runs


def start_second(system):
    """Another `credit`; returns when both have partitions."""
    first, second = system.copy.service("credit", 1), system.copy.service("credit", 2)
    system.copy.port_to_start_on(second.name, second.process)
    second = system.copy.service("credit", 2)
    second.start()
    second.wait_ready()
    wait_for(lambda: all(system.metric(one, "mamis_work_partitions") > 0
                         for one in (first, second)), SECOND_READY_S, "work for both workers")
    return second


def run(system, tag, count):
    """`count` runs with one worker, then as many with two."""
    sets = [{"workers": 1, "runs": measure(system, tag + "A", 100, count)}]
    second = start_second(system)
    sets.append({"workers": 2, "runs": measure(system, tag + "B", 200, count)})
    second.stop()
    return sets
