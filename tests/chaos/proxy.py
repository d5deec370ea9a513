"""A proxy between processes and servers that obeys orders: one process, any number of links.

Usage: proxy.py < orders, one JSON list a line; each is answered with one line "ok" or "error ...".
  ["link", NAME, LISTEN, TARGET]   LISTEN and TARGET: a TCP port of the loopback or a socket's path
  ["cut", NAMES]                   ends every connection of these links now
  ["hold", NAMES, WAY]             "up" (to the server) or "down": bytes stay here until released
  ["budget", NAMES, WAY, BYTES]    every connection ends after so many more bytes that way
  ["release", NAMES]               no hold and no budget any more
NAMES may hold wildcards: "pg:credit-*".
"""

import asyncio
import fnmatch
import json
import os
import sys

UNSENT_MAX = 1 << 20  # bytes that a side may have waiting before the other is not read any more
WAYS = ("up", "down")


class Link:
    def __init__(self, name, target):
        self.name, self.target = name, target
        self.pairs = set()
        self.held = dict.fromkeys(WAYS, False)
        self.budget = dict.fromkeys(WAYS, None)


class Side(asyncio.Protocol):
    """One end of a connection. `way`: where the bytes go that are read here."""

    def __init__(self, pair, way):
        self.pair, self.way = pair, way
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=UNSENT_MAX)
        self.pair.made(self)

    def data_received(self, data):
        self.pair.pass_on(self, data)

    def eof_received(self):
        return False  # either end going ends both

    def connection_lost(self, _error):
        self.pair.end()

    def pause_writing(self):
        self.pair.other(self).pause(True)

    def resume_writing(self):
        self.pair.other(self).pause(False)

    def pause(self, yes):
        if self.transport is not None and not self.transport.is_closing():
            (self.transport.pause_reading if yes else self.transport.resume_reading)()


class Pair:
    def __init__(self, link):
        self.link = link
        self.client, self.server = Side(self, "up"), Side(self, "down")
        self.kept = {"up": [], "down": []}
        self.left = dict(link.budget)
        self.ended = False

    def other(self, side):
        return self.server if side is self.client else self.client

    def made(self, side):
        if side is self.client:
            self.link.pairs.add(self)
            asyncio.ensure_future(self.connect())
        elif self.ended:
            side.transport.abort()
        else:
            self.flush("up")

    async def connect(self):
        loop = asyncio.get_running_loop()
        try:
            if isinstance(self.link.target, int):
                await loop.create_connection(lambda: self.server, "127.0.0.1", self.link.target)
            else:
                await loop.create_unix_connection(lambda: self.server, self.link.target)
        except OSError:
            self.end()

    def pass_on(self, side, data):
        way = side.way
        left = self.left[way]
        if left is not None:
            data = data[:left]
            self.left[way] = left - len(data)
        target = self.other(side).transport
        if self.link.held[way] or target is None or self.kept[way]:
            self.kept[way].append(data)
            if sum(map(len, self.kept[way])) > UNSENT_MAX:
                side.pause(True)
        else:
            target.write(data)
        if self.left[way] == 0:
            self.end()

    def flush(self, way):
        source, target = (self.client, self.server) if way == "up" else (self.server, self.client)
        if self.link.held[way] or target.transport is None or self.ended:
            return
        data, self.kept[way] = b"".join(self.kept[way]), []
        if data:
            target.transport.write(data)
        source.pause(False)

    def end(self):
        if self.ended:
            return
        self.ended = True
        self.link.pairs.discard(self)
        for side in (self.client, self.server):
            if side.transport is not None:
                side.transport.abort()


class Proxy:
    def __init__(self):
        self.links = {}
        self.servers = []

    def named(self, names):
        found = [link for name, link in self.links.items() if fnmatch.fnmatch(name, names)]
        if not found:
            raise ValueError(f"no link is called {names}")
        return found

    async def link(self, name, listen, target):
        loop = asyncio.get_running_loop()
        link = self.links[name] = Link(name, target)

        def accept():
            return Pair(link).client

        if isinstance(listen, int):
            self.servers.append(await loop.create_server(accept, "127.0.0.1", listen, backlog=512))
        else:
            os.makedirs(os.path.dirname(listen), mode=0o700, exist_ok=True)
            self.servers.append(await loop.create_unix_server(accept, listen, backlog=512))

    async def cut(self, names):
        for link in self.named(names):
            for pair in list(link.pairs):
                pair.end()

    async def hold(self, names, way):
        for link in self.named(names):
            link.held[way] = True

    async def budget(self, names, way, count):
        for link in self.named(names):
            link.budget[way] = count
            for pair in link.pairs:
                pair.left[way] = count

    async def release(self, names):
        for link in self.named(names):
            link.held = dict.fromkeys(WAYS, False)
            link.budget = dict.fromkeys(WAYS, None)
            for pair in list(link.pairs):
                pair.left = dict(link.budget)
                for way in WAYS:
                    pair.flush(way)

    async def obey(self, line):
        words = json.loads(line)
        orders = {"link": self.link, "cut": self.cut, "hold": self.hold, "budget": self.budget,
                  "release": self.release}
        try:
            await orders[words[0]](*words[1:])
            return "ok"
        except (KeyError, TypeError, ValueError, OSError) as error:
            return f"error {error!r}"


async def main():
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    proxy = Proxy()
    while True:
        line = await orders.readline()
        if not line:
            return  # whoever gave the orders is gone
        print(await proxy.obey(line), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
