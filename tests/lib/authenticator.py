"""A passkey in software: what a browser and its authenticator send, right or wrong on purpose."""

import base64
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ES256, RS256 = -7, -257


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Passkey:
    """`origin`: the page that asks; `algorithm`: ES256 or RS256."""

    def __init__(self, origin, algorithm=ES256):
        self.origin, self.algorithm = origin, algorithm
        self.id = os.urandom(32)
        self.count = 0
        self.key = (ec.generate_private_key(ec.SECP256R1()) if algorithm == ES256
                    else rsa.generate_private_key(65537, 2048))

    def client_data(self, kind, challenge, **other):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin,
                           "crossOrigin": False, **other}).encode()

    def data(self, rp_id, flags):
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(
            ">I", self.count)

    def made(self, options, label="試験", flags=PRESENT | VERIFIED | ATTESTED, **client):
        """The body of POST /me/passkeys."""
        key = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + b"\xa5\x01\x02\x03\x26"
        return {"label": label, "algorithm": self.algorithm, "public_key": text(key),
                "client_data": text(self.client_data("webauthn.create", options["challenge"],
                                                     **client)),
                "authenticator_data": text(self.data(options["rp_id"], flags) + attested)}

    def signed(self, challenge, flags=PRESENT | VERIFIED, rp_id=None, kind="webauthn.get",
               **client):
        """The body of every route that takes a proof."""
        self.count += 1
        data = self.data(rp_id or challenge["rp_id"], flags)
        client_data = self.client_data(kind, challenge["challenge"], **client)
        message = data + hashlib.sha256(client_data).digest()
        signature = (self.key.sign(message, ec.ECDSA(hashes.SHA256())) if self.algorithm == ES256
                     else self.key.sign(message, padding.PKCS1v15(), hashes.SHA256()))
        return {"credential_id": text(self.id), "client_data": text(client_data),
                "authenticator_data": text(data), "signature": text(signature)}
