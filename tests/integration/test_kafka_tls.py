"""Kafka with TLS: certificates on both sides, and nobody gets in without a good one."""

import os
import subprocess

import pytest

from running.kafka_tls import LISTENER, Authority
from running.process import Failure, free_port, wait_for
from running.services import NAMES
from stack import DATA, running_stack
from test_posting import wait_until_done

SEMINAR = "S2026-0001"
REFUSED_S = 5


class Tls:
    """Who may speak to the broker of a stack, and where."""

    def __init__(self, folder):
        self.authority = Authority(os.path.join(folder, "authority"))
        self.port = free_port()

    def prepare(self, kafka):
        """Settings of the broker, before its first start."""
        port, quorum = free_port(), free_port()
        kafka.further = LISTENER.format(port=port, controller_port=quorum, tls_port=self.port,
                                        broker=self.authority.broker_file("127.0.0.1"),
                                        ca=self.authority.ca)
        kafka.start(port, quorum)

    def settings(self, name, authority=None):
        certificate, key = (authority or self.authority).issue(name)
        return {"kafka_bootstrap": f"127.0.0.1:{self.port}", "kafka_ca": self.authority.ca,
                "kafka_certificate": certificate, "kafka_key": key}


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return Tls(str(tmp_path_factory.mktemp("tls")))


@pytest.fixture(scope="module")
def stack(tls):
    with running_stack(kafka=tls.prepare,
                       settings={name: tls.settings(name) for name in NAMES + ["mamisctl"]}) as made:
        yield made


def log_of(service):
    with open(service.process.log, encoding="utf-8") as file:
        return file.read()


def is_let_in(service):
    """Whether a broker spoke with the process."""
    return '"bus_up"' in log_of(service)


def test_the_main_job_is_done_over_tls(stack):
    """The samples came in by mamisctl; a file posts through gateway and credit to renewal."""
    client = stack.organiser_client(SEMINAR)
    data = (DATA / "attendance" / "01-clean-utf8.csv").read_bytes()
    wait_until_done(client, client.post_attendance(SEMINAR, data, "a.csv").expect(202)
                    .json["upload_id"])
    wait_for(lambda: stack.one("SELECT count(*) FROM renewal.credit")[0] > 0, 20, "renewal's copy")
    assert all(is_let_in(service) for service in stack.copy.all_services())


def test_nobody_else_is_let_in(stack, tls, tmp_path):
    """Each says why, and in the time that others need to come in many times over it does not."""
    stranger, ours = Authority(str(tmp_path / "stranger")), tls.settings("renewal")
    wrong = [(ours | {"kafka_certificate": None, "kafka_key": None}, "kafka_client"),
             (tls.settings("renewal", stranger), "kafka_client"),
             (ours | {"kafka_ca": stranger.ca}, "certificate verify failed")]
    services = [stack.copy.service("renewal", number, settings)
                for number, (settings, _) in enumerate(wrong, 2)]
    try:
        for service in services:
            service.start()
        for service, (_, why) in zip(services, wrong):
            wait_for(lambda: why in log_of(service), 10, f"the words {why}")
        with pytest.raises(Failure):
            wait_for(lambda: any(map(is_let_in, services)), REFUSED_S, "what must not be")
    finally:
        for service in services:
            service.stop()


@pytest.mark.parametrize("wrong, said", [
    ({"kafka_key": None}, "kafka_certificate and kafka_key belong together"),
    ({"kafka_ca": None}, "kafka_certificate is of no use without kafka_ca"),
    ({"kafka_ca": "/nowhere/ca.pem"}, "kafka_ca: /nowhere/ca.pem: No such file or directory"),
])
def test_settings_that_do_not_fit_end_the_start(stack, tls, wrong, said):
    service = stack.copy.service("renewal", 5, tls.settings("renewal") | wrong)
    done = subprocess.run([service.program, "--settings", service.settings, "--check"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=20)
    assert done.returncode != 0
    assert said in done.stderr
