"""Whether a meeting went through the cluster as promised, on the simulator's own word for what it sent."""

from __future__ import annotations

from typing import Any, NamedTuple

from connectors.rtms.protocol.codes import Medium
from schemas.records import Hole, RecordKind
from tests.cluster.meetings import Held, Meetings
from tests.support.hand_overs import check_envelope, check_holes, check_silence, heard, spoken

HOLE_MS = 3000


class Account(NamedTuple):
    """What became of one meeting; `holes_ms` are the longest by medium."""

    moves: int
    holes_ms: dict[str, int]
    frames: int


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
    moves = len({record.epoch for record in media["audio"]}) - 1
    frames = sum(record.kind is RecordKind.FRAME for records in media.values() for record in records)
    longest = {medium: max(hole.to_ms - hole.from_ms for hole in found) for medium, found in holes.items()}
    assert all(length <= HOLE_MS for length in longest.values()), f"longer than {HOLE_MS} ms: {longest}"
    assert moves or not holes, f"it never moved, and yet: {holes}"
    return Account(moves, longest, frames)


def _check_told(told: dict[str, Any], holes: dict[str, list[Hole]]) -> None:
    assert told["recording_state"] == "complete", told["recording_state"]
    incomplete = {medium for medium, entry in told["completeness"].items() if not entry["complete"]}
    assert incomplete == set(holes), f"the API says that {incomplete} are incomplete, the log {set(holes)}"


def _by_medium(holes: tuple[Hole, ...]) -> dict[str, list[Hole]]:
    assert {hole.cause for hole in holes} <= {"not_connected"}, holes
    return {medium: [hole for hole in holes if hole.medium == medium] for medium in {hole.medium for hole in holes}}
