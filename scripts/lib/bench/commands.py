"""The round trip of a command on an idle system: credits cancelled one after another, each answered
with the changed object."""

import http.client
import json
import time
import urllib.parse

from running.api import Client
from running.process import wait_for

from . import data

READY_S = 300


def entries(copy, seminar_no):
    with copy.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT portal.entry_id(doctor_id, session_id, programme, revision)"
                       " FROM credit.ledger JOIN credit.session USING (session_id)"
                       " WHERE seminar_no = %s ORDER BY doctor_id", (seminar_no,))
        return [row[0] for row in cursor.fetchall()]


def mails_left(copy):
    with copy.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM notification.mail WHERE finished_at IS NULL)"
                       " + (SELECT count(*) FROM notification.upload WHERE NOT released)")
        return cursor.fetchone()[0]


def post(copy, token, seminar_no, count):
    """Credits to cancel; returns when nothing of it is on its way any more."""
    client = Client(copy.base_url, token=token)
    upload_id = client.post_attendance(seminar_no, data.attendance(seminar_no, range(count)),
                                       "commands.csv").expect(202).json["upload_id"]
    wait_for(lambda: client.upload(upload_id)["status"] == "done", READY_S, "the upload's end")
    wait_for(lambda: mails_left(copy) == 0, READY_S, "the mails")


def measure(copy, token, seminar_no, count):
    """Seconds from the request to its answer, of each."""
    post(copy, token, seminar_no, count)
    parts = urllib.parse.urlsplit(copy.base_url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    body = json.dumps({"reason": "measured"})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    seconds = []
    for entry_id in entries(copy, seminar_no)[:count]:
        begun = time.monotonic()
        link.request("POST", f"/api/v1/credits/{entry_id}/cancel", body, headers)
        answer = link.getresponse()
        answer.read()
        seconds.append(time.monotonic() - begun)
        if answer.status != 200:
            raise SystemExit(f"a command was answered {answer.status}")
    link.close()
    return seconds
