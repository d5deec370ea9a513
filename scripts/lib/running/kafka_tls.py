"""A second listener of the broker that speaks TLS and asks clients who they are; for tests."""

import os
import subprocess

from . import paths as places

LISTENER = """
# Added: TLS, with a certificate from both sides.
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},TLS://127.0.0.1:{tls_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},TLS://127.0.0.1:{tls_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL
ssl.keystore.type=PEM
ssl.keystore.location={broker}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
ssl.client.auth=required
"""


def openssl(*words):
    subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, capture_output=True, check=True,
                   timeout=30)


class Authority:
    """Somebody who signs certificates, in a folder of its own."""

    def __init__(self, folder):
        os.makedirs(folder, mode=0o700)
        self.folder = folder
        self.ca, self._key = self._path("ca.pem"), self._path("ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=test authority", "-keyout", self._key, "-out", self.ca)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, address="127.0.0.1"):
        """Certificate and key of `name`, for `address`: (path, path)."""
        request, key, made = (self._path(f"{name}.{end}") for end in ("csr", "key", "pem"))
        extensions = self._path(f"{name}.ext")
        places.write_private(extensions, f"subjectAltName=IP:{address}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key,
                "-CAcreateserial", "-days", "30", "-extfile", extensions, "-out", made)
        return made, key

    def broker_file(self, address):
        """What the broker shows: key and certificate in one file."""
        certificate, key = self.issue("broker", address)
        together = self._path("broker.both.pem")
        places.write_private(together, "".join(open(path, encoding="ascii").read()
                                               for path in (key, certificate)))
        return together
