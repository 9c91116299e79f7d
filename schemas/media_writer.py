"""The hot path: media frames to Avro without a general encoder, byte for byte what `schemas.codec` would write.

The Avro files put what is constant for a track first, so a track is one prefix of bytes; what changes with each frame
is a handful of variable-length integers and the payload. A property test holds this file to the plain codec.
"""

import io

import fastavro
import msgspec

from schemas import codec, topics
from schemas.records import Audio, Video
from schemas.topics import Topic

_LOW_BITS = 14
_LOW_MASK = (1 << _LOW_BITS) - 1


def _raw(value: int) -> bytes:
    """Avro's variable-length form of a non-negative, already zig-zagged integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = tuple(_raw(value) for value in range(1 << _LOW_BITS))
_CONTINUED = tuple(bytes((value & 0x7F | 0x80, value >> 7 | 0x80)) for value in range(1 << _LOW_BITS))


def _long(value: int) -> bytes:
    """A non-negative Avro long."""
    zigzag = value << 1
    return _SMALL[zigzag] if zigzag <= _LOW_MASK else _raw(zigzag)


class _Clock:
    """Encodes slowly growing times: two table bytes and a cached rest."""

    __slots__ = ("_high", "_rest")

    def __init__(self) -> None:
        self._high = 0
        self._rest = b""

    def encode(self, value: int) -> bytes:
        zigzag = value << 1
        high = zigzag >> _LOW_BITS
        if high == 0:
            return _SMALL[zigzag]
        if high != self._high:
            self._high, self._rest = high, _raw(high)
        return _CONTINUED[zigzag & _LOW_MASK] + self._rest


def _prefix(topic: Topic, schema_id: int, constant: Audio | Video) -> bytes:
    """The encoded fields of `constant` up to `sequence`, which is the first one that changes."""
    schema = codec.parsed(topic.schema)
    assert isinstance(schema, dict)
    fields = schema["fields"]
    cut = next(index for index, field in enumerate(fields) if field["name"] == "sequence")
    head = fastavro.parse_schema(
        {**schema, "name": f"{schema['name']}Prefix", "fields": fields[:cut]}, _write_hint=False
    )
    body = io.BytesIO()
    fastavro.schemaless_writer(body, head, msgspec.to_builtins(constant, builtin_types=(bytes,)))
    return codec.framed(schema_id, body.getvalue())


class AudioTrack:
    """Writes the frames of one audio track; `constant` supplies every field but those of `write`.

    `sequence`, the times and the payload of `constant` do not matter.
    """

    __slots__ = ("_arrived", "_prefix", "_timestamp")

    def __init__(self, schema_id: int, constant: Audio) -> None:
        self._prefix = _prefix(topics.AUDIO, schema_id, constant)
        self._timestamp, self._arrived = _Clock(), _Clock()

    def write(self, sequence: int, timestamp_ms: int, arrived_us: int, payload: bytes) -> bytes:
        return b"".join(
            (
                self._prefix,
                _long(sequence),
                self._timestamp.encode(timestamp_ms),
                self._arrived.encode(arrived_us),
                _long(len(payload)),
                payload,
            )
        )


class VideoTrack:
    """Writes the frames of one video or share track; see `AudioTrack`."""

    __slots__ = ("_arrived", "_prefix", "_timestamp")

    def __init__(self, topic: Topic, schema_id: int, constant: Video) -> None:
        self._prefix = _prefix(topic, schema_id, constant)
        self._timestamp, self._arrived = _Clock(), _Clock()

    def write(self, sequence: int, timestamp_ms: int, arrived_us: int, *, key_frame: bool, payload: bytes) -> bytes:
        return b"".join(
            (
                self._prefix,
                _long(sequence),
                self._timestamp.encode(timestamp_ms),
                self._arrived.encode(arrived_us),
                b"\1" if key_frame else b"\0",
                _long(len(payload)),
                payload,
            )
        )
