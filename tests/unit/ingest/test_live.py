"""A live session follows its stream to where Zoom announces it."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.host.clock import SystemClock
from connectors.kafka.dead_letters import DeadLetters
from connectors.rtms.protocol.codes import Medium, StopReason
from connectors.rtms.protocol.events import (
    EndCause,
    FrameReceived,
    MediaReady,
    ParticipantJoined,
    SecondRefused,
    SocketLost,
    TickDue,
)
from connectors.rtms.protocol.parameters import AudioParameters, MediaParameters
from connectors.rtms.session import SessionOutcome
from ingest.live import LiveSession
from ingest.publisher import Identity, Publisher
from schemas import topics
from schemas.codec import Codec
from schemas.records import FactKind, RecordKind
from tests.support.processes import PATIENCE_S
from tests.support.worker_bench import until
from tests.unit.ingest.producers import FakeProducer, TakingProducer
from tests.unit.ingest.test_worker import REQUEST, SESSION

FIRST, SECOND = ("wss://rtms1.zoom.us", "wss://rtms1b.zoom.us"), ("wss://rtms2.zoom.us",)


def at(server_urls):
    return replace(SESSION, request=replace(REQUEST, server_urls=server_urls))


class EndlessSession:
    """A stream that never ends and remembers where it was sent."""

    def __init__(self):
        self.moves = []
        self.ran = False
        self.over = asyncio.get_running_loop().create_future()
        self.is_closed_in_order = True

    async def run(self):
        self.ran = True
        return await self.over

    def hand_over(self):
        confirmed = self.is_closed_in_order
        self.over.set_result(SessionOutcome(EndCause.HANDED_OVER, None, False, confirmed, True, 0, 0))

    def reconnect(self, server_urls):
        self.moves.append(server_urls)


class Factory:
    """Makes sessions once `open` is set, and knows for which addresses."""

    def __init__(self):
        self.asked, self.made, self.told = [], [], []
        self.open = asyncio.Event()
        self.facts = SlowFacts()
        self.facts.taken.set()

    async def __call__(self, state, on_event):
        self.asked.append(state.request.server_urls)
        await self.open.wait()
        self.made.append(EndlessSession())
        return self.made[-1]


CODEC = Codec.with_ids_from(topics.ALL)
LETTERS = DeadLetters(FakeProducer(), CODEC)


class SlowFacts:
    """Takes what is stated once `taken` is set."""

    def __init__(self):
        self.stated = []
        self.taken = asyncio.Event()

    async def state(self, session_id, partition, kind, **_):
        await self.taken.wait()
        self.stated.append(kind)


class Taking(TakingProducer):
    """Keeps what kinds of records it was given, by medium; it takes them at once while `is_taking`."""

    def __init__(self):
        super().__init__()
        self.kinds, self.ends = [], []
        self.is_taking, self.waiting = True, []

    def take_all(self):
        """What waits is taken, and what comes from here on at once."""
        self.is_taking = True
        for account, value in self.waiting:
            account.settle(value, refused=False)

    def take(self, account, topic, value):
        if self.is_taking:
            super().take(account, topic, value)
        else:
            self.waiting.append((account, value))
        record = CODEC.decode(topic, value)
        self.kinds.append((topic.medium, record.kind))
        if record.kind is RecordKind.END:
            self.ends.append(record.timestamp_ms)


@pytest.fixture
async def begun():
    factory = Factory()
    factory.taken = Taking()
    producers = {topic.name: factory.taken for topic in topics.MEDIA_TOPICS}
    publisher = Publisher(Identity("app_1", 3, 7), CODEC, producers, 1_000_000)
    around = SimpleNamespace(
        facts=factory.facts,
        create_session=factory,
        letters=LETTERS,
        clock=SystemClock(),
        worker="w",
        ask=lambda *asked: factory.told.append(asked),
        hand_over_s=PATIENCE_S,
        new_start_s=60.0,
    )
    live = LiveSession(publisher, replace(at(FIRST), addresses=("b:1", "a:1")), around)
    running = asyncio.create_task(live.run())
    yield live, factory
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_second_announcement_with_the_same_addresses_is_ignored_and_one_with_new_ones_followed(begun):
    live, factory = begun
    factory.open.set()
    await settle()
    live.follow(at(FIRST[::-1]))
    assert factory.made[0].moves == []
    live.follow(at(SECOND))
    live.follow(at(SECOND))
    live.follow(at(FIRST))
    assert factory.made[0].moves == [SECOND, FIRST]


async def test_addresses_that_change_while_the_credentials_are_awaited_are_the_ones_connected_to(begun):
    live, factory = begun
    await settle()
    live.follow(at(SECOND))
    factory.open.set()
    await settle()
    assert factory.asked == [FIRST, SECOND]
    live.follow(at(FIRST))
    assert [made.moves for made in factory.made] == [[], [FIRST]]


async def finish(live):
    await live.finish(close_stream=True)


async def hand_over(live):
    await live.hand_over()


async def let_go(live):
    live.let_go()


@pytest.mark.parametrize("leave", [finish, hand_over, let_go])
async def test_who_is_left_while_the_credentials_are_awaited_opens_no_socket_when_they_come(begun, leave):
    live, factory = begun
    await settle()
    await leave(live)
    factory.open.set()
    await settle()
    assert [made.ran for made in factory.made] == [False]


NOON_MS = 1_760_000_000_000


async def test_the_end_is_not_before_what_was_told_after_the_last_sound(begun):
    """Who came after it would have left before he came, and a pause that lasts to the end would have had no length."""
    live, factory = begun
    factory.open.set()
    await settle()
    live.on_event(FrameReceived(Medium.AUDIO, 7, "Ada", NOON_MS, b"pcm"))
    live.on_event(ParticipantJoined(code=3, timestamp_ms=NOON_MS + 60_000, user_id=8))
    live.on_event(TickDue(Medium.EVENTS, NOON_MS + 90_000))
    factory.made[0].over.set_result(STOPPED)
    await settle()
    await finish(live)
    assert factory.taken.ends == [NOON_MS + 90_000] * 6


STOPPED = SessionOutcome(EndCause.STOPPED, StopReason.EXIT_SIGNAL, True, True, True, 0, 0)


@pytest.mark.parametrize("leave", [finish, hand_over, let_go])
async def test_who_is_left_while_a_new_start_is_awaited_goes_back_to_none(begun, leave):
    live, factory = begun
    factory.open.set()
    await settle()
    factory.made[0].over.set_result(STOPPED)
    await settle()
    await leave(live)
    live.announced()
    live.follow(at(SECOND))
    await settle()
    assert [made.ran for made in factory.made] == [True]
    written = {kind for _, kind in factory.taken.kinds}
    assert written == ({RecordKind.END} if leave is finish else set())


async def test_a_session_is_handed_over_once_it_has_been_stated_that_zoom_stopped_it(begun):
    """After its successor's claim nobody would heed it, and the successor would take Zoom's refusal for the end."""
    live, factory = begun
    factory.facts.taken.clear()
    factory.open.set()
    await settle()
    factory.made[0].over.set_result(STOPPED)
    await settle()
    handing_over = asyncio.create_task(live.hand_over())
    done, _ = await asyncio.wait([handing_over], timeout=0.1)
    assert not done
    factory.facts.taken.set()
    await handing_over
    assert factory.facts.stated == [FactKind.STREAM_STOPPED]


# --- what a hand-over says of the sound -------------------------------------------------------------------------------

NOW_MS = 1_700_000_000_000


async def handed_over(begun, *, settings="{}", in_order=True, lost=(), spoken=True):
    """The kinds of records on the audio topic once a session with these settings has been handed over."""
    live, factory = begun
    live._state = replace(live._state, settings=settings)
    factory.open.set()
    await settle()
    live._reception.ready(NOW_MS)
    if spoken:
        live.on_event(FrameReceived(Medium.AUDIO, 7, "Ada", NOW_MS, b"pcm"))
    for channel, code in lost:
        live.on_event(SocketLost(channel, code, 3_000))
    factory.made[-1].is_closed_in_order = in_order
    await live.hand_over()
    return [kind for medium, kind in factory.taken.kinds if medium == "audio"][spoken:]


async def test_a_hand_over_in_good_order_says_that_the_sound_is_whole(begun):
    assert await handed_over(begun) == [RecordKind.HANDED_OVER]


NOT_WHOLE = {
    "the sockets broke or were left": {"in_order": False},
    "the socket was lost before": {"lost": [("media", 1000)]},
    "Zoom was not to keep anything": {"settings": '{"buffered_audio": false}'},
    "nothing was heard yet": {"spoken": False},
}


@pytest.mark.parametrize("case", NOT_WHOLE)
async def test_a_hand_over_that_may_have_lost_something_does_not(begun, case):
    assert await handed_over(begun, **NOT_WHOLE[case]) == []


# --- what comes before Kafka has a begin ------------------------------------------------------------------------------


async def heard_before_kafka_has_the_begin(begun):
    """The session and its factory; Ada has spoken once, and Kafka takes nothing."""
    live, factory = begun
    factory.open.set()
    await settle()
    factory.taken.is_taking = False
    live.on_event(MediaReady(MediaParameters(audio=AudioParameters()), again=False))
    live.on_event(FrameReceived(Medium.AUDIO, 7, "Ada", NOON_MS, b"pcm"))
    return live, factory


def on_audio(factory):
    """The kinds of records on the audio topic."""
    return [kind for medium, kind in factory.taken.kinds if medium == "audio"]


async def test_who_speaks_once_before_kafka_has_the_begin_is_heard_though_nobody_speaks_after_it(begun):
    live, factory = await heard_before_kafka_has_the_begin(begun)
    factory.taken.take_all()
    await until(lambda: len(on_audio(factory)) > 1)
    assert on_audio(factory) == [RecordKind.BEGIN, RecordKind.FRAME]


async def test_a_hand_over_waits_until_kafka_has_taken_all_before_it_says_that_nothing_is_missing(begun):
    live, factory = await heard_before_kafka_has_the_begin(begun)
    handing_over = asyncio.create_task(live.hand_over())
    done, _ = await asyncio.wait([handing_over], timeout=0.1)
    assert not done
    factory.taken.take_all()
    await handing_over
    assert on_audio(factory) == [RecordKind.BEGIN, RecordKind.FRAME, RecordKind.HANDED_OVER]


async def test_a_hand_over_that_has_no_time_left_gives_kafkas_client_what_is_held(begun):
    """It goes on trying for a while; that the sound is whole is not said."""
    live, factory = await heard_before_kafka_has_the_begin(begun)
    live._around.hand_over_s = 0.1
    await live.hand_over()
    assert on_audio(factory) == [RecordKind.BEGIN, RecordKind.FRAME]


async def test_who_is_refused_as_a_second_one_asks_those_that_had_the_session_before(begun):
    live, factory = begun
    factory.open.set()
    await settle()
    live.on_event(SecondRefused("signaling"))
    live.on_event(SocketLost("signaling", None, 1_500))
    assert factory.told == [("app_1", 7, ("b:1", "a:1"))]
