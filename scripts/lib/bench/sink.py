"""The bench's smart host (sink.c) in the place of a copy's mail server."""

import os
import smtplib
import subprocess

from running.mail import Mail
from running.process import free_port, port_answers

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sink.c")


class Sink(Mail):
    """`delay_ms`: from the end of a mail to its answer."""

    def __init__(self, paths, delay_ms):
        super().__init__(paths)
        self.delay_ms = delay_ms

    def start(self, port=None):
        program = os.path.join(self.paths.run, "sink")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, SOURCE], check=True,
                       timeout=120)
        self.port = port or free_port()
        self.process.start([program, str(self.port), str(self.delay_ms)])
        self.process.wait_ready(lambda: port_answers(self.port), 15)

    def mails(self):
        """How many mails it took since it began."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as link:
            return int(link.noop()[1])
