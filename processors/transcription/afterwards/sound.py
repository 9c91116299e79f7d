"""One participant's stored sound, piece by piece, as the chunks that a meeting would have sent. Pure.

A piece that goes on where the one before ended is decoded by the same decoder, as a player would; behind a gap, and
behind what cannot be read, a new one begins.
"""

import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from processors.muxing.audio import FRAME, frames_between
from processors.muxing.mixing import sample_at
from schemas.object_names import StoredSegment
from schemas.records import Audio, Codec, RecordKind

CHUNK_MS = 500
_FULL_SCALE = 32_768


class Unreadable(ValueError):
    """No sound can be made of a piece."""


class Voice:
    """Decodes one participant's pieces, in the order of time."""

    def __init__(self, session_id: str, participant_id: int) -> None:
        self._session_id, self._participant_id = session_id, participant_id
        self._context: av.AudioCodecContext | None = None
        self._before: StoredSegment | None = None
        self._sequence = 0

    def chunks(self, piece: StoredSegment, header: bytes, media: bytes) -> list[Audio]:
        """The piece's chunks, each with the time of its first sample. Raises Unreadable."""
        goes_on = self._before is not None and (self._before.end_ms, self._before.header) == (
            piece.start_ms,
            piece.header,
        )
        self._before = None
        try:
            rate_hz, samples = self._decoded(header + media, goes_on=goes_on)
        except (av.FFmpegError, ValueError, IndexError) as error:
            self._context = None
            raise Unreadable(type(error).__name__) from None
        self._before = piece
        return list(self._cut(piece, rate_hz, samples))

    def _decoded(self, file: bytes, *, goes_on: bool) -> "tuple[int, np.ndarray[Any, np.dtype[np.int16]]]":
        with av.open(io.BytesIO(file), "r", format="mp4") as source:
            stream = source.streams.audio[0]
            if self._context is None or not goes_on:
                self._context = _context(stream.codec_context)
            heard = [
                frame.to_ndarray()[0]
                for packet in source.demux(stream)
                if packet.dts is not None
                for frame in self._context.decode(packet)
            ]
            rate_hz = int(stream.codec_context.sample_rate)
        if not heard:
            raise ValueError("no sound in it")
        scaled = np.rint(np.concatenate(heard) * _FULL_SCALE)
        return rate_hz, np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)

    def _cut(
        self, piece: StoredSegment, rate_hz: int, samples: "np.ndarray[Any, np.dtype[np.int16]]"
    ) -> Iterator[Audio]:
        """The first frame is the first of the absolute grid that begins in the piece (`processors.muxing.audio`)."""
        first = frames_between(sample_at(piece.start_ms, rate_hz), sample_at(piece.end_ms, rate_hz)).start * FRAME
        length = max(1, CHUNK_MS * rate_hz // 1000 // FRAME) * FRAME
        for start in range(0, len(samples), length):
            self._sequence += 1
            yield Audio(
                session_id=self._session_id,
                kind=RecordKind.FRAME,
                participant_id=self._participant_id,
                epoch=0,
                sequence=self._sequence,
                timestamp_ms=(first + start) * 1000 // rate_hz,
                arrived_us=0,
                codec=Codec.L16,
                sample_rate_hz=rate_hz,
                channels=1,
                payload=samples[start : start + length].astype("<i2", copy=False).tobytes(),
            )


def _context(of: av.AudioCodecContext) -> av.AudioCodecContext:
    context = av.CodecContext.create("aac", "r")
    assert isinstance(context, av.AudioCodecContext)
    context.extradata = of.extradata
    return context
