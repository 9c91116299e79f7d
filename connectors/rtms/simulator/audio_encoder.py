"""Samples into what Zoom calls raw Opus, G.711 and G.722: one packet for each chunk of 20 ms, without any framing."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from fractions import Fraction
from typing import Any

import av
import numpy as np

from connectors.rtms.simulator.speech import Samples

OPUS_BITS_PER_S = 48_000


class AudioCodec(StrEnum):
    """L16 is 16-bit little-endian samples as they are, G.711 its A-law."""

    L16 = "l16"
    G711 = "g711"
    G722 = "g722"
    OPUS = "opus"


_ENCODERS = {AudioCodec.G711: "pcm_alaw", AudioCodec.G722: "g722", AudioCodec.OPUS: "libopus"}


def _context(codec: AudioCodec, rate_hz: int, channels: int) -> Any:
    context: Any = av.CodecContext.create(_ENCODERS[codec], "w")
    context.sample_rate, context.format = rate_hz, "s16"
    context.layout = "mono" if channels == 1 else "stereo"
    context.time_base = Fraction(1, rate_hz)
    if codec is AudioCodec.OPUS:
        context.bit_rate = OPUS_BITS_PER_S
        context.options = {"frame_duration": "20", "application": "audio"}
    return context


def encode(chunks: Iterable[Samples], codec: AudioCodec, rate_hz: int, channels: int) -> Iterator[bytes]:
    """A packet for each chunk, in their order: one encoder's run, as one unmuted microphone has it."""
    if codec is AudioCodec.L16:
        for samples in chunks:
            yield _interleaved(samples, channels).astype("<i2").tobytes()
        return
    context = _context(codec, rate_hz, channels)
    at = 0
    for samples in chunks:
        frame: Any = av.AudioFrame.from_ndarray(
            _interleaved(samples, channels)[np.newaxis, :], format="s16", layout=context.layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, at, context.time_base
        at += len(samples)
        (packet,) = context.encode(frame)
        yield bytes(packet)


def _interleaved(samples: Samples, channels: int) -> Samples:
    return np.repeat(samples, channels) if channels > 1 else np.ascontiguousarray(samples)
