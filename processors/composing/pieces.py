"""A stored segment taken apart: its pictures as they are encoded, and its sound. Nothing is decoded. Pure."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import av

from processors.muxing.bits import BitReader, unescaped
from processors.muxing.black import SPS_ID
from processors.muxing.fragments import AudioRun
from processors.muxing.h264 import Nal, kind
from schemas.object_names import StoredSegment

_MS = Fraction(1, 1000)
_FRAGMENT = b"moof"


class Unreadable(ValueError):
    """Nothing can be made of a segment."""


class Sample(NamedTuple):
    """An encoded picture as an MP4 holds it; `is_black`: nothing was there to be shown."""

    time_ms: int
    decode_ms: int
    is_key: bool
    is_black: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment's media. `configuration` is what a decoder of its pictures needs, `rate_hz` is 0 without sound."""

    segment: StoredSegment
    samples: tuple[Sample, ...]
    sound: AudioRun
    rate_hz: int
    configuration: bytes

    @property
    def is_independent(self) -> bool:
        """Whether it can be played by itself."""
        return self.samples[:1] != () and self.samples[0].is_key


def piece(segment: StoredSegment, header: bytes, media: bytes, origin_ms: int) -> Piece:
    """Its pictures in the order of decoding. Raises Unreadable."""
    if media[4:8] != _FRAGMENT:  # the library takes rubbish behind a header for nothing at all
        raise Unreadable("no fragment")
    try:
        with av.open(io.BytesIO(header + media), "r", format="mp4") as source:
            samples, packets = list[Sample](), list[tuple[int, bytes]]()
            for packet in source.demux():
                if packet.pts is None or packet.dts is None:
                    continue
                if packet.stream.type == "video":
                    samples.append(_sample(packet, origin_ms))
                else:
                    packets.append((packet.pts, bytes(packet)))
            rates = [int(stream.codec_context.sample_rate) for stream in source.streams.audio]
            configurations = [stream.codec_context.extradata or b"" for stream in source.streams.video]
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise Unreadable(type(error).__name__) from None
    start = packets[0][0] if packets else 0
    sound = AudioRun(start, [data for _, data in packets])
    return Piece(segment, tuple(samples), sound, next(iter(rates), 0), next(iter(configurations), b""))


def _sample(packet: "av.Packet[av.stream.Stream]", origin_ms: int) -> Sample:
    scale = Fraction(packet.time_base or 0) / _MS
    data = bytes(packet)
    return Sample(
        time_ms=origin_ms + round((packet.pts or 0) * scale),
        decode_ms=origin_ms + round((packet.dts or 0) * scale),
        is_key=packet.is_keyframe,
        is_black=any(_is_of_black(nal) for nal in _nals(data)),
        data=data,
    )


def _nals(data: bytes) -> Iterable[bytes]:
    """The NAL units in a sample."""
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _is_of_black(nal: bytes) -> bool:
    """Whether it is the sequence parameter set that our black pictures alone have."""
    if not nal or kind(nal) != Nal.SPS:
        return False
    reader = BitReader(unescaped(nal[1:]))
    try:
        reader.bits(24)  # profile, constraints, level
        return reader.unsigned() == SPS_ID
    except ValueError:
        return False
