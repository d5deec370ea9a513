"""The queue in front of signing in: a place is kept over gateways and a flushed Redis, nobody is
overtaken, other requests do not feel it."""

import concurrent.futures
import time
import urllib.request

import pytest

from running.api import Client
from running.process import wait_for
from stack import PASSWORD

PEOPLE = 24
# One thread and dear hashes: six in front are too many.
SMALL = {"hash_threads": 1, "hash_waiting_max": 8, "hash_passes": 5}
WAIT_S = 60


@pytest.fixture(scope="module")
def gateways(stack):
    """Addresses of two gateways that can hash little."""
    started = [stack.another_gateway(number, **SMALL) for number in (2, 3)]
    yield [address for _, address in started]
    for service, _ in started:
        service.stop()


@pytest.fixture(scope="module")
def logins(stack):
    with stack.sql() as cursor:
        cursor.execute("SELECT mamis_no FROM registration.doctor WHERE my_page = 'active'"
                       " ORDER BY doctor_id LIMIT 400")
        return iter([row[0] for row in cursor.fetchall()])


class Person:
    """Somebody who wants to sign in and does what he is told."""

    def __init__(self, address, login_id):
        self.client, self.login_id = Client(address), login_id
        self.place = self.called_at = None
        self.told = None  # the problem, when told to wait

    def ask(self, method, path, body=None):
        headers = {"Cookie": self.place} if self.place else {}
        return self.client.request(method, path, body, headers)

    def try_in(self):
        """True when signed in."""
        answer = self.ask("POST", "/session", {"login_id": self.login_id, "password": PASSWORD})
        if answer.status == 201:
            if self.place:
                assert "mamis_place=; " in "".join(answer.headers.get_all("Set-Cookie"))
            return True
        self.told = answer.expect(503).json
        assert self.told["code"] == "sign_in_queue" and int(answer.headers["Retry-After"]) >= 1
        if self.place is None:
            self.place = answer.headers["Set-Cookie"].split(";")[0]
        else:
            assert answer.headers["Set-Cookie"] is None  # it is kept
        return False

    def where(self):
        return self.ask("GET", "/session/place").expect(200).json

    def wait_and_go_in(self):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            here = self.where()
            if here["place"] == 0:
                self.called_at = self.called_at or time.monotonic()
                if self.try_in():
                    return
            time.sleep(0.2)
        raise AssertionError(f"still number {here['place']} after {WAIT_S} s")


def storm(gateways, logins, count=PEOPLE):
    """So many come at once: all of them, and those who have to wait."""
    people = [Person(gateways[number % len(gateways)], next(logins)) for number in range(count)]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        inside = list(pool.map(Person.try_in, people))
    return people, [person for person, is_in in zip(people, inside) if not is_in]


def all_in(waiting):
    with concurrent.futures.ThreadPoolExecutor(len(waiting)) as pool:
        list(pool.map(Person.wait_and_go_in, waiting))


def test_everybody_gets_in_in_turn_and_others_feel_nothing(stack, gateways, logins):
    signed_in = Client(gateways[0]).sign_in(next(logins), PASSWORD)
    _, waiting = storm(gateways, logins)
    assert len(waiting) >= PEOPLE // 3
    assert all(person.told["place"] >= 1 and person.told["wait_s"] >= 1 for person in waiting)
    waiting.sort(key=lambda person: person.told["place"])
    slowest = 0
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(all_in, waiting)
        while not done.done():
            begun = time.monotonic()
            signed_in.get("/me").expect(200)
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.02)
        done.result()
    assert slowest < 1
    for first, second in zip(waiting, waiting[4:]):  # numbers of two gateways, answers of threads
        assert first.called_at <= second.called_at + 1.5
    wait_for(lambda: Client(gateways[0]).get("/session/place").json["place"] == 0, WAIT_S, "no queue")


def test_a_place_survives_a_flush_and_counts_at_every_gateway(stack, gateways, logins):
    _, waiting = storm(gateways, logins)
    last = max(waiting, key=lambda person: person.told["place"])
    stack.copy.redis.command("FLUSHALL")
    other = Client(gateways[1] if last.client.origin == gateways[0] else gateways[0])
    there = other.request("GET", "/session/place", headers={"Cookie": last.place}).expect(200)
    assert there.json["place"] <= last.told["place"] and there.headers["Set-Cookie"] is None
    all_in(waiting)


def test_without_redis_each_gateway_goes_on(stack, gateways, logins):
    redis = stack.copy.redis
    port = redis.port
    redis.process.kill()
    try:
        _, waiting = storm(gateways, logins)
        assert waiting
        all_in(waiting)
    finally:
        redis.start(port)


def test_a_place_cannot_be_made_up(gateways, logins):
    _, waiting = storm(gateways, logins)
    person = Person(waiting[0].client.origin, next(logins))
    name, _, text = waiting[0].place.partition("=")
    for made_up in (text[:-1] + ("A" if text[-1] != "A" else "B"), "1", text.replace("0", "1"), ""):
        answer = person.client.request("GET", "/session/place",
                                       headers={"Cookie": f"{name}={made_up}"}).expect(200)
        assert answer.headers["Set-Cookie"] is None
    all_in(waiting)


def fetch_page(address, cookie):
    request = urllib.request.Request(address + "/waiting", headers={
        "Accept-Language": "en", **({"Cookie": cookie} if cookie else {})})
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read_text = answer.read().decode()
        return answer


def waiting_page(address):
    """The page of one who got a place there; None while there is no queue."""
    here = fetch_page(address, None)
    return here if here.headers["Refresh"] else None


def test_the_page_without_scripts(gateways, logins):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        coming = pool.submit(storm, gateways, logins)
        here = wait_for(lambda: waiting_page(gateways[0]), WAIT_S, "a queue", every=0.01)
        assert "You are number" in here.read_text and int(here.headers["Refresh"]) >= 1
        place = here.headers["Set-Cookie"].split(";")[0]
        assert fetch_page(gateways[0], place).headers["Set-Cookie"] is None
        _, waiting = coming.result()
    all_in(waiting)
    wait_for(lambda: "You can sign in now" in fetch_page(gateways[0], place).read_text, WAIT_S,
             "the turn of the one who reads the page")
    assert fetch_page(gateways[0], place).headers["Refresh"] is None
