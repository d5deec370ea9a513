"""The round trip of a command on an idle system: credits cancelled one after another, each answered
with the changed object. Beside it what cannot be saved: two commits of one row (the acceptance and
the effect), on the same server in the same round."""

import http.client
import json
import time
import urllib.parse

from running.api import Client
from running.process import wait_for

from . import data

READY_S = 300


def entries(system, seminar_no):
    return [row[0] for row in system.sql(
        "SELECT portal.entry_id(doctor_id, session_id, programme, revision)"
        " FROM credit.ledger JOIN credit.session USING (session_id)"
        " WHERE seminar_no = %s ORDER BY doctor_id", seminar_no)]


def post(system, seminar_no, count):
    """Credits to cancel; returns when nothing of it is on its way any more."""
    system.seminars([seminar_no], "L")
    client = Client(system.copy.base_url, token=system.tokens["L"])
    upload_id = client.post_attendance(seminar_no, data.attendance(seminar_no, range(count)),
                                       "commands.csv").expect(202).json["upload_id"]
    wait_for(lambda: client.upload(upload_id)["status"] == "done", READY_S, "the upload's end")
    system.settle()


def measure(system, entry_ids):
    """Seconds from the request to its answer, of each."""
    parts = urllib.parse.urlsplit(system.copy.base_url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    body = json.dumps({"reason": "measured"})
    headers = {"Authorization": f"Bearer {system.tokens['L']}", "Content-Type": "application/json"}
    seconds = []
    for entry_id in entry_ids:
        begun = time.monotonic()
        link.request("POST", f"/api/v1/credits/{entry_id}/cancel", body, headers)
        answer = link.getresponse()
        answer.read()
        seconds.append(time.monotonic() - begun)
        if answer.status != 200:
            raise SystemExit(f"a command was answered {answer.status}")
    link.close()
    return seconds


def commits(system, count):
    """Seconds of two commits of one row each."""
    seconds = []
    with system.copy.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_commit (place int PRIMARY KEY, words text NOT NULL)")
        for place in range(count):
            begun = time.monotonic()
            for half in range(2):
                cursor.execute("INSERT INTO bench_commit VALUES (%s, 'measured')",
                               (place * 2 + half,))
            seconds.append(time.monotonic() - begun)
        cursor.execute("DROP TABLE bench_commit")
    return seconds


def run(system, tag, count, rounds):
    """`rounds` times `count` commands: a list of {command_seconds, commit_seconds}."""
    seminar_no = f"B-{tag}C0000"
    post(system, seminar_no, count * rounds)
    ids = entries(system, seminar_no)
    return [{"commit_seconds": commits(system, count),
             "command_seconds": measure(system, ids[count * at:count * (at + 1)])}
            for at in range(rounds)]
