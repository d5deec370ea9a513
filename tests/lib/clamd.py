"""Debian's clamd beside a running copy, with one signature of our own, so that nothing is fetched:
that of the EICAR test file, which is harmless and stands here backwards."""

import os
import shutil
import signal
import socket

from running.process import Process
from running.paths import write_private

EICAR = b"H*H+$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X"[::-1]
SIGNATURE = "Mamis.Test"
# What clamd makes of the name of a signature that its makers did not sign.
NAME = SIGNATURE + ".UNOFFICIAL"
STREAM_BYTES_MAX = 1024 * 1024

SETTINGS = """
LocalSocket {socket}
DatabaseDirectory {folder}
StreamMaxLength {most}
Foreground yes
"""


class Clamd:
    """In the foreground, on a socket in the copy's own folder."""

    def __init__(self, copy):
        self.process = Process(copy.paths, "clamd")
        self.socket = os.path.join(copy.paths.sockets(), "clamd.sock")
        folder = os.path.join(copy.paths.state, "clamd")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        write_private(os.path.join(folder, "test.ndb"), f"{SIGNATURE}:0:*:{EICAR.hex()}\n")
        self.settings = os.path.join(copy.paths.settings, "clamd.conf")
        write_private(self.settings, SETTINGS.format(socket=self.socket, folder=folder,
                                                     most=STREAM_BYTES_MAX))

    @property
    def address(self):
        return f"unix:{self.socket}"

    def answers(self):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1)
            try:
                one.connect(self.socket)
                one.sendall(b"zPING\0")
                return one.recv(100) == b"PONG\0"
            except OSError:
                return False

    def start(self):
        program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process.start([program, "-c", self.settings])
        self.process.wait_ready(self.answers, 30)

    def freeze(self):
        self.process.send(signal.SIGSTOP)

    def go_on(self):
        self.process.send(signal.SIGCONT)

    def stop(self):
        self.process.stop(first=signal.SIGKILL)
