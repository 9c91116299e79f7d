"""Meetings as RTMS sends them: a camera at 720p25, 1.5 Mbit/s of H.264 in two slices a picture, and three who talk.

The pictures are encoded once, 20 s of them, and shown again and again: whoever decodes or copies them cannot tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import av
import numpy as np
import numpy.typing as npt

from schemas.records import Audio, Codec, MediaRecord, RecordKind, Video
from schemas.topics import AUDIO, SHARE, VIDEO, Topic
from tests.support.media import START_MS, control
from tests.support.spoken import RATE_HZ, voice

WIDTH, HEIGHT, FPS = 1280, 720, 25
BITS_PER_S = 1_500_000
KEY_EVERY_S = 10
FILM_S = 20
MINUTE_MS = 60_000
PICTURES_PER_MINUTE = 60 * FPS
TALKERS = (1, 2, 3)
CHUNK_MS = 100
TICK_MS = 1000
_TOPICS = ((AUDIO, Audio), (VIDEO, Video), (SHARE, Video))

Written = tuple[Topic, MediaRecord]
Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Minute:
    """The frames of one minute from START_MS on, in the order in which they are sent."""

    frames: tuple[Written, ...]

    @property
    def h264(self) -> bytes:
        """The pictures as one Annex-B stream."""
        return b"".join(frame.payload for _, frame in self.frames if isinstance(frame, Video))

    def mixed_pcm(self) -> bytes:
        """Everybody's sound added up: 16 kHz, mono, 16 bit."""
        total = sum(np.frombuffer(_voice(who), "<i2").astype(np.int32) for who in TALKERS)
        return np.clip(total, -32768, 32767).astype("<i2").tobytes()


@cache
def minute() -> Minute:
    """The only one; it takes some seconds to make."""
    frames: list[Written] = [(AUDIO, chunk) for chunk in _chunks()]
    frames += [(VIDEO, picture) for picture in _pictures()]
    return Minute(tuple(sorted(frames, key=lambda frame: frame[1].timestamp_ms)))


def meeting(session_id: str, minutes: int) -> Iterator[Written]:
    """All topics of a whole session, from `begin` to `end`, in order of time; nobody shares a screen."""
    for topic, of in _TOPICS:
        yield topic, control(session_id, RecordKind.BEGIN, START_MS, of=of)
    per_minute = {topic: sum(of is topic for of, _ in minute().frames) for topic in (AUDIO, VIDEO)}
    quiet_ms = START_MS
    for number in range(minutes):
        for topic, frame in minute().frames:
            if (at_ms := frame.timestamp_ms + number * MINUTE_MS) >= quiet_ms + TICK_MS:
                quiet_ms = at_ms
                yield SHARE, control(session_id, RecordKind.TICK, quiet_ms, of=Video)
            yield (
                topic,
                replace(
                    frame,
                    session_id=session_id,
                    sequence=frame.sequence + number * per_minute[topic],
                    timestamp_ms=at_ms,
                ),
            )
    for topic, of in _TOPICS:
        yield topic, control(session_id, RecordKind.END, START_MS + minutes * MINUTE_MS, of=of)


def _voice(participant_id: int) -> bytes:
    return voice(MINUTE_MS, seed=participant_id)


def _chunks() -> Iterator[Audio]:
    """All talk all the time."""
    step = 2 * RATE_HZ * CHUNK_MS // 1000
    for number in range(MINUTE_MS // CHUNK_MS):
        at_ms = START_MS + number * CHUNK_MS
        for place, who in enumerate(TALKERS, 1):
            yield Audio(
                session_id="", kind=RecordKind.FRAME, epoch=1, sequence=number * len(TALKERS) + place,
                timestamp_ms=at_ms, arrived_us=at_ms * 1000, participant_id=who, codec=Codec.L16,
                sample_rate_hz=RATE_HZ, channels=1, payload=_voice(who)[number * step : (number + 1) * step],
            )  # fmt: skip


def _pictures() -> Iterator[Video]:
    """A minute of the film, over and over."""
    film = _film()
    for index in range(PICTURES_PER_MINUTE):
        is_key, payload = film[index % len(film)]
        at_ms = START_MS + index * 1000 // FPS
        yield Video(
            session_id="", kind=RecordKind.FRAME, epoch=1, sequence=index + 1, timestamp_ms=at_ms,
            arrived_us=at_ms * 1000, participant_id=1, codec=Codec.H264, key_frame=is_key, payload=payload,
        )  # fmt: skip


def _film() -> list[tuple[bool, bytes]]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = BITS_PER_S * 23 // 20  # without looking ahead it stays below what it is asked for
    rate = f"vbv-maxrate={BITS_PER_S // 500}:vbv-bufsize={BITS_PER_S // 500}"
    shape = f"keyint={KEY_EVERY_S * FPS}:scenecut=0:bframes=0:slices=2:repeat-headers=1"
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": f"{shape}:{rate}"}
    packets = [packet for picture in _camera(FILM_S * FPS) for packet in encoder.encode(picture)]
    packets += encoder.encode(None)
    return [(bool(packet.is_keyframe), bytes(packet)) for packet in packets]


def _camera(count: int) -> Iterator[av.VideoFrame]:
    """Somebody who moves and turns before a wall, seen by a camera with the noise of a sensor."""
    dice = np.random.default_rng(1)
    wall, person = _texture(dice, HEIGHT, WIDTH), _texture(dice, 2 * HEIGHT, WIDTH)
    noises = [dice.normal(0, 2, (HEIGHT, WIDTH)).astype(np.float32) for _ in range(8)]
    colours = [_texture(dice, HEIGHT // 2, WIDTH // 2) * 0.1 + 115 for _ in range(2)]
    height, width = 2 * HEIGHT // 3, WIDTH // 3
    for index in range(count):
        luma = wall + noises[index % len(noises)]
        left = round(WIDTH / 3 + 40 * np.sin(index / 23))
        turn = round(60 + 60 * np.sin(index / 31)), round(100 + 100 * np.sin(index / 17))
        luma[HEIGHT - height :, left : left + width] = person[turn[0] :, turn[1] :][:height, :width]
        planes = [plane.clip(16, 235).astype(np.uint8).reshape(-1, WIDTH) for plane in (luma, *colours)]
        frame = av.VideoFrame.from_ndarray(np.concatenate(planes), format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        yield frame


def _texture(dice: np.random.Generator, height: int, width: int) -> Plane:
    """Light and shade of all sizes, as nature has them: twice the size, twice the contrast."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf
    plane = np.fft.irfft2(np.fft.rfft2(dice.normal(0, 1, (height, width))) / frequency, (height, width))
    return np.asarray(120 + 40 * plane / plane.std(), np.float32)
