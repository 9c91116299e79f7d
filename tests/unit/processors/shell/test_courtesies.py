"""What is shown of open windows: nothing waits for it, and whatever happens to it changes nothing else."""

import asyncio
from collections.abc import Collection, Sequence

import pytest

from connectors.kafka.errors import DeliveryFailed
from processors.checkpoint.assignments import Assignment
from processors.checkpoint.folds import Json
from processors.checkpoint.windows import Track
from processors.shell import metrics
from processors.shell.applications import Output
from schemas import topics
from tests.support.toy_processor import AUDIO, Work, frame
from tests.support.toy_service import utterance
from tests.support.worker_bench import AUDIO_0, Bench, until


class ToyPartials:
    """Shows every frame while fewer than two are, or has `fault`; nothing is due where `is_idle`."""

    def __init__(self) -> None:
        self.looks: list[tuple[int, int, bool]] = []
        self.may_render = asyncio.Event()
        self.fault: Exception | None = None
        self.fault_seen: Exception | None = None
        self.is_asked_for, self.is_idle = True, False

    def is_wanted(self, part: Json) -> bool:
        return self.is_asked_for

    def is_due(self, track: Track) -> bool:
        return not self.is_idle

    def seen(self, track: Track, late_ms: int, under_way: Collection[object]) -> object | None:
        if self.fault_seen:
            raise self.fault_seen
        is_busy = len(under_way) >= 2
        self.looks.append((track.entries[-1].offset, late_ms, is_busy))
        return None if is_busy else Work(f"shown-{len(self.looks)}", ())

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        await self.may_render.wait()
        if self.fault:
            raise self.fault
        record = utterance(session_id, work)
        return [Output(topics.TRANSCRIPT_PARTIALS, record.utterance_id, record)]


async def shown() -> tuple[Bench, ToyPartials]:
    bench, partials = Bench(), ToyPartials()
    bench.worker._courtesies._partials = partials
    return await bench.assign(), partials


async def hear(bench: Bench, *offsets: int) -> None:
    for offset in offsets:
        await bench.deliver(AUDIO_0, offset, frame("s", AUDIO, offset + 1, 1000 + offset))


def sent(bench: Bench) -> list[tuple[str, bytes, int]]:
    return [(topic, key, partition) for topic, key, _, partition in bench.outbox.sent]


async def test_it_is_written_beside_everything_else_and_under_the_sessions_key():
    bench, partials = await shown()
    await hear(bench, 0, 1, 2)
    assert [(offset, is_busy) for offset, _, is_busy in partials.looks] == [(0, False), (1, False), (2, True)]
    assert sent(bench) == []
    await bench.worker.checkpoint()
    states = dict(bench.states.alive)
    partials.may_render.set()
    await until(lambda: not bench.worker._courtesies._tasks)
    assert sent(bench) == [("transcript-partials", b"s", 0)] * 2
    await bench.worker.checkpoint()
    assert bench.states.alive == states
    await hear(bench, 3)
    assert partials.looks[-1] == (3, 100_000, False)


@pytest.mark.parametrize("where", ["seen", "rendered", "written"])
async def test_what_goes_wrong_is_counted_and_nothing_more(where: str):
    bench, partials = await shown()
    partials.may_render.set()
    partials.fault_seen = KeyError("no") if where == "seen" else None
    partials.fault = KeyError("no") if where == "rendered" else None
    bench.outbox.errors = [DeliveryFailed("gone")] if where == "written" else []
    before = metrics.UNSHOWN._value.get()
    await hear(bench, 0)
    await until(lambda: metrics.UNSHOWN._value.get() == before + 1)
    assert not bench.worker.failure.done()
    partials.fault_seen = partials.fault = None
    await hear(bench, 1)
    await until(lambda: sent(bench))
    assert bench.outbox.refused == []


async def test_a_rebalance_takes_it_away():
    bench, partials = await shown()
    await hear(bench, 0)
    await bench.worker.on_revoked(None, set())
    partials.may_render.set()
    await until(lambda: not bench.worker._courtesies._tasks)
    assert sent(bench) == []


class NoTime:
    """A clock that nobody may read."""

    def now_ms(self) -> int:
        raise AssertionError("nobody wants to know")

    now_us = monotonic = now_ms


async def test_who_wants_nothing_pays_for_nothing(monkeypatch: pytest.MonkeyPatch):
    bench, partials = await shown()
    monkeypatch.setattr(bench.worker._courtesies, "_clock", NoTime())
    partials.is_idle = True
    await hear(bench, 0)
    partials.is_asked_for = False
    monkeypatch.setattr(Assignment, "track_of", NoTime.now_us)
    await hear(bench, 1)
    assert partials.looks == []
    assert not bench.worker.failure.done()
