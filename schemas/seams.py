"""What is missing of a medium between two connections: decided here for all who see both sides. Pure.

Zoom keeps audio while nobody is connected and sends it to the next connection; whatever else it sent meanwhile is lost.
Where the second side begins with silence, what stood between cannot be known, so the hole is the longest that it can
be: up to the new connection and the moment in which Zoom hears of it. Audio alone can be whole: after a hand-over, for
then Zoom was told by a close, everything that it had sent by then was read, and from then on it keeps all of it.

Nobody knows who else was about to speak. Where everybody's sound comes apart, what lies beside the last chunk of the
one connection and beside the first of the other may be lost with the rest, so a hole of sound takes them in.
"""

from dataclasses import dataclass
from typing import Self

from schemas.records import Audio, Codec, Hole, MediaRecord
from schemas.topics import AUDIO, SHARE, VIDEO

CAUSE = "not_connected"

ALL_BUT_OVER_MS = 3_000
"""What nobody heard of the end of a session is this short where Zoom closed the sockets before it said why."""

PACKET_MS = 20
"""How long a chunk is in all codecs but L16, as Zoom sends them."""

TAKES_WORD_MS = 250
"""So long after a client has said that it is ready, Zoom may not have heard it and may still be sending to nobody."""

_PICTURES = frozenset({VIDEO.medium, SHARE.medium})


@dataclass(frozen=True, slots=True)
class First:
    """A new connection's first frame. `beside_ms`: so much of somebody else's may lie beside it."""

    at_ms: int
    beside_ms: int = 0

    @classmethod
    def of(cls, frame: MediaRecord) -> Self:
        is_one_of_many = isinstance(frame, Audio) and frame.participant_id
        return cls(frame.timestamp_ms, (sound_ms(frame) or PACKET_MS) if is_one_of_many else 0)


def hole(medium: str, through_ms: int, begun_ms: int, first: First | None, *, handed_over: bool = False) -> Hole | None:
    """What is missing between `through_ms`, up to which the medium was received, and a connection made at `begun_ms`.

    `first` is None where the new connection said by a tick or an end that there was no frame yet. `handed_over`: of
    sound, nothing was on its way when the old connection was closed.
    """
    if medium == AUDIO.medium:
        to_ms = through_ms if handed_over else _heard_again_ms(through_ms, begun_ms, first)
    elif medium in _PICTURES and first is not None:
        to_ms = first.at_ms
    else:
        to_ms = _told_again_ms(begun_ms, first)
    return Hole(medium=medium, from_ms=through_ms, to_ms=to_ms, cause=CAUSE) if to_ms > through_ms else None


def _heard_again_ms(through_ms: int, begun_ms: int, first: First | None) -> int:
    """From when on all sound is there: Zoom's buffer goes on where it began, or with the new connection."""
    if first is None or first.at_ms > begun_ms:
        return begun_ms
    return through_ms if first.at_ms <= through_ms else first.at_ms + first.beside_ms


def _told_again_ms(begun_ms: int, first: First | None) -> int:
    """From when on all of a medium is there that Zoom does not keep: it has to hear that somebody is ready."""
    sure_ms = begun_ms + TAKES_WORD_MS
    return sure_ms if first is None else max(begun_ms, min(sure_ms, first.at_ms))


def unheard_end(medium: str, through_ms: int, ended_ms: int) -> Hole | None:
    """What is missing where nobody was connected any more when the session ended; nothing, if it was all but over."""
    if ended_ms - through_ms <= ALL_BUT_OVER_MS:
        return None
    return Hole(medium=medium, from_ms=through_ms, to_ms=ended_ms, cause=CAUSE)


def told_ms(record: MediaRecord) -> int:
    """Through when the medium is known if this record is the last: to the end of sound that is everybody's."""
    is_everybodys = isinstance(record, Audio) and not record.participant_id
    return record.timestamp_ms + (sound_ms(record) if is_everybodys else 0)


def sound_ms(record: MediaRecord) -> int:
    """How long a chunk of audio is; 0 where only decoding it would tell, and of what is no sound."""
    if not isinstance(record, Audio):
        return 0
    per_second = _SAMPLE_BYTES.get(record.codec, 0) * record.sample_rate_hz * record.channels
    return len(record.payload) * 1000 // per_second if per_second > 0 else 0


_SAMPLE_BYTES = {Codec.L16: 2, Codec.G711: 1}
