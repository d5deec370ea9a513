"""The load: large files offered at once, small files on a clock and their readers; one thread."""

import asyncio
import json
import time
import urllib.parse

from . import wire

SMALL_EVERY_S = 0.1
# Each reader asks after 40 ms, and then less and less often, as far as every 100 ms: asking loads what
# is measured. What is told can be too long by the last pause.
POLL_S, POLL_GROWS, POLL_MOST_S = 0.04, 1.3, 0.1
DONE_POLL_S = 0.05
GIVE_UP_S = 600
SMALL_GIVE_UP_S = 120


class Files:
    """Ready to be sent: {seminar_no: bytes} of one organiser's token."""

    def __init__(self, base_url, token, files):
        parts = urllib.parse.urlsplit(base_url)
        self.host = parts.netloc
        self.pool = wire.Pool(parts.hostname, parts.port)
        self.credentials = f"Authorization: Bearer {token}"
        self.heads = [(no, wire.post_head(no, self.host, self.credentials), data)
                      for no, data in files.items()]
        self.failures = []

    async def offer(self, head, data):
        """(the answer, when its last byte was sent); comes back when the gateway says later."""
        while True:
            answer, sent = await self.pool.request(head, data)
            if answer.status != 429:
                return answer, sent
            await asyncio.sleep(answer.retry_after_s())

    def failed(self, seminar_no, answer):
        self.failures.append((seminar_no, answer.status, answer.body[:300]))


class Large(Files):
    """Offers all files at once, but `senders` at a time, and waits until each is done."""

    def __init__(self, base_url, token, files, senders):
        super().__init__(base_url, token, files)
        self.senders = senders
        self.uploads = []
        self.begun = self.ended = None

    async def _send(self, places, seminar_no, head, data):
        async with places:
            answer, _ = await self.offer(head, data)
        if answer.status == 202:
            self.uploads.append(json.loads(answer.body)["upload_id"])
        else:
            self.failed(seminar_no, answer)

    async def _done(self, upload_id):
        head = wire.get_head(f"/uploads/{upload_id}", self.host, self.credentials)
        while time.monotonic() - self.begun < GIVE_UP_S:
            answer, _ = await self.pool.request(head)
            if answer.status != 200:
                self.failed(upload_id, answer)
                return
            state = json.loads(answer.body)
            if state["status"] in ("done", "refused"):
                return
            await asyncio.sleep(DONE_POLL_S)
        self.failures.append((upload_id, 0, b"not done in time"))

    async def run(self):
        self.begun = time.monotonic()
        places = asyncio.Semaphore(self.senders)
        await asyncio.gather(*(self._send(places, *file) for file in self.heads))
        for upload_id in self.uploads:  # one is asked for at a time, the others meanwhile end
            await self._done(upload_id)
        self.ended = time.monotonic()
        self.pool.close()

    @property
    def seconds(self):
        return self.ended - self.begun


class Small(Files):
    """A 50-row file every 100 ms, each to a seminar of its own; from the last byte sent to the
    credit in GET /me/credits of its first doctor, who is that of `readers` in turn. It is the newest
    one there: see HELD_ON of data.py."""

    def __init__(self, base_url, token, files, readers):
        super().__init__(base_url, token, files)
        self.readers = [wire.get_head("/me/credits?limit=20", self.host, f"Cookie: {cookie}")
                        for cookie in readers]
        self.seconds = []
        self.seen_at = []  # by time.monotonic()

    async def _one(self, seminar_no, head, data, reader):
        answer, sent = await self.offer(head, data)
        if answer.status != 202:
            self.failed(seminar_no, answer)
            return
        wanted, pause = f'"{seminar_no}"'.encode(), POLL_S
        while time.monotonic() - sent < SMALL_GIVE_UP_S:
            await asyncio.sleep(pause)
            pause = min(pause * POLL_GROWS, POLL_MOST_S)
            answer, _ = await self.pool.request(reader)
            if answer.status != 200:
                self.failed(seminar_no, answer)
                return
            if wanted in answer.body:
                self.seen_at.append(time.monotonic())
                self.seconds.append(self.seen_at[-1] - sent)
                return
        self.failures.append((seminar_no, 0, b"never visible"))

    async def run(self, stop):
        """One file each 100 ms until all are sent or `stop` is set; then waits for those under
        way."""
        under_way = []
        begun = time.monotonic()
        for number, file in enumerate(self.heads):
            wait = begun + number * SMALL_EVERY_S - time.monotonic()
            try:
                await asyncio.wait_for(stop.wait(), max(0.001, wait))
                break
            except asyncio.TimeoutError:
                pass
            under_way.append(asyncio.ensure_future(
                self._one(*file, self.readers[number % len(self.readers)])))
        await asyncio.gather(*under_way)
        self.pool.close()


def post(large, small=None):
    """Both at once; small files stop with the large ones. Raises nothing: see `failures`."""
    async def both():
        stop = asyncio.Event()
        side = asyncio.ensure_future(small.run(stop)) if small else None
        try:
            await large.run()
        finally:
            stop.set()
        if side:
            await side

    asyncio.run(both())


def post_small(small):
    """The small files alone."""
    async def alone():
        await small.run(asyncio.Event())

    asyncio.run(alone())
