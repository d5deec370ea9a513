"""Codes of an authenticator app (RFC 6238), as a person's telephone makes them."""

import base64
import hashlib
import hmac
import struct
import time

STEP_S = 30


def step_now(offset_us, shift=0):
    """The time step of a copy whose clock is so far from the real one, `shift` steps later."""
    return int((time.time() + offset_us / 1e6) // STEP_S) + shift


def code_at(secret, step):
    digest = hmac.new(base64.b32decode(secret), struct.pack(">q", step), hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"
