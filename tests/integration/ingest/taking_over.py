"""Meetings in the middle of which their worker is lost, and what must be true of them afterwards.

Two at once, in front of a Zoom that replaces a first connection by a second one, and of one that refuses the second
until it has noticed that the first is gone. The same worker holds both: their sessions are in one partition.
"""

import asyncio
import itertools
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.rtms.protocol.codes import Medium, StopReason
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Duplicate, Rules
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.truth import ConnectionStory
from deploy.local.server import Server
from schemas.ids import partition_of, session_id
from schemas.records import AppSession, Hole, MediaRecord, RecordKind
from schemas.sessions import State
from tests.integration.ingest.conftest import PROJECT, House, wait_until
from tests.support.processes import PATIENCE_S

Simulate = Callable[..., Any]
Audio = list[tuple[int, int, bytes]]

REPLACED_S = 12.0
"""From the loss of a worker to the next connection, where that replaces the one before."""

NOTICED_S = 5.0
"""The same where Zoom refuses a second connection, from its noticing that the first one is gone."""

CHUNK_MS = 100

KEEP_ALIVE_S = 4.0
"""Less than Zoom's: three of them without an answer, and it has noticed, after 12 to 16 s in which a worker that lives
has answered, however busy it is; a loop of ours that stands still asks nothing meanwhile."""

LONG_S = 115
"""A meeting that is ended by us; as long as one in `test_outage`, whose film is there."""

GOES_ON_MS = 6_000
"""For so long a meeting is heard again before it ends."""

BOTH = (Rules(keep_alive_s=KEEP_ALIVE_S), Rules(keep_alive_s=KEEP_ALIVE_S, duplicate=Duplicate.REFUSE))


def meeting_in(house: House, number: int, seconds: int) -> MeetingRequest:
    """One whose session is in that partition; every second one's Zoom refuses a second connection."""
    rules = {"duplicate": Duplicate.REFUSE} if number % 2 else {}
    return MeetingRequest(seconds=seconds, stream_id=stream_id_in(house, number), rules=rules)


@dataclass(frozen=True, slots=True)
class Held:
    """A meeting that runs, and who holds it; `state` is as of the beginning."""

    stream: Stream
    session: str
    state: AppSession

    @property
    def worker(self) -> str:
        return self.state.worker or ""

    @property
    def is_refusing(self) -> bool:
        """Whether its Zoom refuses a second connection."""
        return self.stream.rules.duplicate is Duplicate.REFUSE

    @property
    def ready_ms(self) -> int:
        """When media began to flow to the newest client."""
        return max(story.ready_ms or 0 for story in self.stream.truth.connections)

    @property
    def connections(self) -> list[ConnectionStory]:
        """That Zoom accepted, signalling only."""
        return [story for story in self.stream.truth.connections if story.kind == "signalling" and not story.status]


async def begun(
    house: House, simulate: Simulate, *, rules: Sequence[Rules] = (Rules(),), workers: Sequence[str] = ("one", "two")
) -> list[Held]:
    """A meeting for each of `rules` in real time, some seconds old; of the workers there are, one has them all."""
    await asyncio.to_thread(house.read_everything)
    await asyncio.to_thread(house.only, *workers)
    simulators = [await simulate(speed=1.0, rules=each) for each in rules]
    return await joined(house, simulators)


async def joined(house: House, simulators: Sequence[Simulator]) -> list[Held]:
    """A meeting of each simulator, all in one worker's hands."""
    number = next(_numbers) % house.kafka.partitions
    streams = [
        await one.start(MeetingRequest(seconds=LONG_S, stream_id=stream_id_in(house, number))) for one in simulators
    ]
    sessions = [house.join(one, stream) for one, stream in zip(simulators, streams, strict=True)]
    for session in sessions:
        await house.until(session, State.CONNECTED)
    for stream in streams:
        await wait_until(lambda stream=stream: len(stream.truth.sent) > 150, PATIENCE_S, lambda: "Zoom sends nothing")
    held = [Held(stream, session, house.states[session]) for stream, session in zip(streams, sessions, strict=True)]
    assert len({each.worker for each in held}) == 1
    return held


