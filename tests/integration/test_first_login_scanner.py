"""Papers are looked at by a virus scanner before they are accepted: clamd of Debian, as it is."""

import re
import urllib.request

import pytest

import clamd
from running.api import Client
from running.services import http_status
from test_first_login import Applicant

CLEAN = b"%PDF-1.4\n%%EOF\n"
INFECTED = b"%PDF-1.4\n" + clamd.EICAR + b"\n%%EOF\n"
WAIT_MS = 1500


@pytest.fixture(scope="module")
def scanner(stack):
    running = clamd.Clamd(stack.copy)
    running.start()
    yield running
    running.go_on()
    running.stop()


@pytest.fixture(scope="module")
def gateway(stack, scanner):
    service, address = stack.another_gateway(scanner=scanner.address, scanner_wait_ms=WAIT_MS)
    service.address = address
    yield service
    service.stop()


class Sender(Applicant):
    """Sends the copy of the licence to the gateway that has a scanner."""

    def __init__(self, stack, gateway, register_no):
        super().__init__(stack, register_no)
        self.gateway = gateway
        self.start().expect(202)
        self.secret = self.link()

    def send_pdf(self, body):
        return Client(self.gateway.address).request(
            "POST", "/signups/licence", body,
            {"Content-Type": "application/pdf", "X-Signup-Link": self.secret})

    def kept(self):
        """What of this applicant's papers is in the database."""
        return self.stack.one("SELECT count(*) FROM gateway.document WHERE document_id ="
                              " (SELECT signup_id FROM gateway.signup WHERE email = %s)",
                              (self.address,))[0]

    def not_now(self, body=CLEAN):
        answer = self.send_pdf(body)
        assert (answer.status, answer.json["code"]) == (503, "service_unavailable")
        assert int(answer.headers["Retry-After"]) >= 30
        assert self.kept() == 0
        # The process is well meanwhile.
        assert http_status(self.gateway.admin_url + "/readyz") == 200


def figures(gateway):
    """How many files came to which verdict."""
    with urllib.request.urlopen(gateway.admin_url + "/metrics") as answer:
        text = answer.read().decode()
    return {name: int(count)
            for name, count in re.findall(r'^mamis_scans_total\{verdict="(\w+)"\} (\d+)$', text, re.M)}


def test_a_virus_is_found_and_nothing_is_kept(stack, gateway):
    sender = Sender(stack, gateway, "9700021")
    answer = sender.send_pdf(INFECTED)
    assert (answer.status, answer.json["code"]) == (422, "document_infected")
    assert answer.json["cure"] and clamd.SIGNATURE not in answer.body.decode()
    assert sender.kept() == 0
    with open(gateway.process.log, encoding="utf-8") as log:
        [line] = [line for line in log if '"document_infected"' in line]
    assert clamd.NAME in line and sender.address not in line
    assert stack.one("SELECT count(*) FROM gateway.outbox WHERE body LIKE %s",
                     (f"%{clamd.SIGNATURE}%",)) == (0,)
    # The link is still good: for a clean file.
    assert sender.send_pdf(CLEAN).expect(200).json == {"status": "review"}
    assert sender.kept() == 1


def test_what_could_not_be_looked_at_is_not_taken(stack, gateway, scanner):
    sender = Sender(stack, gateway, "9700022")
    before = figures(gateway)
    too_large = b"%PDF-1.4\n" + bytes(clamd.STREAM_BYTES_MAX) + b"\n%%EOF\n"
    sender.not_now(too_large)  # more than the scanner takes
    scanner.freeze()
    sender.not_now()  # silence
    scanner.go_on()
    scanner.stop()
    sender.not_now()  # gone
    scanner.start()
    assert sender.send_pdf(CLEAN).expect(200).json == {"status": "review"}
    assert figures(gateway) == {"clean": before["clean"] + 1, "found": before["found"],
                                "none": before["none"] + 3}
