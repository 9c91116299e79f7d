"""What is to be made is made once, left off when nobody wants it, and tried again; meetings never hear of it."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.kafka.errors import DeliveryFailed, Fatal, TimedOut
from connectors.objects.errors import Denied
from processors.transcription.afterwards import service
from processors.transcription.afterwards.due import Due, Order
from processors.transcription.afterwards.making import NotUnderstood
from processors.transcription.afterwards.service import Afterwards, Connected
from schemas.records import AsyncTranscription, Stored, StoredTrack
from tests.unit.schemas.test_async_transcriptions import asked, fact, life, over

WANTED = AsyncTranscription(
    transcription_id="tran_1", settings="{}", state="not_started", created_at_ms=1, updated_at_ms=1
)
ORDER = Order("app_1", "p1", 3, WANTED)


class World:
    """Orders as they are now, and what becomes of each try; `ends` says how each ends (an error, or None)."""

    def __init__(self, *orders, ends=()):
        self.orders, self.ends = list(orders), list(ends)
        self.begun, self.failed, self.cancelled, self.connected, self.closed, self.rests = [], [], [], 0, 0, 0
        self.at_once = self.most = 0
        self.hold: asyncio.Event | None = None
        self.changed = asyncio.Event()

    def step(self):
        return list(self.orders)

    def connect(self):
        self.connected += 1
        closing = ExitStack()
        closing.callback(self._close)
        return Connected(self, lambda: self, closing)

    def _close(self):
        self.closed += 1

    async def rest(self):
        self.rests += 1
        self.changed.set()

    def making(self, tools, order):
        async def run():
            self.begun.append(order)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self.changed.set()
            try:
                if self.hold is not None:
                    await self.hold.wait()
                if self.ends and (error := self.ends.pop(0)) is not None:
                    raise error
            except asyncio.CancelledError:
                self.cancelled.append(order.transcription_id)
                raise
            finally:
                self.at_once -= 1
                self.changed.set()

        async def fail(reason):
            self.failed.append((order.transcription_id, reason))
            self.changed.set()

        return SimpleNamespace(run=run, fail=fail)

    async def until(self, is_so):
        async with asyncio.timeout(60):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def running(monkeypatch):
    monkeypatch.setattr(service, "delays_s", lambda longest_s: iter([0.001] * 1000))

    async def run(world, sessions=2):
        monkeypatch.setattr(service, "Making", world.making)
        afterwards = Afterwards(world.connect, world, sessions)
        await afterwards.start()
        return afterwards

    return run


def numbered(number, project_id=None):
    wanted = replace(WANTED, transcription_id=f"tran_{number}")
    return replace(ORDER, project_id=project_id or f"p{number}", wanted=wanted)


async def test_what_is_asked_for_is_made_once(running):
    world = World(ORDER)
    afterwards = await running(world)
    await world.until(lambda: world.rests > 5)
    await afterwards.stop()
    assert world.begun == [ORDER], "it is due until a sink has stored it, and made only once"
    assert (world.connected, world.closed, world.failed) == (1, 1, [])


async def test_a_few_at_a_time(running):
    world = World(*map(numbered, range(5)))
    world.hold = asyncio.Event()
    afterwards = await running(world, sessions=2)
    await world.until(lambda: world.at_once == 2)
    world.hold.set()
    await world.until(lambda: len(world.begun) == 5 and not world.at_once)
    await afterwards.stop()
    assert world.most == 2
    assert [order.transcription_id for order in world.begun] == [f"tran_{number}" for number in range(5)]


@pytest.mark.parametrize(("sessions", "of_one"), [(1, 1), (2, 1), (5, 2)])
async def test_a_project_has_half_of_the_places_at_most(running, sessions, of_one):
    world = World(*(numbered(number, "greedy") for number in range(9)), numbered(9, "modest"))
    world.hold = asyncio.Event()
    afterwards = await running(world, sessions=sessions)
    others = int(sessions > of_one)
    await world.until(lambda: world.at_once == of_one + others)
    assert [order.transcription_id for order in world.begun] == [f"tran_{one}" for one in range(of_one)] + [
        "tran_9"
    ] * others
    world.hold.set()
    await world.until(lambda: len(world.begun) == 10 and not world.at_once)
    await afterwards.stop()


async def test_what_nobody_understood_has_failed_with_its_reason(running):
    world = World(ORDER, ends=[NotUnderstood("credentials_invalid")])
    afterwards = await running(world)
    await world.until(lambda: bool(world.failed))
    await afterwards.stop()
    assert world.failed == [("tran_1", "credentials_invalid")]


async def test_what_nobody_wants_any_more_is_left_off(running):
    world = World(ORDER)
    world.hold = asyncio.Event()
    afterwards = await running(world)
    await world.until(lambda: world.at_once == 1)
    world.orders.clear()
    await world.until(lambda: world.cancelled == ["tran_1"])
    await afterwards.stop()


@pytest.mark.parametrize("error", [DeliveryFailed("away"), TimedOut("away"), Denied("no")])
async def test_what_came_to_nothing_is_begun_again_and_looks_back_first(running, error):
    world = World(ORDER, ends=[error, error, None])
    afterwards = await running(world)
    await world.until(lambda: len(world.begun) == 3)
    await afterwards.stop()
    assert [order.is_begun for order in world.begun] == [False, True, True]
    assert world.failed == []


async def test_a_fault_costs_one_side_transcript_and_no_more(running):
    world = World(ORDER, numbered(2), ends=[LookupError("nobody thought of it"), None])
    afterwards = await running(world, sessions=1)
    await world.until(lambda: len(world.begun) == 2 and bool(world.failed))
    await afterwards.stop()
    assert world.failed == [("tran_1", "internal_error")]


async def test_with_broken_connections_it_begins_anew(running):
    world = World(ORDER, ends=[Fatal("broken"), None])
    afterwards = await running(world)
    await world.until(lambda: len(world.begun) == 2)
    await afterwards.stop()
    assert (world.connected, world.closed) == (2, 2)


async def test_what_cannot_be_reached_at_the_start_is_tried_again(running):
    world = World(ORDER)
    connect, tries = world.connect, []

    def at_last():
        tries.append(1)
        if len(tries) < 3:
            raise TimedOut("away")
        return connect()

    world.connect = at_last
    afterwards = await running(world)
    await world.until(lambda: bool(world.begun))
    await afterwards.stop()
    assert len(tries) == 3


async def test_stopping_leaves_off(running):
    world = World(ORDER)
    world.hold = asyncio.Event()
    afterwards = await running(world)
    await world.until(lambda: world.at_once == 1)
    await afterwards.stop()
    assert (world.cancelled, world.closed, world.failed) == (["tran_1"], 1, [])


def test_what_is_due_is_what_the_newest_states_say():
    due, track = Due(), StoredTrack(track="participant-7", count=12)
    share = StoredTrack(track="share", count=3)
    one = life(asked(), asked("tran_2"), state=over(tracks=(track, share)))
    due.hear(3, "app_1", one)
    assert [(order.transcription_id, order.partition, order.is_begun) for order in due.orders()] == [
        ("tran_1", 3, False), ("tran_2", 3, False),
    ]  # fmt: skip
    assert {order.project_id for order in due.orders()} == {"p1"}
    assert (due.orders()[0].stored, due.orders()[0].is_short) == ({7: 12}, False)
    due.hear(3, "app_1", life(fact("begun"), fact("stored", "tran_2"), state=one))
    assert [(order.transcription_id, order.is_begun) for order in due.orders()] == [("tran_1", True)]
    due.hear(
        3, "app_1", life(asked(), state=over(tracks=(StoredTrack(track="participant-7", reason="segments_missing"),)))
    )
    assert due.orders()[0].is_short
    due.hear(3, "app_1", None)
    assert due.orders() == []
    due.hear(3, "app_1", one)
    due.drop([3, 4])
    assert due.orders() == []


@pytest.mark.parametrize(
    ("fields", "is_short"),
    [
        ({}, False),
        ({"failures": ("transcript: not stored in time",)}, False),
        ({"failures": ("recording: no_media",)}, False),
        ({"failures": ("recording: not stored in time",)}, True),
        ({"failures": ("recording: not stored in time",), "tracks": (StoredTrack(track="participant-7"),)}, False),
        ({"failures": ("recording: not stored in time",), "recording": Stored(key="late")}, False),
        ({"failures": ("recording: too_many_participants",), "tracks": (StoredTrack(track="share"),)}, True),
    ],
)  # fmt: skip
def test_where_nobody_knows_that_all_sound_is_there_it_is_said_to_be_short(fields, is_short):
    due = Due()
    due.hear(3, "app_1", life(asked(), state=over(**fields)))
    assert [order.is_short for order in due.orders()] == [is_short]
