"""Pictures of stored segments, decoded one after the other and handed out by time."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

import av

from processors.composing.pieces import Piece, Sample
from processors.muxing.stills import MAX_PIXELS

_MS = Fraction(1, 1000)


class Picture(NamedTuple):
    """What is shown from a time on; None: nothing."""

    time_ms: int
    frame: av.VideoFrame | None


class Film:
    """What `pieces` show; they are asked for when they are needed, the first one begins with a key frame."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._coming = _decoded(pieces)
        self._next: Picture | None = next(self._coming, None)

    def before(self, end_ms: int) -> Iterator[Picture]:
        """The pictures that begin before a time and were not handed out yet, in order."""
        while self._next is not None and self._next.time_ms < end_ms:
            yield self._next
            self._next = next(self._coming, None)


def _decoded(pieces: Iterable[Piece]) -> Iterator[Picture]:
    """In the order of showing, which is not that of decoding."""
    context: av.VideoCodecContext | None = None
    black = deque[int]()
    for piece in pieces:
        context = context or _decoder(piece.configuration)
        for sample in piece.samples:
            if sample.is_black:
                black.append(sample.time_ms)
            yield from _shown(context, _packet(sample), black)
    if context is not None:
        yield from _shown(context, None, black)


def _shown(
    context: av.VideoCodecContext, packet: "av.Packet[av.stream.Stream] | None", black: deque[int]
) -> Iterator[Picture]:
    try:
        frames = context.decode(packet)
    except av.FFmpegError:
        return  # the one before is shown on
    for frame in frames:
        time_ms = int(frame.pts or 0)
        is_black = time_ms in black
        while black and black[0] <= time_ms:
            black.popleft()
        yield Picture(time_ms, None if is_black else frame)


def _packet(sample: Sample) -> "av.Packet[av.stream.Stream]":
    packet = av.Packet(sample.data)
    packet.pts, packet.dts, packet.time_base = sample.time_ms, sample.decode_ms, _MS
    return packet


def _decoder(configuration: bytes) -> av.VideoCodecContext:
    context = av.CodecContext.create("h264", "r")
    assert isinstance(context, av.VideoCodecContext)
    context.extradata, context.thread_count = configuration, 1
    context.options = {"max_pixels": str(MAX_PIXELS)}  # a decoder may hold 16 of them
    return context
