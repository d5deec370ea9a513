"""The mail server of a running copy: keeps every message in a Maildir, sends nothing on."""

import os
import sys

from .process import Process, free_port, port_answers

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mail_sink.py")


class Mail:
    def __init__(self, paths):
        self.paths = paths
        self.process = Process(paths, "mail-1")
        self.port_file = os.path.join(paths.state, "mail.port")
        self.folder = paths.mail
        self.port = None

    def start(self, port=None):
        """`port`: the one to take if free."""
        if self.process.pid() is not None:
            with open(self.port_file, encoding="ascii") as file:
                self.port = int(file.read())
            return
        self.port = port or free_port()
        with open(self.port_file, "w", encoding="ascii") as file:
            file.write(str(self.port))
        self.process.start([sys.executable, "-I", PROGRAM, str(self.port), self.folder])
        self.process.wait_ready(lambda: port_answers(self.port), 15)

    def stop(self):
        return self.process.stop(5)
