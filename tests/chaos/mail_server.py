"""The mail server of a tormented copy: keeps every message as the copy's own does, and answers as
it is told.

Usage: CHAOS_MOOD=FILE mail_server.py PORT MAILDIR. FILE holds JSON {"at", "answer", "times"}: the
next `times` mails are answered so at `rcpt` or `dot`. "drop": the text is kept, then the line is
cut. What was answered is appended to FILE.told, one JSON list a line: [at, answer, address,
Message-ID].
"""

import asyncio
import email
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts",
                                "lib"))

import running.mail_sink as sinks  # noqa: E402


class Moody(sinks.Sink):
    def __init__(self, folder):
        super().__init__(folder)
        self.mood_file = os.environ["CHAOS_MOOD"]
        self.read_at, self.mood = None, {}
        self.dropped = set()  # a second copy gets through

    def wants(self, at):
        try:
            changed = os.stat(self.mood_file).st_mtime_ns
            if changed != self.read_at:
                with open(self.mood_file, encoding="utf-8") as file:
                    self.mood = json.load(file)
                self.read_at = changed
        except (FileNotFoundError, ValueError):
            self.mood = {}
        return self.mood.get("at") == at and self.mood["times"] > 0

    def tell(self, address, message_id):
        self.mood["times"] -= 1
        with open(self.mood_file + ".told", "a", encoding="utf-8") as file:
            file.write(json.dumps([self.mood["at"], self.mood["answer"], address, message_id])
                       + "\n")
        return self.mood["answer"]

    async def handle_RCPT(self, _server, _session, envelope, address, options):
        if self.wants("rcpt"):
            return self.tell(address, None)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        message_id = email.message_from_bytes(envelope.content)["Message-ID"]
        if self.wants("dot") and message_id not in self.dropped:
            answer = self.tell(envelope.rcpt_tos[0], message_id)
            if answer != "drop":
                return answer
            self.dropped.add(message_id)
            await super().handle_DATA(server, session, envelope)
            server.transport.abort()
        else:
            await super().handle_DATA(server, session, envelope)
        return "250 2.0.0 kept"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sinks.Sink = Moody
    asyncio.run(sinks.serve(int(sys.argv[1]), sys.argv[2]))
