"""A worker lets a session go when another one proves that it has claimed it since; real sockets throughout."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from connectors.host.health import Health
from connectors.host.secrets import KeyRing
from connectors.host.settings import HealthSettings
from ingest.asking import LIMIT_S, Asking
from ingest.door import ANSWER_S, Door
from ingest.telling import PATH, SIGNATURE, ToldClaim, address, written
from tests.support.processes import PATIENCE_S
from tests.unit.ingest.test_worker import running

RING = KeyRing([KeyRing.generate()])
NEWER = ToldClaim("app_1", "w2", 102)

hurried = pytest.mark.parametrize("limits", [True], indirect=True)
"""For those who let the time run out; whoever does not has time on a busy machine as well."""


@pytest.fixture(autouse=True)
def limits(request, monkeypatch):
    if not hasattr(request, "param"):
        monkeypatch.setattr("ingest.door.ANSWER_S", PATIENCE_S)
        monkeypatch.setattr("ingest.asking.LIMIT_S", PATIENCE_S)


@pytest.fixture
async def held(house):
    """A worker that holds app_1 since epoch 101, and answers at `url`."""
    h = await running(house)
    health = Health("ingest", HealthSettings(port=0))
    health.take_posts(PATH, Door(RING, h.worker.on_claim).answer)
    h.where = address("127.0.0.1", health.start())
    yield h
    health.stop()


async def post(held, body, signature):
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        return await client.post(f"http://{held.where}{PATH}", content=body, headers={SIGNATURE: signature})


async def test_a_newer_claim_is_followed_as_if_the_log_had_said_it(held):
    answer = await post(held, *written(NEWER, RING))
    assert (answer.status_code, answer.json()) == (200, {"reply": "let_go"})
    assert held.lives[0].asked == ["run", "let_go"]
    assert held.worker.holdings == {}


async def test_to_say_it_again_does_nothing(held):
    await post(held, *written(NEWER, RING))
    assert (await post(held, *written(NEWER, RING))).status_code == 404
    assert held.lives[0].asked == ["run", "let_go"]


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (ToldClaim("app_1", "w2", 101), 409),
        (ToldClaim("app_1", "w2", 0), 409),
        (ToldClaim("app_2", "w2", 102), 404),
    ],
)
async def test_nothing_newer_and_nothing_of_others_is_let_go(held, claim, status):
    assert (await post(held, *written(claim, RING))).status_code == status
    assert held.lives[0].asked == ["run"]


DEEP = b"[" * 4000
GARBAGE = [b"", b"{}", b"null", b"\xff\xfe", DEEP, b'{"x":' * 600, b"7" * 4000]
MALFORMED = [
    b'{"session_id":"app_1","worker":"w2","epoch":-1}',
    b'{"session_id":"app_1","worker":"w2","epoch":1e2}',
    b'{"session_id":"app_1","worker":"w2","epoch":102.5}',
    b'{"session_id":"app_1","worker":"w2","epoch":"102"}',
    b'{"session_id":"app_1","worker":"w2","epoch":true}',
    b'{"session_id":"app_1","worker":"w2","epoch":' + b"9" * 300 + b"}",
    b'{"session_id":"","worker":"w2","epoch":102}',
    b'{"session_id":["app_1"],"worker":"w2","epoch":102}',
    b'{"session_id":"app_1","epoch":102}',
]


async def test_what_is_no_claim_is_refused_even_if_it_is_signed(held):
    for body in [*GARBAGE, *MALFORMED]:
        answer = await post(held, body, RING.signature("rtms-pipeline: a claim, told by one worker to another", body))
        assert answer.status_code == 400, body
    assert held.lives[0].asked == ["run"]


async def test_who_has_not_the_workers_key_says_nothing(held):
    body, signature = written(NEWER, RING)
    foreign = written(NEWER, KeyRing([KeyRing.generate()]))[1]
    for said in ("", "x", foreign, signature[:-1], signature.upper(), "0" * 20_000):
        assert (await post(held, body, said)).status_code == 403
    assert (await post(held, body + b" ", signature)).status_code == 403
    assert (await post(held, body.replace(b"102", b"103"), signature)).status_code == 403
    assert held.lives[0].asked == ["run"]


@hurried
async def test_a_loop_that_stands_still_is_waited_for_no_longer_than_who_asks_waits(held):
    body, signature = written(NEWER, RING)

    def ask():
        said = {SIGNATURE: signature}
        return httpx.post(f"http://{held.where}{PATH}", content=body, headers=said, trust_env=False, timeout=60)

    with ThreadPoolExecutor() as others:
        answer = others.submit(ask).result()  # this loop, the worker's own, stands still until somebody answers
    assert answer.status_code == 503
    await asyncio.sleep(0)
    assert ANSWER_S < LIMIT_S
    assert held.lives[0].asked == ["run", "let_go"], "it was true all the same"


async def test_a_worker_that_has_ended_says_so(house):
    h = await running(house)
    loop = asyncio.new_event_loop()
    door = Door(RING, h.worker.on_claim)
    door._loop = loop
    loop.close()
    body, signature = written(NEWER, RING)
    assert door.answer({SIGNATURE: signature}, body).status == 503
    assert h.lives[0].asked == ["run"]


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def asking():
    made = Asking(RING, "w2", "127.0.0.1:1")
    yield made
    await made.close()


async def answered(asking):
    """Once every question has its answer."""
    await asyncio.gather(*asking._asking.values())
    await asyncio.sleep(0)


async def test_everybody_that_had_it_is_asked_and_who_has_it_lets_it_go(held, asking):
    asking.ask("app_1", 102, ("127.0.0.1:1", "127.0.0.1:2", held.where, "no.such.host.invalid:9", "x y:z", "[", ""))
    await held.until(lambda: held.lives[0].asked == ["run", "let_go"])


async def test_who_asks_in_vain_has_waited_for_nothing(held, asking):
    asking.ask("app_1", 101, (held.where,))
    await answered(asking)
    assert held.lives[0].asked == ["run"]


@contextmanager
def frozen():
    """Somebody that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@hurried
async def test_who_never_answers_is_asked_once_at_a_time_and_given_a_second(asking):
    with frozen() as where:
        since_s = time.monotonic()
        for _ in range(50):
            asking.ask("app_1", 102, (where,))
        assert time.monotonic() - since_s < 10 * LIMIT_S, "nobody waits: for fifty it would be fifty times as long"
        assert len(asking._asking) == 1
        await answered(asking)
        assert LIMIT_S * 0.9 < time.monotonic() - since_s < LIMIT_S + 10
        asking.ask("app_1", 102, (where,))
        assert len(asking._asking) == 1, "it may be asked again"


async def test_it_does_not_ask_itself(asking):
    asking.ask("app_1", 102, ("127.0.0.1:1",))
    assert asking._asking == {}


def test_an_address_is_what_a_url_takes():
    assert address("10.0.0.7", 9090) == "10.0.0.7:9090"
    assert address("fd00::7", 9090) == "[fd00::7]:9090"
