#!/usr/bin/python3
"""Posts generated files while processes, servers and links are killed, stopped, cut and filled;
then checks that every row is there as it must be, once.

usage: chaos.py [--short] [--seed N] [--postings N] [--faults N] [--seconds N]
                [--only WORDS] [--build FOLDER] [--keep]

Runs on a copy of its own. `--short`: under two minutes, for CI. Without it: every kind of fault ten
times, and 3,000,000 postings, spread over the faults. `--seconds` bounds the time of faults; what
was not hit by then makes the run fail. `--only`: the faults whose name holds these words. The seed
is printed at both ends; the same seed makes the same world and the same order of faults.
"""

import argparse
import contextlib
import email
import os
import pathlib
import random
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import fleet as fleets  # noqa: E402
import psycopg2  # noqa: E402
from checker import NOTE_PEOPLE, SEEN, Checker  # noqa: E402
from deeds import OFFICERS  # noqa: E402
from faults import EVENTS, FAULTS, MATRIX, NOT_HERE, coverage, schedule  # noqa: E402
from load import Load, Sql  # noqa: E402
from running.process import Failure  # noqa: E402
from strikes import refused_mails  # noqa: E402
from world import ORGANISER, World  # noqa: E402

PASSWORD = "chaos-password-of-all"
POSTING_S = 120   # until an upload is in the middle of posting
RECOVERY_S = 120  # from healed to the next chunk posted
SAY_S = 15
WITH_MAIL = 60    # doctors with an address

# doctors, seminars, rows of a file, uploads open at once, postings, faults, seconds of faults
LONG = (12000, 330, 8000, 16, 3000000, 10 * len(FAULTS), 3600)
SHORT = (6000, 100, 8000, 8, 200000, 0, 400)
# One of each family, those that need a long wait left out.
SHORT_FAULTS = [
    "credit: SIGKILL to one", "credit: SIGSTOP for a second", "credit: killed after COMMIT",
    "credit: clock", "gateway: SIGKILL", "gateway: clients cut", "gateway: clients that never read",
    "gateway: queue", "mail server: 5xx", "mail server: line cut", "notification: SIGKILL", "PostgreSQL: deadlock",
    "PostgreSQL: no answer", "PostgreSQL: sessions", "PostgreSQL: SIGKILL to a backend",
    "PostgreSQL: restart", "Kafka: events larger", "Kafka: frozen", "Kafka: link cut",
    "Kafka: no acknowledgement", "Kafka: work topic deleted", "Kafka: messages repeated", "Redis: SIGKILL", "Redis: flushed",
]


def arguments():
    parser = argparse.ArgumentParser(prog="chaos.py")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    for name in ("doctors", "seminars", "rows", "open", "postings", "faults", "seconds"):
        parser.add_argument(f"--{name}", type=int, default=None)
    parser.add_argument("--only", default="")
    parser.add_argument("--build", default=os.environ.get("MAMIS_TEST_BUILD",
                                                          str(fleets.TOP / "build")))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    sizes = SHORT if options.short else LONG
    for name, value in zip(("doctors", "seminars", "rows", "open", "postings", "faults",
                            "seconds"), sizes):
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def choose_faults(options):
    if options.only:
        faults = [fault for fault in FAULTS if options.only in fault.name]
        return (faults * options.faults)[:options.faults or len(faults)]
    if options.short and not options.faults:
        faults = [next(fault for fault in FAULTS if fault.name.startswith(name))
                  for name in SHORT_FAULTS]
        random.Random(options.seed).shuffle(faults)
        return faults
    return schedule(options.seed, options.faults)


def disk_bytes(folder):
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # servers delete files meanwhile
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
    return total