_numbers = itertools.count()


def stream_id_in(house: House, number: int) -> str:
    """The id of a stream whose session is in that partition."""
    ids = (uuid.uuid4().hex for _ in itertools.count())
    return next(one for one in ids if partition_of(session_id(PROJECT, one), house.kafka.partitions) == number)


# --- waiting for the successor ---------------------------------------------------------------------------------------


def now_ms(meetings: Sequence[Held]) -> int:
    """What Zoom's clock says: these meetings are in real time."""
    return meetings[0].stream.clock.now_ms()


async def ready_again(house: House, held: Held, since_ms: int) -> float:
    """Seconds since then, or since Zoom's noticing if it had to notice first, until media flow to a new connection."""

    await wait_until(lambda: held.ready_ms > since_ms, PATIENCE_S, lambda: f"nobody came back\n{house.logs()[-6000:]}")
    gone_ms = [story.closed_ms for story in held.connections if story.closed_ms and held.is_refusing]
    return (held.ready_ms - max([since_ms, *gone_ms])) / 1000


async def taken_over(house: House, held: Held, since_ms: int) -> float:
    """Seconds until Zoom is answered by another worker, as `ready_again` counts."""
    took_s = await ready_again(house, held, since_ms)
    await wait_until(
        lambda: house.states[held.session].epoch > held.state.epoch, PATIENCE_S, lambda: "no new claim in the state"
    )
    print(f"{held.stream.rules.duplicate}: connected again in {took_s:.2f} s")
    return took_s


def in_time(held: Held) -> float:
    """How long the promise allows."""
    return NOTICED_S if held.is_refusing else REPLACED_S


async def let_go(house: House, worker: Server, held: Held) -> None:
    """Wait until the worker says that it has."""

    def said() -> bool:
        return any("session let go" in line and held.session in line for line in worker.log.read_text().splitlines())

    await wait_until(said, PATIENCE_S, lambda: f"it holds on\n{house.logs()[-6000:]}")


async def heard_until(meetings: Sequence[Held], at_ms: int) -> None:
    """Wait until Zoom has sent the sound of that time to whoever is connected."""
    await wait_until(
        lambda: min(held.stream.audio_sent[0] for held in meetings) > at_ms, PATIENCE_S, lambda: "Zoom sends nothing"
    )


async def end(meetings: Sequence[Held]) -> None:
    """They end at Zoom once they have been heard again for a while: however long it took until then, they went on."""
    await ended([held.stream for held in meetings])


async def ended(streams: Sequence[Stream]) -> None:
    """Zoom ends them once they have gone on for a while."""
    at_ms = streams[0].clock.now_ms() + GOES_ON_MS

    def have_gone_on() -> bool:
        return all(stream.is_over or stream.audio_sent[0] > at_ms for stream in streams)

    await wait_until(have_gone_on, PATIENCE_S, lambda: "Zoom sends nothing")
    for stream in streams:
        stream.stop(StopReason.MEETING_ENDED)


# --- what the topics and the state say -------------------------------------------------------------------------------


def heard(records: Sequence[MediaRecord]) -> Audio:
    return sorted((r.participant_id, r.timestamp_ms, r.payload) for r in records if r.kind is RecordKind.FRAME)


def spoken(stream: Stream) -> Audio:
    """All sound of the meeting; of one that was ended before its time, up to the last that Zoom sent."""
    last = stream.audio_sent if was_cut_short(stream) else (sys.maxsize, 0)
    frames = itertools.takewhile(
        lambda frame: (frame.due_ms, frame.user_id) <= last, stream.meeting.of_medium(Medium.AUDIO)
    )
    return sorted((frame.user_id, frame.timestamp_ms, frame.payload) for frame in frames)


