"""Zoom's media messages as WebSocket frames, made beforehand but for their time: sending them costs next to nothing.

Pure.
"""

import random
import re
import struct
from dataclasses import dataclass

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import MessageType

AUDIO_20_MS = 640
AUDIO_100_MS = 3200
PICTURE = 20 * 1024
"""Bytes of one payload: mono L16 at 16 kHz, and a picture of 4 Mbit/s at 25 a second."""

GROUP = 50
"""Pictures from key frame to key frame."""

_STAMP_DIGITS = 13
_ANY_STAMP = 10 ** (_STAMP_DIGITS - 1)
_FIN_TEXT = 0x81
_PARAMETER_SETS = bytes.fromhex("000000016742c01fda014016e8400000000168ce3c80")
_SEED = 20


@dataclass(frozen=True, slots=True)
class Stamped:
    """One WebSocket frame around the 13 digits of its timestamp."""

    head: bytes
    tail: bytes

    def at(self, stamp_ms: int) -> bytes:
        """The frame as Zoom would send it now."""
        return b"%b%d%b" % (self.head, stamp_ms, self.tail)


def audio(participant: int, size: int) -> Stamped:
    """A chunk of one participant's voice."""
    payload = random.Random(_SEED + participant).randbytes(size)
    return _stamped(MessageType.MEDIA_DATA_AUDIO, participant, payload)


def picture(participant: int, size: int, *, key_frame: bool) -> Stamped:
    """An H.264 access unit with two slices; a key frame brings its parameter sets along."""
    head, kind = (_PARAMETER_SETS, 5) if key_frame else (b"", 1)
    slices = [b"\0\0\0\1" + bytes((0x60 | kind,)) + _slice(participant + half, size // 2) for half in range(2)]
    return _stamped(MessageType.MEDIA_DATA_VIDEO, participant, (head + b"".join(slices))[:size])


def pictures(participant: int, size: int) -> list[Stamped]:
    """One group of pictures."""
    key, other = (picture(participant, size, key_frame=is_key) for is_key in (True, False))
    return [key, *[other] * (GROUP - 1)]


def _slice(seed: int, size: int) -> bytes:
    """What an encoder makes of a moving picture: noise without start codes."""
    return re.sub(rb"\0\0[\0-\3]", b"\1\2\3", random.Random(seed).randbytes(size))


def _stamped(kind: MessageType, participant: int, payload: bytes) -> Stamped:
    text = messages.media_data(
        kind, user_id=participant, user_name=f"Participant {participant}", timestamp_ms=_ANY_STAMP, payload=payload
    )
    head, _, tail = text.partition(str(_ANY_STAMP).encode())
    return Stamped(_frame_head(len(text)) + head, tail)


def _frame_head(length: int) -> bytes:
    """Of an unmasked text message in one frame."""
    if length < 126:
        return struct.pack("!BB", _FIN_TEXT, length)
    if length < 2**16:
        return struct.pack("!BBH", _FIN_TEXT, 126, length)
    return struct.pack("!BBQ", _FIN_TEXT, 127, length)
