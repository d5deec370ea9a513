"""`GET /me` with a session, as fast as it goes, beside `redis-benchmark GET` with as many
connections: every session is in Redis, so each answer is one GET there."""

from . import storm

CONNECTIONS = 50


def run(system, callers, options):
    _, cookies = storm.files(system, 1)
    gets = callers.redis_gets(CONNECTIONS, options.redis_gets)
    told = callers.run("closed", CONNECTIONS, cookies, options.read_seconds)
    rate = told["answered"] / told["seconds"]
    return {"rate": rate, "gets": gets, "ratio": rate / gets, "p50_ms": told["p50_ms"],
            "p99_ms": told["p99_ms"]}
