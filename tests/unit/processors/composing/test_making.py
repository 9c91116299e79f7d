"""A recording is drawn: whole, once, whatever happens to whoever draws it; or it is said why not."""

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from connectors.kafka.errors import DeliveryFailed
from connectors.objects.errors import NotFound, Unavailable
from processors.composing import making
from processors.composing.due import Order, orders_of
from processors.composing.making import Abandoned, Making, Tools
from schemas import object_names, recordings, tracks
from schemas.codec import Codec
from schemas.records import AppSession, FactKind, OutputKind, Record, Segment, SessionFact
from schemas.sessions import State
from schemas.settings import RecordingView, dumps
from schemas.topics import ALL, RECORDING_SEGMENTS, SESSION_FACTS, Topic
from tests.support.composed import Meeting, meeting
from tests.support.media import START_MS, Shot, Talk
from tests.support.memory_deletions import deleted
from tests.support.muxed import SESSION, decoded
from tests.unit.schemas.test_copies import REQUEST, life
from tests.unit.sinks.objects.test_storing import Sink

T = START_MS
CODEC = Codec({topic.name: number for number, topic in enumerate(ALL, 1)})


def fact(kind: str, **fields: object) -> SessionFact:
    return SessionFact(session_id=SESSION, kind=FactKind(kind), **fields)  # type: ignore[arg-type]


class Killed(BaseException):
    """The process is gone."""


class World:
    """What outlives a process: the objects and the sink on them, what stands on the log, and the session's state."""

    def __init__(self, folder: Path, made: Meeting) -> None:
        self.sink, self.log = Sink(folder), list[Record]()
        for part in made.parts[:-1]:
            self.sink.storing.store(part, self.sink.patience)
        stored = self.sink.finish(made.end)
        asked = fact("requested", project_id="p", source="api", request=REQUEST, settings=dumps(made.settings))
        self.state: AppSession = life(
            asked, fact("claimed", worker="w"), fact("connected", epoch=1), fact("stream_over", epoch=1),
            fact("disconnected", epoch=1), fact("transcript_stored"), fact("events_stored"), stored,
        )  # fmt: skip

    @property
    def order(self) -> Order:
        [order] = orders_of(self.state, 3)
        return order

    def process(self, lives: int = 10**9, *, is_written_when_killed: bool = True) -> Making:
        """One that lives for so many writes; the last of them may get through or not."""
        return Making(Tools(self.sink.store, _Producer(self, lives, is_written_when_killed), CODEC), self.order)  # type: ignore[arg-type]

    def store(self, count: int) -> None:
        """What the sink does about so many records of the log, from its beginning: it begins there after any kill."""
        for record in self.log[:count]:
            if isinstance(record, Segment) and record.kind is OutputKind.TRACK:
                self.sink.storing.store(record, self.sink.patience)
            elif isinstance(record, Segment):
                self.tell(self.sink.finish(record))

    def tell(self, said: SessionFact) -> None:
        self.state = life(said, state=self.state, offset=self.state.folded_offset + 1)

    @property
    def file(self) -> bytes:
        return self.sink.store.get(object_names.track_key(SESSION, tracks.COMPOSED))


class _Producer:
    def __init__(self, world: World, lives: int, is_written_when_killed: bool) -> None:
        self._world, self._left, self._is_written = world, lives, is_written_when_killed

    def send_blocking(self, topic: Topic, key: bytes, value: bytes, partition: int) -> int:
        assert partition == 3
        record = CODEC.decode({t.name: t for t in (RECORDING_SEGMENTS, SESSION_FACTS)}[topic.name], value)
        if self._left or self._is_written:
            self._world.log.append(record)
        if isinstance(record, SessionFact):
            self._world.tell(record)
        if not self._left:
            raise Killed
        self._left -= 1
        return 1


@pytest.fixture(scope="module")
def made() -> Meeting:
    face = Shot(T, T + 20_000, fps=5, grey=60, key_every=50)
    screens = [Shot(T + 1000, T + 2000, 2, fps=5, grey=190), Shot(T + 12_000, T + 15_000, 2, fps=5, grey=190)]
    return meeting(RecordingView.SIDE_BY_SIDE, [Talk(T, T + 20_000)], [face], screens)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, made: Meeting) -> World:
    world = World(tmp_path_factory.mktemp("undisturbed"), made)
    world.process().run()
    world.store(len(world.log))
    return world


def test_it_is_stored_shown_and_the_session_has_ended(undisturbed: World, made: Meeting) -> None:
    state, drawn = undisturbed.state, made.drawn()
    assert (state.state, state.failures) == (State.ENDED, ())
    shown = recordings.whole(state)
    assert shown is not None
    assert shown.key == object_names.track_key(SESSION, tracks.COMPOSED)
    assert (shown.size_bytes, shown.start_ms) == (len(undisturbed.file), made.end.start_ms)
    assert shown.duration_ms == made.end.duration_ms
    assert undisturbed.log[:-1] == drawn
    assert len({segment.segment_id for segment in (*drawn, undisturbed.log[-1])}) == len(drawn) + 1  # type: ignore[union-attr]
    assert state.recording is not None
    assert undisturbed.sink.store.get(state.recording.key or "")
    assert orders_of(state, 3) == []


