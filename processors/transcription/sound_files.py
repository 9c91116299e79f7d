"""An utterance as a file that a speech service takes: 16 kHz, mono. The same samples, the same bytes."""

import io
import wave

import av
import numpy as np

from connectors.speech.exchange import FileType
from processors.sound.decoding import Samples
from processors.transcription.pcm import RECOGNISER_RATE_HZ, resampled

MP3_BITS_PER_S = 64_000


def sound_file(pcm: bytes, sample_rate_hz: int, kind: FileType) -> bytes:
    """`pcm` is little endian 16-bit mono. Takes a while: not for the loop."""
    samples = resampled(np.frombuffer(pcm, dtype="<i2"), sample_rate_hz)
    return _mp3(samples) if kind is FileType.MP3 else _wav(samples)


def _wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RECOGNISER_RATE_HZ)
        written.writeframes(samples.astype("<i2", copy=False).tobytes())
    return file.getvalue()


def _mp3(samples: Samples) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", "mp3") as written:
        stream = written.add_stream("libmp3lame", rate=RECOGNISER_RATE_HZ, layout="mono")
        stream.bit_rate = MP3_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RECOGNISER_RATE_HZ, 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            written.mux(packet)
    return file.getvalue()
