"""What is missing of a medium between two connections: decided here for all who see both sides. Pure.

Zoom keeps audio while nobody is connected and sends it to the next connection; whatever else it sent meanwhile is lost.
Where the second side begins with silence, what stood between cannot be known, so the hole is the longest that it can
be: up to the new connection. Only audio is believed complete across a short silence: that was a hand-over, of which
Zoom was told by a close, and from the close on it keeps all of it.
"""

from schemas.records import Audio, Codec, Hole, MediaRecord
from schemas.topics import AUDIO, SHARE, VIDEO

CAUSE = "not_connected"

HAND_OVER_MS = 3_000
"""No hand-over takes longer, and no loss of a worker is noticed sooner."""

REPEATED_MS = 250
"""Audio that goes on within this is taken for whole: nobody sends anything in a pause between two words, chunks jitter,
and those of most codecs do not say how long they are."""

_PICTURES = frozenset({VIDEO.medium, SHARE.medium})


def hole(medium: str, through_ms: int, begun_ms: int, frame_ms: int | None) -> Hole | None:
    """What is missing between `through_ms`, up to which the medium was received, and a connection made at `begun_ms`.

    `frame_ms` is the new connection's first frame, None where it said by a tick or an end that there was none yet.
    """
    to_ms = _resumed_ms(medium, through_ms, begun_ms, frame_ms)
    return Hole(medium=medium, from_ms=through_ms, to_ms=to_ms, cause=CAUSE) if to_ms > through_ms else None


def _resumed_ms(medium: str, through_ms: int, begun_ms: int, frame_ms: int | None) -> int:
    if medium == AUDIO.medium:
        if frame_ms is not None and frame_ms <= begun_ms:
            return frame_ms if frame_ms - through_ms > REPEATED_MS else through_ms
        return begun_ms if begun_ms - through_ms > HAND_OVER_MS else through_ms
    if medium in _PICTURES and frame_ms is not None:
        return frame_ms
    return begun_ms


def unheard_end(medium: str, through_ms: int, ended_ms: int) -> Hole | None:
    """What is missing where nobody was connected any more when the session ended; nothing, if it was all but over."""
    if ended_ms - through_ms <= HAND_OVER_MS:
        return None
    return Hole(medium=medium, from_ms=through_ms, to_ms=ended_ms, cause=CAUSE)


def end_ms(record: MediaRecord) -> int:
    """Until when a record tells about its medium: the end of its sound, where it is known how long that is."""
    if isinstance(record, Audio):
        return record.timestamp_ms + sound_ms(record.codec, len(record.payload), record.sample_rate_hz, record.channels)
    return record.timestamp_ms


def sound_ms(codec: Codec, size_bytes: int, rate_hz: int, channels: int) -> int:
    """How long a chunk of audio is; 0 where only decoding it would tell."""
    per_second = _SAMPLE_BYTES.get(codec, 0) * rate_hz * channels
    return size_bytes * 1000 // per_second if per_second > 0 else 0


_SAMPLE_BYTES = {Codec.L16: 2, Codec.G711: 1}
