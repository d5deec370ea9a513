#!/usr/bin/python3
"""Servers alone (PostgreSQL, Redis, Kafka, mail), for trying things out and for tests of one library.

Usage: scripts/lib/servers.py start FOLDER [NAME...]   starts, then prints where they are
       scripts/lib/servers.py stop FOLDER              stops what runs there
NAME: postgres redis kafka mail; without names all four.
"""

import sys

from running.kafka import Kafka
from running.mail import Mail
from running.paths import Paths
from running.postgres import ROLES, Postgres
from running.process import Failure
from running.redis import USER, Redis


def start(paths, names):
    paths.make()
    kafka = Kafka(paths)
    if "kafka" in names:
        kafka.launch()
    if "postgres" in names:
        postgres = Postgres(paths)
        postgres.start()
        print(f"postgres_dsn={postgres.operator_dsn()}")
        for role in ROLES:
            print(f"dsn_{role}={postgres.dsn(role)}")
    if "redis" in names:
        redis = Redis(paths)
        redis.start()
        print(f"redis_url={redis.operator_url()}\nredis_socket={redis.socket}")
        print(f"redis_user={USER}\nredis_password={redis.password}")
    if "mail" in names:
        mail = Mail(paths)
        mail.start()
        print(f"smart_host=smtp://127.0.0.1:{mail.port}\nmail_dir={mail.folder}")
    if "kafka" in names:
        kafka.wait()
        print(f"kafka_bootstrap={kafka.bootstrap}")


def main(argv):
    if len(argv) < 3 or argv[1] not in ("start", "stop"):
        sys.exit(__doc__)
    paths = Paths(argv[2])
    if argv[1] == "stop":
        for server in (Mail(paths), Redis(paths), Postgres(paths), Kafka(paths)):
            server.stop()
        return
    try:
        start(paths, argv[3:] or ["postgres", "redis", "kafka", "mail"])
    except Failure as failure:
        sys.exit(failure.text)


if __name__ == "__main__":
    main(sys.argv)
