"""Whether a meeting went through the cluster as promised, on the simulator's own word for what it sent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.truth import ConnectionStory
from schemas.records import Hole, RecordKind
from tests.cluster.meetings import Held, Meetings
from tests.integration.ingest.conftest import check_envelope
from tests.integration.ingest.taking_over import check_holes, check_silence, heard, spoken

HOLE_MS = 3000


class Account(NamedTuple):
    """What became of one meeting. `unheard_ms`: how long nobody listened, move by move; `hole_ms`: video's longest."""

    frames: int
    unheard_ms: list[int]
    hole_ms: int

    def __str__(self) -> str:
        told = ", ".join(f"{unheard} ms" for unheard in self.unheard_ms)
        moved = f"moved {len(self.unheard_ms)} times, unheard for {told}" if self.unheard_ms else "never moved"
        return f"{self.frames} frames, {moved}; sound complete, longest hole of pictures {self.hole_ms} ms"


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
    account = Account(frames, _unheard_ms(held.stream.truth.connections), _longest_ms(holes.get("video", [])))
    assert bool(account.unheard_ms) == bool(holes), f"{account}, and yet: {holes}"
    # Of what is sent now and then nobody knows when it was lost: such holes are as long as they can be (ADR 12).
    assert max(*account.unheard_ms, account.hole_ms, 0) <= HOLE_MS, f"{account}: at most {HOLE_MS} ms"
    return account


def _unheard_ms(stories: list[ConnectionStory]) -> list[int]:
    """Between one connection for pictures and the next, which is the longest that anything was not heard."""
    media = sorted((story for story in stories if Medium.VIDEO in story.media and story.ready_ms), key=_ready_ms)
    return [_ready_ms(after) - (before.closed_ms or 0) for before, after in pairwise(media)]


def _ready_ms(story: ConnectionStory) -> int:
    return story.ready_ms or 0


def _longest_ms(holes: list[Hole]) -> int:
    return max((hole.to_ms - hole.from_ms for hole in holes), default=0)


def _check_told(told: dict[str, Any], holes: dict[str, list[Hole]]) -> None:
    assert told["recording_state"] == "complete", told["recording_state"]
    incomplete = {medium for medium, entry in told["completeness"].items() if not entry["complete"]}
    assert incomplete == set(holes), f"the API says that {incomplete} are incomplete, the log {set(holes)}"


def _by_medium(holes: tuple[Hole, ...]) -> dict[str, list[Hole]]:
    assert {hole.cause for hole in holes} <= {"not_connected"}, holes
    return {medium: [hole for hole in holes if hole.medium == medium] for medium in {hole.medium for hole in holes}}
