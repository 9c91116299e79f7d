"""Stretches that were coded one by one sound like one that was coded in one go."""

import io

import av
import numpy as np
import pytest

from processors.muxing import audio
from processors.muxing.mixing import Samples

RATE = 16_000


def voice(seconds: int) -> Samples:
    """Something with the pulses, the glides and the pauses of a voice."""
    rng = np.random.default_rng(7)
    time = np.arange(seconds * RATE) / RATE
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    harmonics = sum(np.sin(n * pitch) / n * (1 + np.sin(2 * np.pi * (0.3 + 0.11 * n) * time)) for n in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time) + 0.4, 0, 1)
    wave = 5000 * harmonics * syllables / 2 + rng.normal(0, 40, len(time))
    return np.clip(wave, -32768, 32767).astype(np.int16)


def cut(pcm: Samples, frames: range) -> Samples:
    first, count = audio.samples_for(frames)
    padded = np.concatenate([np.zeros(max(0, -first), np.int16), pcm, np.zeros(8 * audio.FRAME, np.int16)])
    begin = max(first, 0)
    return padded[begin : begin + count]


def decode(packets: list[bytes]) -> np.ndarray:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = audio.decoder_config(RATE)
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def level_db(error: np.ndarray, signal: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(error**2) / np.mean(signal**2)))


def test_joints_cannot_be_heard() -> None:
    pcm = voice(20)
    total = range(len(pcm) // audio.FRAME)
    whole = decode(audio.encode(cut(pcm, total), total, RATE))
    packets: list[bytes] = []
    for first in range(0, total.stop, 62):
        part = range(first, min(first + 62, total.stop))
        packets += audio.encode(cut(pcm, part), part, RATE)
    pieces = decode(packets)
    assert len(packets) == len(total)
    assert level_db(pieces - whole, whole) < -50
    joints = np.concatenate([np.arange(k * 1024 - 2048, k * 1024 + 2048) for k in range(62, total.stop - 4, 62)])
    truth = pcm[joints] / 32768
    assert level_db(pieces[joints] - truth, truth) < level_db(whole[joints] - truth, truth) + 0.5


def test_a_frame_is_heard_at_its_own_samples() -> None:
    pcm = np.zeros(64 * audio.FRAME, np.int16)
    pcm[20 * audio.FRAME + 300 :] = voice(5)[: len(pcm) - 20 * audio.FRAME - 300]
    sound = decode(audio.encode(cut(pcm, range(10, 60)), range(10, 60), RATE))
    begin = 10 * audio.FRAME
    best = max(
        range(-40, 41), key=lambda shift: np.dot(sound[12_000:40_000], pcm[begin + shift :][12_000:40_000] / 1.0)
    )
    assert best == 0


def test_the_same_samples_yield_the_same_bytes() -> None:
    frames = range(5, 40)
    pcm = cut(voice(4), frames)
    assert audio.encode(pcm, frames, RATE) == audio.encode(pcm, frames, RATE)


def test_nothing_to_encode() -> None:
    assert audio.encode(np.zeros(0, np.int16), range(3, 3), RATE) == []


def test_frames_belong_to_the_stretch_in_which_they_start() -> None:
    assert audio.frames_between(0, 2048) == range(0, 2)
    assert audio.frames_between(1, 2049) == range(1, 3)
    assert audio.frames_between(1025, 2048) == range(2, 2)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_the_decoder_configuration_is_what_the_encoder_says(rate: int) -> None:
    output = av.open(io.BytesIO(), "w", format="mp4")
    stream = output.add_stream("aac", rate=rate, layout="mono")
    stream.codec_context.open()
    assert (stream.codec_context.extradata or b"")[:2] == audio.decoder_config(rate)
    output.close()


def test_rates_that_fit_into_the_file() -> None:
    assert audio.is_rate(16_000)
    assert not audio.is_rate(96_000)
    assert not audio.is_rate(12_345)


def test_silence_is_what_the_encoder_makes_of_silence() -> None:
    frames = range(27_500_001, 27_500_064)
    nothing = np.zeros(audio.samples_for(frames)[1], np.int16)
    assert audio.encode(nothing, frames, 16_000) == list(audio.silence(len(frames), 16_000))
