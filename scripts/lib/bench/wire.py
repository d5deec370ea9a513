"""HTTP for the load: connections that stay open, on one thread, with as little work per request as
Python allows. What the load takes of the processors is missing to what is measured."""

import asyncio
import re
import time

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
RETRY = re.compile(rb"\r\nretry-after: *(\d+)", re.I)


class Answer:
    def __init__(self, status, head, body):
        self.status, self.head, self.body = status, head, body

    def retry_after_s(self):
        found = RETRY.search(self.head)
        return int(found.group(1)) if found else 1


class Link(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self):
        self.transport = None
        self.got = bytearray()
        self.body_at = self.needed = None
        self.waiting = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.got += data
        if self.needed is None:
            end = self.got.find(b"\r\n\r\n")
            if end < 0:
                return
            length = LENGTH.search(self.got, 0, end)
            self.body_at = end + 4
            self.needed = self.body_at + (int(length.group(1)) if length else 0)
        if len(self.got) >= self.needed and self.waiting is not None:
            answer = Answer(int(self.got[9:12]), bytes(self.got[:self.body_at]),
                            bytes(self.got[self.body_at:self.needed]))
            waiting, self.waiting = self.waiting, None
            waiting.set_result(answer)

    def connection_lost(self, exc):
        if self.waiting is not None:
            self.waiting.set_exception(ConnectionError("the gateway closed the connection"))
            self.waiting = None

    async def request(self, head, body=b""):
        """`head`: request line and headers without the last line end."""
        self.got.clear()
        self.needed = None
        self.waiting = asyncio.get_running_loop().create_future()
        waiting = self.waiting
        self.transport.write(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)
                             if body else head + b"\r\n\r\n")
        return await waiting


class Pool:
    """Idle connections to the gateway; the one used last is used first."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.idle = []

    async def request(self, head, body=b""):
        """(Answer, when its last byte was handed to the kernel, by time.monotonic(), as long as it
        fits a socket's buffer)."""
        while self.idle and self.idle[-1].transport.is_closing():
            self.idle.pop()
        if self.idle:
            link = self.idle.pop()
        else:
            _, link = await asyncio.get_running_loop().create_connection(Link, self.host,
                                                                         self.port)
        begun = asyncio.ensure_future(link.request(head, body))
        await asyncio.sleep(0)  # now it has written
        sent = time.monotonic()
        answer = await begun
        self.idle.append(link)
        return answer, sent

    def close(self):
        for link in self.idle:
            link.transport.close()
        self.idle.clear()


def get_head(path, host, credentials):
    return f"GET /api/v1{path} HTTP/1.1\r\nHost: {host}\r\n{credentials}".encode()


def post_head(seminar_no, host, credentials):
    """Of an attendance file."""
    return (f"POST /api/v1/seminars/{seminar_no}/attendance HTTP/1.1\r\nHost: {host}\r\n"
            f"{credentials}\r\nContent-Type: text/csv\r\n"
            f"Content-Disposition: attachment; filename*=UTF-8''{seminar_no}.csv").encode()