def was_cut_short(stream: Stream) -> bool:
    """Whether it was told to end before its time, by the client or by us; to be given up by Zoom is something else."""
    return stream.was_stopped and stream.stop_reason in (StopReason.RECEIVER_REQUEST_CLOSE, StopReason.MEETING_ENDED)


def believed(media: dict[str, list[MediaRecord]]) -> dict[str, list[MediaRecord]]:
    """What readers believe: nothing of an older epoch once a newer one has begun, and nothing behind the first end."""
    return {medium: _believed(records) for medium, records in media.items()}


def _believed(records: list[MediaRecord]) -> list[MediaRecord]:
    newest, found = -1, []
    for record in records:
        newest = max(newest, record.epoch)
        if record.epoch == newest:
            found.append(record)
        if record.kind is RecordKind.END:
            break
    return found


async def holes_of(
    house: House, session: str, *media: str, causes: frozenset[str] = frozenset({"not_connected"})
) -> dict[str, list[Hole]]:
    """What the session says to be missing by medium, once something is said of all these."""
    await wait_until(
        lambda: {hole.medium for hole in house.states[session].holes} >= set(media),
        PATIENCE_S,
        lambda: f"{house.states[session].holes}\n{house.logs()[-6000:]}",
    )
    holes = house.states[session].holes
    assert {hole.cause for hole in holes} <= causes
    return {medium: [hole for hole in holes if hole.medium == medium] for medium in {hole.medium for hole in holes}}


def check_holes(stream: Stream, media: dict[str, list[MediaRecord]], holes: dict[str, list[Hole]]) -> None:
    """What Zoom had and no topic has lies in a hole; what was said before the first client was ready is no loss."""
    ready = [story for story in stream.truth.connections if story.ready_ms is not None]
    for medium in (Medium.AUDIO, Medium.VIDEO, Medium.SHARE, Medium.CHAT):
        first_ms = next(story.ready_ms or 0 for story in ready if medium in story.media)
        got = {(r.participant_id, r.timestamp_ms) for r in media[medium] if r.kind is RecordKind.FRAME}
        stated = holes.get(medium, [])
        lost = sorted(at_ms for _, at_ms in had_to_send(stream, medium) - got if at_ms > first_ms)
        outside = [at_ms for at_ms in lost if not any(hole.from_ms <= at_ms < hole.to_ms for hole in stated)]
        assert outside == [], f"{medium}: missing, and nobody says so: {outside} {stated}"


def check_silence(media: dict[str, list[MediaRecord]], holes: dict[str, list[Hole]]) -> None:
    """Each hole is as long as the topic itself is silent; of sound, also beside the chunk that ends the silence."""
    for medium in (Medium.AUDIO, Medium.VIDEO, Medium.SHARE, Medium.CHAT):
        got = [record.timestamp_ms for record in media[medium] if record.kind is RecordKind.FRAME]
        for hole in holes.get(medium, []):
            to_ms = hole.to_ms - (CHUNK_MS if medium is Medium.AUDIO else 0)
            inside = [at_ms for at_ms in got if hole.from_ms < at_ms < to_ms]
            assert inside == [], f"{medium}: there, and said to be missing"


def had_to_send(stream: Stream, medium: Medium) -> set[tuple[int, int]]:
    """Participants and times of what Zoom had to send, whoever was connected, until it ended before its time."""
    handed = {(said.medium, said.user_id, said.timestamp_ms) for said in stream.truth.sent}
    frames = [frame for each in (Medium.AUDIO, Medium.VIDEO) for frame in stream.meeting.of_medium(each)]
    last_ms = max(f.due_ms for f in frames if (f.medium, f.user_id, f.timestamp_ms) in handed)
    found = (f for f in stream.meeting.of_medium(medium) if f.due_ms <= last_ms or not was_cut_short(stream))
    return {(frame.user_id, frame.timestamp_ms) for frame in found}
