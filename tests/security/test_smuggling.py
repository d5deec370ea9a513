"""Requests on which servers disagree, through nginx as deploy/nginx sets it up: what nginx takes for
one request is one for the gateway, and nobody gets the answer to somebody else's. What the gateway
alone makes of such requests stands in tests/unit/http/head_test.c.
"""
import contextlib
import os
import pathlib
import pwd
import re
import socket
import ssl
import urllib.request

import pytest

from running.kafka_tls import Authority
from running.process import Failure, Process, free_port, port_answers, wait_for

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
HOST = "mamis.example.jp"
WAIT_SECONDS = 0.1  # then nothing more comes: a server may wait for more, too
HEAD = f"Host: {HOST}\r\n"
# Answered only where a body or a head was taken for a request.
INNER = f"GET /api/v1/inner HTTP/1.1\r\n{HEAD}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
LINE = "POST /api/v1/session HTTP/1.1\r\n" + HEAD + "Content-Type: application/json\r\n"


def post(heads, body=""):
    return LINE + heads + "\r\n" + body


def get(heads="", target="/api/v1/nowhere", version="HTTP/1.1", body=""):
    return f"GET {target} {version}\r\n{HEAD}{heads}\r\n{body}"


CORPUS = {
    "length and chunks": post(f"Content-Length: 6\r\n{CHUNKED}", "0\r\n\r\nG"),
    "chunks and length": post(f"{CHUNKED}Content-Length: {5 + len(INNER)}\r\n", "0\r\n\r\n" + INNER),
    "two lengths": post(f"Content-Length: 0\r\nContent-Length: {len(INNER)}\r\n", INNER),
    "equal lengths": post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}" + INNER),
    "lengths in a list": post(f"Content-Length: 0, {len(INNER)}\r\n", INNER),
    "length with a sign": post(f"Content-Length: +{len(INNER)}\r\n", INNER),
    "hexadecimal length": post("Content-Length: 0x2\r\n", "{}" + INNER),
    "octal length": post("Content-Length: 010\r\n", "12345678" + INNER),
    "blanks in a length": post("Content-Length: 1 0\r\n", "1234567890" + INNER),
    "empty length": post("Content-Length:\r\n", INNER),
    "length of 2^64": post("Content-Length: 18446744073709551616\r\n", INNER),
    "blank before the colon": post(f"Content-Length : {len(INNER)}\r\n", INNER),
    "underscore": post(f"Content_Length: {len(INNER)}\r\n", INNER),
    "tab before the value": post(f"Content-Length:\t{len(INNER)}\r\n", INNER),
    "vertical tab": post(f"Content-Length:\x0b{len(INNER)}\r\n", INNER),
    "folded length": post(f"Content-Length:\r\n {len(INNER)}\r\n", INNER),
    "folded coding": post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" + INNER),
    "coding of another name": post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + INNER),
    "identity": post("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}" + INNER),
    "chunked twice": post(CHUNKED + CHUNKED, "0\r\n\r\n" + INNER),
    "chunked in capitals": post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n" + INNER),
    "chunked in quotes": post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n" + INNER),
    "chunked with a comma": post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n" + INNER),
    "chunked with a tail": post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n" + INNER),
    "chunked in HTTP/1.0": post(CHUNKED, "0\r\n\r\n" + INNER).replace("HTTP/1.1", "HTTP/1.0", 1),
    "chunk with an extension": post(CHUNKED, '2;a="\r\n"\r\n{}\r\n0\r\n\r\n' + INNER),
    "chunk with LF": post(CHUNKED, "2\n{}\n0\n\n" + INNER),
    "extension with LF": post(CHUNKED, "2;\n{}\r\n0\r\n\r\n" + INNER),
    "chunk of 2^64 and 2": post(CHUNKED, "10000000000000002\r\n{}\r\n0\r\n\r\n" + INNER),
    "chunk with 0x": post(CHUNKED, "0x2\r\n{}\r\n0\r\n\r\n" + INNER),
    "chunk with a sign": post(CHUNKED, "+2\r\n{}\r\n0\r\n\r\n" + INNER),
    "chunk with blanks": post(CHUNKED, "2 \r\n{}\r\n0 \r\n\r\n" + INNER),
    "chunk without its end": post(CHUNKED, "2\r\n{}0\r\n\r\n" + INNER),
    "chunk with a longer end": post(CHUNKED, "2\r\n{}xx0\r\n\r\n" + INNER),
    "many noughts": post(CHUNKED, "0000000000000000002\r\n{}\r\n000\r\n\r\n" + INNER),
    "trailers": post(CHUNKED, f"2\r\n{{}}\r\n0\r\nContent-Length: {len(INNER)}\r\n\r\n" + INNER),
    "trailer that is a request": post(CHUNKED, "0\r\n" + INNER),
    "body of a GET": get(f"Content-Length: {len(INNER)}\r\n", body=INNER),
    "chunks of a GET": get(CHUNKED, body="0\r\n\r\n" + INNER),
    "body without a length": get(body=INNER),
    "GET in HTTP/1.0": get("Connection: keep-alive\r\n", version="HTTP/1.0", body=INNER),
    "HTTP/0.9": "GET /api/v1/nowhere\r\n" + INNER,
    "HTTP/2 begins": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + INNER,
    "LF only": get().replace("\r\n", "\n"),
    "CR only": get().replace("\r\n", "\r") + INNER,
    "CR in a value": get("X-A: a\rContent-Length: 5\r\n", body="12345" + INNER),
    "NUL in a value": get(f"X-A: a\0\r\nContent-Length: {len(INNER)}\r\n", body=INNER),
    "NUL in a name": get(f"Content-Length\0: {len(INNER)}\r\n", body=INNER),
    "no colon": get("X-A\r\n"),
    "blank line's blank": f"GET /api/v1/nowhere HTTP/1.1\r\n{HEAD} \r\n" + INNER,
    "blank before the first header": f"GET /api/v1/nowhere HTTP/1.1\r\n X: y\r\n{HEAD}\r\n",
    "empty lines before": "\r\n\r\n" + get(),
    "CR LF in the target": get(target="/a%0d%0aHost:%20b%0d%0a%0d%0a" + "GET%20/api/v1/inner"),
    "blank in the target": get(target="/api/v1/nowhere HTTP/1.1 x"),
    "whole address": get(target="http://elsewhere.example/api/v1/nowhere"),
    "two hosts": get("Host: elsewhere.example\r\n"),
    "dots": get(target="/api/v1/x/../nowhere/%2e%2e/%2e%2e"),
    "connection names the length": post("Connection: Content-Length\r\nContent-Length: "
                                        f"{len(INNER)}\r\n", INNER),
    "expects": post(f"Expect: 100-continue\r\nContent-Length: {len(INNER)}\r\n", INNER),
    "upgrade": get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
    "another's address": get("X-Forwarded-For: 10.0.0.1\r\nX_Forwarded_For: 10.0.0.2\r\n"),
}


