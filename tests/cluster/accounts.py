"""Whether a meeting went through the cluster as promised, on the simulator's own word for what it sent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.truth import ConnectionStory
from schemas.records import Hole, RecordKind
from tests.cluster.meetings import Held, Meetings
from tests.integration.ingest.conftest import check_envelope
from tests.integration.ingest.taking_over import check_holes, check_silence, had_to_send, heard, spoken

MISSING_MS = 3000


class Account(NamedTuple):
    """What became of one meeting.

    `unheard_ms`: how long nobody listened, move by move. `missing_ms`: from the first to the last picture of those that
    one hole took; the hole itself may reach over a while in which nobody's camera was on.
    """

    frames: int
    unheard_ms: list[int]
    missing_ms: int

    def __str__(self) -> str:
        told = ", ".join(f"{unheard} ms" for unheard in self.unheard_ms)
        moved = f"moved {len(self.unheard_ms)} times, unheard for {told}" if self.unheard_ms else "never moved"
        return f"{self.frames} frames, {moved}; sound complete, pictures are missing for {self.missing_ms} ms at most"


async def settled(meetings: Meetings, held: Held) -> Account:
    """Wait for the meeting's end and hold the log against what was sent. Raises AssertionError."""
    told = await meetings.ended(held)
    media = await meetings.media(held.session)
    check_envelope(media)
    assert heard(media["audio"]) == spoken(held.stream), "audio is not complete, or something is there twice"
    sent = {(s.user_id, s.timestamp_ms) for s in held.stream.truth.sent if s.medium is Medium.VIDEO}
    assert {(u, t) for u, t, _ in heard(media["video"])} == sent, "pictures that Zoom sent are missing"
    holes = _by_medium((await meetings.state(held.session)).holes)
    check_holes(held.stream, media, holes)
    check_silence(media, holes)
    _check_told(told, holes)
    frames = sum(record.kind is RecordKind.FRAME for records in media.values() for record in records)
    missing_ms = _missing_ms(held.stream, sent, holes.get("video", []))
    account = Account(frames, _unheard_ms(held.stream.truth.connections), missing_ms)
    assert bool(account.unheard_ms) == bool(holes), f"{account}, and yet: {holes}"
    assert max(*account.unheard_ms, account.missing_ms, 0) <= MISSING_MS, f"{account}: at most {MISSING_MS} ms"
    return account


def _unheard_ms(stories: list[ConnectionStory]) -> list[int]:
    """Between one connection for pictures and the next, which is the longest that anything was not heard."""
    media = sorted((story for story in stories if Medium.VIDEO in story.media and story.ready_ms), key=_ready_ms)
    return [_ready_ms(after) - (before.closed_ms or 0) for before, after in pairwise(media)]


def _ready_ms(story: ConnectionStory) -> int:
    return story.ready_ms or 0


def _missing_ms(stream: Stream, sent: set[tuple[int, int]], holes: list[Hole]) -> int:
    missing = sorted(at_ms for _, at_ms in had_to_send(stream, Medium.VIDEO) - sent)
    taken = ([at_ms for at_ms in missing if hole.from_ms <= at_ms <= hole.to_ms] for hole in holes)
    return max((times[-1] - times[0] for times in taken if times), default=0)


def _check_told(told: dict[str, Any], holes: dict[str, list[Hole]]) -> None:
    assert told["recording_state"] == "complete", told["recording_state"]
    incomplete = {medium for medium, entry in told["completeness"].items() if not entry["complete"]}
    assert incomplete == set(holes), f"the API says that {incomplete} are incomplete, the log {set(holes)}"


def _by_medium(holes: tuple[Hole, ...]) -> dict[str, list[Hole]]:
    assert {hole.cause for hole in holes} <= {"not_connected"}, holes
    return {medium: [hole for hole in holes if hole.medium == medium] for medium in {hole.medium for hole in holes}}
