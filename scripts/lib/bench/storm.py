"""A storm of sign-ins: far more accounts than hashing can do want in at once and wait in the queue.
Sign-ins a second beside the bare rate of Argon2id, before and after, with as many threads; and `GET /me`
of people who are signed in, on the idle system and meanwhile, 200 a second whatever happens."""

import statistics
import time

from . import cpu, data
from .system import PASSWORD

THREADS = 2  # of the gateway's hash pool: its default
ME_RATE, ME_CONNECTIONS, CONNECTIONS = 200, 20, 200


def files(system, accounts):
    """Files of logins and of cookies of people who are signed in."""
    return (system.write("logins", "".join(f"{data.mamis_no(number)}\n"
                                           for number in range(accounts))),
            system.write("cookies", "".join(f"{cookie}\n" for cookie in system.readers)))


def run(system, callers, options):
    """One storm; gives what was measured as a dict."""
    logins, cookies = files(system, options.accounts)
    bare = [callers.hashes(THREADS, options.hash_seconds)]
    idle = callers.run("open", ME_CONNECTIONS, cookies, options.idle_seconds, ME_RATE)
    used, busy = cpu.seconds(system.copy), cpu.busy()
    storm = callers.start("storm", CONNECTIONS, logins, options.seconds,
                          options.accounts / options.arrive_seconds, PASSWORD, options.arrive_seconds)
    time.sleep(options.arrive_seconds)
    meanwhile = callers.run("open", ME_CONNECTIONS, cookies, options.seconds, ME_RATE)
    told = callers.end(storm, options.seconds + 60)
    used, busy = cpu.between(used, cpu.seconds(system.copy)), cpu.busy_between(busy, cpu.busy())
    bare.append(callers.hashes(THREADS, options.hash_seconds))
    rate, bare = told["signed_in"] / told["seconds"], statistics.harmonic_mean(bare)
    return {"rate": rate, "bare": bare, "ratio": rate / bare, "idle": idle, "meanwhile": meanwhile,
            "storm": told, "cpu_seconds": used, "cores_busy": busy, "accounts": options.accounts}


def calm(system):
    """As if there had been no storm: nobody waits any more."""
    gateway = system.copy.service("gateway")
    gateway.stop()
    system.copy.redis.command("FLUSHALL")
    gateway.start()
    gateway.wait_ready()