class Run:
    """What the faults act on."""

    def __init__(self, options, fleet, world):
        self.options, self.fleet, self.world = options, fleet, world
        self.chance = random.Random(options.seed + 1)
        self.killed, self.keep_frozen = [], set()
        self.tracer, self.events_topic = None, EVENTS
        self.after_heal = lambda: None
        self.unread = []
        self.summary = "ended early"
        self.sql = Sql(fleet)
        self.load = None
        self.said = time.monotonic()

    # ---- before ----

    def fill(self, folder):
        copy = self.fleet.copy
        self._import(folder, "organisers", self.world.organisers())
        self._import(folder, "members", self.world.doctors.members(), "--password-for-tests",
                     PASSWORD)
        self._import(folder, "seminars", self.world.seminars_csv(0))
        for part_bytes in (0, 2**40):  # the other half posts into a part of the ledger of its own
            self.sql.ask("SELECT credit.ledger_tend(%s)", (part_bytes,))
        self._import(folder, "seminars", self.world.seminars_csv(1))
        for login in OFFICERS:
            copy.mamisctl("account", "create", "--role", "office_l3", "--login", login,
                          "--password", PASSWORD, "--name", "障害試験")
        self.token = copy.mamisctl("token", "create", "--organiser", ORGANISER, "--scope",
                                   "attendance:write").strip().splitlines()[-1]
        self.sql.ask(SEEN)
        self.sql.ask(NOTE_PEOPLE)

    def _import(self, folder, what, text, *extra):
        path = folder / f"{what}.csv"
        path.write_text(text, encoding="utf-8")
        self.fleet.copy.mamisctl("import", what, str(path), *extra, seconds=600)

    # ---- what faults use ----

    def wait(self, seconds):
        time.sleep(seconds)

    def kill_pid(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def postgres_answers(self):
        try:
            self.fleet.sql().close()
            return True
        except psycopg2.OperationalError:
            return False

    def end_tracer(self):
        if self.tracer.poll() is None:
            self.tracer.send_signal(signal.SIGINT)
        self.tracer.wait(20)

    def hungry_for(self, found, seconds):
        """Waits for what comes of posting; there are uploads meanwhile. False: it did not come."""
        until = time.monotonic() + seconds
        with contextlib.ExitStack() as stack:
            stack.callback(setattr, self.load, "hungry", False)
            self.load.hungry = True
            while not found():
                if time.monotonic() > until:
                    self.load.violation(f"not within {seconds} s: {found.__qualname__}")
                    return False
                self.fleet.revive()
                time.sleep(0.05)
        return True

    def unpark(self):
        """Events that Kafka refused are published, until none comes after."""
        statement = ("SELECT count(*) FROM (SELECT parked FROM credit.outbox UNION ALL SELECT"
                     " parked FROM gateway.outbox) o WHERE parked IS NOT NULL")
        for _ in range(3):
            if self.sql.ask(statement)[0][0]:
                self.fleet.copy.mamisctl("parked", "retry")
            time.sleep(0.3)

    def fill_uploads(self):
        """With the workers frozen, until the gateway says 429."""
        taken = 0
        for _ in range(60):
            with self.load.changed:
                if not self.load.ready:
                    break
                file = self.load.take(20)
            status, answer = self.load.post(file, 1)
            if status == 202:
                self.load.accepted(file, answer.json["upload_id"])
                taken += 1
                continue
            self.load.accepted_later(file)
            if status == 429:
                return
        self.load.violation(f"{taken} more uploads were taken at once, none got 429")

    def freeze(self):
        for name in ("credit-1", "credit-2"):
            self.fleet.send(name, signal.SIGSTOP)

    def thaw(self):
        for name in ("credit-1", "credit-2"):
            if name not in self.keep_frozen:
                self.fleet.send(name, signal.SIGCONT)

    # ---- one fault ----

    def freeze_while_posting(self):
        """Both workers stopped, with an upload of which chunks are posted and more than one is not:
        a commit that was on its way cannot end it. Gives its id."""
        statement = ("SELECT upload_id FROM credit.upload WHERE status = 'posting'"
                     " AND next_chunk >= 1 AND next_chunk + 1 < chunks_total LIMIT 1")
        until = time.monotonic() + POSTING_S
        self.load.hungry = True
        while time.monotonic() < until:
            if self.sql.ask(statement):
                self.freeze()
                found = self.sql.ask(statement)
                if found:
                    self.load.hungry = False
                    return found[0][0]
                self.thaw()
            self.fleet.revive()
            time.sleep(0.01)
        raise SystemExit(f"no upload was in the middle of posting within {POSTING_S} s")

    def progress(self):
        return self.sql.ask("SELECT coalesce(sum(next_chunk), 0) FROM credit.upload")[0][0]

    def recover(self, fault):
        """Seconds until the next chunk is posted."""
        begun, before = time.monotonic(), self.progress()
        self.load.hungry = True
        while time.monotonic() - begun < RECOVERY_S:
            if self.progress() > before:
                fault.recovery.append(time.monotonic() - begun)
                self.load.hungry = False
                return
            self.fleet.revive()
            time.sleep(0.02)
        self.load.violation(f"nothing was posted within {RECOVERY_S} s after {fault.name}")

    def hit(self, fault):
        begun = time.monotonic()
        self.freeze_while_posting()
        try:
            missed = fault.strike(self) is False
        finally:
            self.thaw()
        fault.hits += not missed
        self.wait(fault.last)
        fault.heal(self)
        self.recover(fault)
        if self.options.keep:
            print(f"    {time.monotonic() - begun:5.1f} s  {fault.name}", flush=True)

    def say(self, begun, hits, wanted):
        if time.monotonic() - self.said < SAY_S:
            return
        self.said = time.monotonic()
        load = self.load
        print(f"  {self.said - begun:5.0f} s  {hits}/{wanted} faults, {load.done_entries:,}"
              f" postings in {load.done_files} files, {len(load.open)} open", flush=True)

    def torment(self):
        """All faults, then until there are postings enough. False when the time did not do."""
        options, load = self.options, self.load
        order = choose_faults(options)
        begun, hits = time.monotonic(), 0
        while hits < len(order) or load.done_entries < options.postings:
            if time.monotonic() - begun > options.seconds or len(load.violations) >= 20:
                break
            if hits < len(order):
                load.part = (hits + 1) / len(order)
                self.hit(order[hits])
                hits += 1
            else:
                load.hungry = True
                self.fleet.revive()
                time.sleep(0.2)
            self.say(begun, hits, len(order))
        self.seconds = time.monotonic() - begun
        if hits < len(order) or load.done_entries < options.postings:
            load.violation(f"{options.seconds} s did not do: {hits} of {len(order)} faults,"
                           f" {load.done_entries} of {options.postings} postings")

    # ---- afterwards ----

    def report(self):
        load = self.load
        hit = [fault for fault in FAULTS if fault.hits]
        print(f"\nfaults hit while an upload was posting: {sum(f.hits for f in hit)},"
              f" of {len(hit)} kinds")
        print(f"  {'hits':>4}  {'next chunk after, s':>20}  kind (rows of the fault matrix)")
        for fault in hit:
            after = (f"{statistics.median(fault.recovery):.2f} / {max(fault.recovery):.2f}"
                     if fault.recovery else "-")
            print(f"  {fault.hits:>4}  {after:>20}  {fault.name} ({fault.rows})")
        struck, missing = coverage()
        print(f"fault matrix: {len(struck)} of {len(MATRIX)} rows struck; not here: "
              + "; ".join(f"{row} ({why})" for row, why in NOT_HERE.items()))
        if missing:
            load.violation(f"nothing stands for {', '.join(missing)}")
        print("answers to uploads: " + ", ".join(
            f"{count} x {status}" for status, count in sorted(load.statuses.items(), key=str)))
        for took, what, at in sorted(load.slow, reverse=True)[:5]:
            print(f"  slow: {took:.1f} s {what}, until {at}")
        ended = ", ".join(f"{name} {count}" for name, count in sorted(self.fleet.ended.items()))
        print(f"processes that ended by themselves: {ended or 'none'}")
        print(f"posted: {load.done_files:,} files, {load.done_rows:,} rows, {load.done_entries:,}"
              f" postings; {load.cancelled} taken back, {load.undone} files undone"
              f" ({load.undone_posting} in the middle), {load.same} sent twice, {load.mended} rows"
              f" mended, {load.released} My Pages completed, {load.merged} doctors who were on"
              f" record twice ({load.merged_under_way} credits of files that were posting,"
              f" {load.merged_at_once} of them posted after it);"
              f" in {self.seconds:.0f} s"
              f" ({load.done_entries / max(self.seconds, 1):,.0f} a second under faults)")
        base = pathlib.Path(self.fleet.copy.paths.base())
        folders = {self.fleet.folder, base} if self.fleet.folder not in base.parents \
            else {self.fleet.folder}
        used = sum(disk_bytes(folder) for folder in folders)
        print(f"on disk: {used / 1e9:.1f} GB; memory of this program:"
              f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB at most")
        slowest = max(hit, key=lambda fault: max(fault.recovery, default=0))
        self.summary = (
            f"{sum(f.hits for f in hit)} faults of {len(hit)} kinds, each at least"
            f" {min(f.hits for f in hit)} times, in {self.seconds:.0f} s; {load.done_entries:,}"
            f" postings in {load.done_files:,} files; slowest to post again after"
            f" {max(slowest.recovery, default=0):.1f} s ({slowest.name})")

    def messages(self):
        for path in pathlib.Path(self.fleet.copy.mail.folder).glob("new/*"):
            message = email.message_from_bytes(path.read_bytes())
            if message["Message-ID"].startswith("<M23."):
                yield message["Message-ID"], message["X-Envelope-To"]

    def verify(self):
        """What the operators' own tool says: (checks, those that differ, the first)."""
        try:
            told = self.fleet.copy.mamisctl("verify", "--wait", "60", seconds=600)
        except Failure as failure:
            told = failure.text
        lines = [line for line in told.splitlines() if line.startswith(("ok", "DIFF"))]
        different = [line for line in lines if line.startswith("DIFF")]
        return len(lines), len(different) or not lines, different[:1]

    def check(self):
        """True when all is as it must be."""
        self.fleet.revive()
        for service in self.fleet.services.values():
            service.wait_ready(60)
        self.unpark()
        connection = self.fleet.sql()
        checker = Checker(connection, self.world)
        begun = time.monotonic()
        checker.load()
        checker.tables(120 if self.options.short else 600)
        self.sql.ask(NOTE_PEOPLE)
        client = self.load.client()
        files = self.chance.sample(self.world.files, min(3, len(self.world.files)))
        checker.uploads_api(client, files)
        doctors = self.world.doctors
        some = [n for n in self.chance.sample(range(doctors.count), 30)
                if not doctors.closed[n] and not doctors.waits[n] and doctors.who[n] == n][:10]
        some += [kept for kept, _ in self.world.merged[-5:]]
        checker.doctors_api(self.fleet.copy.base_url, some, PASSWORD)
        checker.letters(self.messages(), refused_mails(self))
        checker.say("mamisctl verify says the same", *self.verify())
        print(f"  checked in {time.monotonic() - begun:.1f} s; the checker itself:", flush=True)
        sound = checker.test_itself()
        connection.close()
        return sound and not checker.red


def torment(options, folder):
    world = World(options.seed, options.doctors, options.seminars, WITH_MAIL)
    fleet = fleets.Fleet(folder / "run", options.build)
    run = Run(options, fleet, world)
    try:
        begun = time.monotonic()
        fleet.start()
        run.fill(folder)
        print(f"a copy with {options.doctors:,} doctors, {options.seminars} seminars, two workers,"
              f" two gateways: {time.monotonic() - begun:.1f} s", flush=True)
        run.load = Load(fleet, world, run.token, options.rows, options.open, options.postings,
                        options.seed + 2, PASSWORD)
        run.load.start()
        run.torment()
        if not run.load.close(300):
            run.load.violation(f"not done: {list(run.load.open)[:5]}")
        run.report()
        well = run.check() and not run.load.violations
        return well, run.summary
    finally:
        if run.load is not None:
            run.load.stop.set()
            run.load.end.set()
        fleet.stop()
        if not options.keep:
            fleet.copy.remove()


def main():
    options = arguments()
    print(f"chaos: --seed {options.seed}{' --short' if options.short else ''}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mamis-chaos-", dir="/tmp"))
    begun = time.monotonic()
    well, summary = False, "ended early"
    try:
        well, summary = torment(options, folder)
    finally:
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"chaos: {summary}: "
              + ("0 lost, 0 double, all as the model has it" if well else "NOT as it must be"))
        print(f"chaos: {'green' if well else 'RED'} after {time.monotonic() - begun:.0f} s,"
              f" --seed {options.seed}{' --short' if options.short else ''}", flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