class Front:
    """nginx with the deployed configuration: other ports, a certificate for tests, files in
    `folder`; its log also says which requests were passed on."""

    def __init__(self, stack, folder, upstream):
        self.port, self.log = free_port(), folder / "access.log"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        certificate, key = Authority(str(folder / "tls")).issue("nginx")
        text = (TOP / "deploy" / "nginx" / "mamis.conf").read_text(encoding="utf-8")
        for there, here in (("127.0.0.1:8080", upstream), ("listen 443", f"listen 127.0.0.1:{self.port}"),
                            ("    listen [::]:443 ssl http2;\n", ""),
                            ("/etc/mamis/tls/fullchain.pem", certificate),
                            ("/etc/mamis/tls/private.pem", key),
                            ("/var/log/nginx/mamis.log", str(self.log)),
                            ('"status":$status', '"upstream":"$upstream_addr","status":$status')):
            assert text.count(there) == 1, there
            text = text.replace(there, here)
        user = f"user {pwd.getpwuid(os.geteuid()).pw_name};\n" if os.geteuid() == 0 else ""
        scratch = "".join(f"{name}_temp_path {folder}/{name};\n" for name in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\n"
            f"error_log {folder}/error.log;\nevents {{ worker_connections 256; }}\n"
            f"http {{\n{scratch}{text}}}\n", encoding="utf-8")
        self.process = Process(stack.copy.paths, "nginx")
        self.process.start(["/usr/sbin/nginx", "-e", f"{folder}/error.log", "-c",
                            f"{folder}/nginx.conf"])
        self.process.wait_ready(lambda: port_answers(self.port), 10)

    def ask(self, text):
        """Everything that comes back until the connection ends or nothing more comes."""
        got = b""
        with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
                with self.context.wrap_socket(plain, server_hostname=HOST) as link:
                    link.sendall(text.encode("latin-1"))
                    link.settimeout(WAIT_SECONDS)
                    while block := link.recv(65536):
                        got += block
        return got.decode("utf-8", "replace")

    def passed(self):
        """How many requests nginx has sent to the gateway."""
        lines = self.log.read_text(encoding="utf-8")
        return sum(len(re.findall(r"[^, :]+:\d+", said)) for said in
                   re.findall(r'"upstream":"([^"]*)"', lines))


@pytest.fixture(scope="module")
def behind(stack, tmp_path_factory):
    """(nginx, the gateway behind it)"""
    gateway, address = stack.another_gateway(http_hosts=HOST)
    front = Front(stack, tmp_path_factory.mktemp("nginx"), address.removeprefix("http://"))
    yield front, gateway
    front.process.stop()
    gateway.process.stop()


def taken(gateway):
    """How many requests the gateway has read."""
    with urllib.request.urlopen(gateway.admin_url + "/metrics") as answer:
        text = answer.read().decode("utf-8")
    return int(re.search(r"^mamis_http_requests_total (\d+)", text, re.M)[1])


def test_nginx_and_the_gateway_read_the_same(behind):
    front, gateway = behind
    wrong = []
    for name, text in CORPUS.items():
        before = front.passed(), taken(gateway)
        answers = re.findall(r"^HTTP/1\.1 ([2-5]\d\d)", front.ask(text), re.M)
        # On the same connection to the gateway: an answer too many would come here.
        probes = [front.ask(get("Connection: close\r\n", target)) for target in
                  ("/api/v1/site", "/api/v1/probe", "/api/v1/site")]
        statuses = [probe.split(" ", 2)[1:2] for probe in probes]
        with contextlib.suppress(Failure):  # nginx writes its line when a request is over
            wait_for(lambda: taken(gateway) - before[1] <= front.passed() - before[0], 2, name)
        passed, read = front.passed() - before[0], taken(gateway) - before[1]
        if statuses != [["200"], ["404"], ["200"]] or read > passed or len(answers) > 2:
            wrong.append(f"{name}: {answers} then {statuses}, passed {passed}, read {read}")
    assert not wrong, "\n".join(wrong)