def test_its_file_is_the_recordings_with_what_was_drawn_in_its_place(undisturbed: World, made: Meeting) -> None:
    found, expected = decoded(undisturbed.file), decoded(made.whole(made.drawn()))
    assert (found.errors, found.times) == ([], expected.times)
    assert all(map(np.array_equal, found.lumas, expected.lumas))
    assert np.array_equal(found.audio, expected.audio)


@pytest.mark.parametrize("seed", range(12))
def test_whoever_is_killed_anywhere_it_becomes_the_same(
    tmp_path: Path, made: Meeting, undisturbed: World, seed: int
) -> None:
    """Killed while writing, before and after the write got through, with the sink as far behind as it likes."""
    dice, world = random.Random(seed), World(tmp_path, made)
    for _ in range(dice.randint(1, 4)):
        lives = dice.randint(0, len(undisturbed.log) - 1)
        with suppress(Killed):
            world.process(lives, is_written_when_killed=dice.random() < 0.5).run()
        world.store(dice.randint(0, len(world.log)))
        if not orders_of(world.state, 3):
            break
    else:
        world.process().run()
    world.store(len(world.log))
    assert (world.state.state, world.state.failures) == (State.ENDED, ())
    assert world.file == undisturbed.file


def test_two_that_draw_the_same_do_no_harm(tmp_path: Path, made: Meeting, undisturbed: World) -> None:
    world = World(tmp_path, made)
    world.process().run()
    world.process().run()
    world.store(len(world.log))
    assert (world.state.state, world.file) == (State.ENDED, undisturbed.file)


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [("segments", "segments_missing"), ("tracks/share/segments", "segments_missing"), ("headers", "segments_missing")],
)
def test_what_is_not_there_is_said_and_the_recording_is_shown(
    tmp_path: Path, made: Meeting, prefix: str, reason: str
) -> None:
    world = World(tmp_path, made)
    world.sink.store.delete(world.sink.store.list(f"sessions/{SESSION}/{prefix}")[0].key)
    world.process().run()
    assert world.state.failures == (f"composed_view: {reason}",)
    assert (world.state.state, recordings.whole(world.state)) == (State.ENDED, world.state.recording)


def test_what_nobody_can_read_is_said(tmp_path: Path, made: Meeting) -> None:
    world = World(tmp_path, made)
    for item in world.sink.store.list(f"sessions/{SESSION}/tracks/share/segments"):
        world.sink.store.put(item.key, b"rubbish")
    world.process().run()
    assert world.state.failures == ("composed_view: unreadable",)


def test_a_store_that_is_away_is_no_reason_to_give_up(
    tmp_path: Path, made: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, made)

    def away(key: str) -> bytes:
        raise Unavailable(key)

    monkeypatch.setattr(world.sink.store, "get", away)
    with pytest.raises(Unavailable):
        world.process().run()
    assert world.state.failures == ()
    assert world.order


@pytest.mark.parametrize("goes", ["before", "meanwhile"])
def test_a_bucket_that_is_not_there_is_waited_for_like_one_that_is_away(
    tmp_path: Path, made: Meeting, monkeypatch: pytest.MonkeyPatch, goes: str
) -> None:
    """Whether it is missing from the first, or somebody takes it away in the middle."""
    world = World(tmp_path, made)
    store = world.sink.store

    def gone(key: str) -> bytes:
        monkeypatch.setattr(store, "list", absent)
        return absent(key)

    def absent(key: str) -> bytes:
        raise NotFound(key)

    monkeypatch.setattr(store, *(("list", absent) if goes == "before" else ("get", gone)))
    with pytest.raises(NotFound):
        world.process().run()
    monkeypatch.undo()
    assert (world.state.failures, world.log) == ((), [])
    world.process().run()
    world.store(len(world.log))
    assert (world.state.state, world.state.failures) == (State.ENDED, ())


def test_a_session_that_is_deleted_meanwhile_is_left_off(
    tmp_path: Path, made: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of it by then the sink takes away when it reads it."""
    world = World(tmp_path, made)
    world.tell(fact("deadline_passed", reason="post_processing"))
    process = world.process()
    write: Callable[[Segment], None] = process._write

    def deleted_after(segment: Segment) -> None:
        write(segment)
        world.tell(fact("data_deleted"))
        process.leave_off()

    monkeypatch.setattr(process, "_write", deleted_after)
    with pytest.raises(Abandoned):
        process.run()
    assert orders_of(world.state, 3) == []
    for record in world.log:
        assert isinstance(record, Segment)
        world.sink.storing.store(record, world.sink.patience)
        world.sink.storing.forget(record, deleted(SESSION), world.sink.patience)
    assert world.sink.store.list(object_names.segments_prefix(SESSION, tracks.COMPOSED)) == []


def test_a_failure_that_cannot_be_said_is_tried_again(tmp_path: Path, made: Meeting) -> None:
    world = World(tmp_path, made)
    world.sink.store.delete(world.sink.store.list(f"sessions/{SESSION}/segments")[0].key)
    process = world.process()
    process._tools.producer.send_blocking = lambda *_: (_ for _ in ()).throw(DeliveryFailed("away"))  # type: ignore[method-assign]
    with pytest.raises(DeliveryFailed):
        process.run()
    assert world.order
    assert making.SOURCE


def test_the_fact_is_the_composers(tmp_path: Path, made: Meeting) -> None:
    world = World(tmp_path, made)
    world.process().fail("internal_error")
    [said] = world.log
    assert isinstance(said, SessionFact)
    assert (said.kind, said.source) == (FactKind.RECORDING_COMPOSING_FAILED, making.SOURCE)
