"""A mail server for development and tests: takes every message and puts it into a Maildir.

Usage: mail_sink.py PORT MAILDIR
Run as a program by running/mail.py; nothing is ever sent on.
"""

import asyncio
import mailbox
import os
import signal
import sys

from aiosmtpd.smtp import SMTP

MESSAGE_BYTES_MAX = 4 * 1024 * 1024


class Sink:
    def __init__(self, folder):
        self.box = mailbox.Maildir(folder, create=True)

    async def handle_DATA(self, _server, _session, envelope):
        message = mailbox.MaildirMessage(envelope.content)
        del message["X-Envelope-From"]
        del message["X-Envelope-To"]
        message["X-Envelope-From"] = envelope.mail_from
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        # Maildir writes to tmp/ and moves to new/: a message is there whole or not at all.
        self.box.add(message)
        return "250 2.0.0 kept"


async def serve(port, folder):
    os.umask(0o077)
    sink = Sink(folder)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="mail.mamis.invalid", enable_SMTPUTF8=True,
                     data_size_limit=MESSAGE_BYTES_MAX),
        "127.0.0.1", port)
    print(f"mail goes to {folder}", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
