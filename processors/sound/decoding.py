"""Payloads into samples, for all that hear: one channel at the format's own rate.

G.722 and Opus decoders remember what they have heard, and no checkpoint could hold that. But they forget, too: a second
after two of them began to hear the same packets they give the same samples, bit for bit. So whoever needs a stretch
decodes it by a decoder of its own that also hears what was before it, and every replay gives what the first run gave
(ADR 24).
"""

from typing import Protocol

import av
import numpy as np
import numpy.typing as npt

from processors.sound import alaw
from processors.sound.formats import AudioFormat
from schemas.records import Codec

Samples = npt.NDArray[np.int16]

LEAD_IN_MS = 1_000
"""After this nothing is left of how a decoder began."""

_LITTLE_ENDIAN = np.dtype("<i2")
_DECODERS = {Codec.G722: "g722", Codec.OPUS: "libopus"}
_LAYOUTS = {1: "mono", 2: "stereo"}


class Decoder(Protocol):
    """Hears one speaker's payloads, in the order of time."""

    def samples(self, payload: bytes) -> Samples:
        """Exactly `AudioFormat.length` samples; silence where the payload cannot be decoded."""


def decoder(audio: AudioFormat) -> Decoder:
    """A fresh one for a format that is known."""
    return _Remembering(audio) if audio.has_memory else _Forgetful(audio)


class _Forgetful:
    """Of codecs whose every sample stands for itself."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio

    def samples(self, payload: bytes) -> Samples:
        length, channels = self._audio.length(payload), self._audio.channels
        if self._audio.codec is Codec.G711:
            return _mono(alaw.decoded(payload[: length * channels]), channels)
        return _mono(np.frombuffer(payload, _LITTLE_ENDIAN, length * channels), channels)


class _Remembering:
    """Of codecs that predict."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        context = av.CodecContext.create(_DECODERS[audio.codec], "r")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate, context.layout = audio.sample_rate_hz, _LAYOUTS[audio.channels]
        self._context = context

    def samples(self, payload: bytes) -> Samples:
        samples = np.zeros(self._audio.length(payload), np.int16)
        if not len(samples):  # an empty packet would be the decoder's last
            return samples
        try:
            frames = self._context.decode(av.Packet(payload))
        except (av.FFmpegError, ValueError):
            return samples
        heard = [_mono(frame.to_ndarray().reshape(-1).astype(np.int16), self._audio.channels) for frame in frames]
        told = np.concatenate(heard)[: len(samples)] if heard else samples[:0]
        samples[: len(told)] = told
        return samples


def _mono(samples: Samples, channels: int) -> Samples:
    """The mean of all channels."""
    if channels == 1:
        return samples
    means: Samples = (samples.reshape(-1, channels).astype(np.int32).sum(axis=1) // channels).astype(np.int16)
    return means
