"""Meetings with real media: H.264 that a decoder must like, sound with a beep at every flash, and what to expect.

Pictures are encoded by x264 (which the services never do), small and with two slices each. Everything is drawn from
arguments, so a meeting is the same in every run.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
import numpy.typing as npt

from schemas import settings as session_settings
from schemas.records import Audio, Begin, Codec, MediaRecord, RecordKind, Video
from schemas.settings import SessionSettings

RATE_HZ = 16_000
START_MS = 1_760_000_000_000
FLASH_MS = 100
BEEP_HZ = 1000

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Shot:
    """A camera that is on for [from_ms, to_ms); key frames stand every `key_every` pictures, from the first one on.

    `flashes_ms` are absolute times from which the picture is white for FLASH_MS, rounded up to the next picture.
    """

    from_ms: int
    to_ms: int
    participant_id: int = 1
    width: int = 320
    height: int = 180
    fps: int = 25
    key_every: int = 50
    flashes_ms: tuple[int, ...] = ()
    grey: int = 90
    b_pictures: int = 0
    header_in_band: bool = True
    skip: int = 0

    def times(self) -> list[int]:
        count = (self.to_ms - self.from_ms) * self.fps // 1000
        return [self.from_ms + index * 1000 // self.fps for index in range(count)]

    def is_white(self, at_ms: int) -> bool:
        return any(flash <= at_ms < flash + FLASH_MS for flash in self.flashes_ms)


@lru_cache(maxsize=64)
def encoded(shot: Shot) -> tuple[tuple[int, bool, bytes], ...]:
    """Time, key frame, access unit, in the order of sending; `skip` leaves the first ones out."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = shot.width, shot.height, "yuv420p"
    encoder.time_base = Fraction(1, 1000)
    encoder.framerate = Fraction(shot.fps)
    options = f"keyint={shot.key_every}:scenecut=0:bframes={shot.b_pictures}:slices=2:repeat-headers=1:threads=1"
    encoder.options = {"preset": "ultrafast", "crf": "30", "x264-params": options}
    if not shot.b_pictures:
        encoder.options |= {"tune": "zerolatency"}
    packets = [packet for at_ms in shot.times() for packet in encoder.encode(drawn(shot, at_ms))]
    packets += encoder.encode(None)
    units = [(int(p.pts or 0) + shot.from_ms, bool(p.is_keyframe), bytes(p)) for p in packets]
    return tuple(units[shot.skip :])


def drawn(shot: Shot, at_ms: int) -> av.VideoFrame:
    """Grey with a bar that moves, or white; the bar says where in time a picture belongs."""
    luma = np.full((shot.height, shot.width), 235 if shot.is_white(at_ms) else shot.grey, np.uint8)
    bar = (at_ms // 40) % (shot.width // 8)
    luma[: shot.height // 4, bar * 8 : bar * 8 + 8] = 200
    chroma = np.full((shot.height // 2, shot.width), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
    frame.pts, frame.time_base = at_ms - shot.from_ms, Fraction(1, 1000)
    return frame


@dataclass(frozen=True)
class Talk:
    """One participant's sound for [from_ms, to_ms): a hum of `hum_hz` (0 = none) and a beep at `beeps_ms`."""

    from_ms: int
    to_ms: int
    participant_id: int = 1
    hum_hz: int = 220
    level: int = 3000
    beeps_ms: tuple[int, ...] = ()
    chunk_ms: int = 100
    rate_hz: int = RATE_HZ
    channels: int = 1
    jitter_ms: int = 0

    def samples(self) -> Samples:
        """The whole talk as one channel."""
        count = (self.to_ms - self.from_ms) * self.rate_hz // 1000
        seconds = np.arange(count) / self.rate_hz
        wave = self.level * np.sin(2 * np.pi * self.hum_hz * seconds) if self.hum_hz else np.zeros(count)
        for beep in self.beeps_ms:
            first = (beep - self.from_ms) * self.rate_hz // 1000
            part = slice(first, first + FLASH_MS * self.rate_hz // 1000)
            wave[part] = 14_000 * np.sin(2 * np.pi * BEEP_HZ * (seconds[part] - seconds[first]))
        return wave.round().astype("<i2")

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        samples = np.repeat(self.samples(), self.channels)
        step = self.chunk_ms * self.rate_hz // 1000 * self.channels
        for index in range(0, len(samples), step):
            at_ms = self.from_ms + index // step * self.chunk_ms
            wobble = (index // step * 7919 % (2 * self.jitter_ms + 1)) - self.jitter_ms
            yield at_ms + wobble, samples[index : index + step].astype("<i2").tobytes()


def _shared(session_id: str, at_ms: int, epoch: int, sequence: int, participant_id: int) -> dict[str, object]:
    return {
        "session_id": session_id,
        "kind": RecordKind.FRAME,
        "epoch": epoch,
        "sequence": sequence,
        "timestamp_ms": at_ms,
        "arrived_us": at_ms * 1000,
        "participant_id": participant_id,
    }


def control(
    session_id: str,
    kind: RecordKind,
    at_ms: int,
    *,
    epoch: int = 1,
    settings: SessionSettings | None = None,
    of: type[MediaRecord] = MediaRecord,
) -> MediaRecord:
    """A control record, of the class that its topic holds."""
    begin = None
    if kind is RecordKind.BEGIN:
        begin = Begin("worker", session_settings.dumps(settings or SessionSettings()), "{}")
    return of(session_id=session_id, kind=kind, epoch=epoch, begin=begin, sequence=0, timestamp_ms=at_ms, arrived_us=0)


def video_records(session_id: str, shots: Iterable[Shot], epoch: int = 1) -> list[Video]:
    """The pictures of all shots, in the order given."""
    units = [(shot, unit) for shot in shots for unit in encoded(shot)]
    return [
        Video(
            **_shared(session_id, at_ms, epoch, number, shot.participant_id),  # type: ignore[arg-type]
            codec=Codec.H264, key_frame=is_key, payload=data,
        )
        for number, (shot, (at_ms, is_key, data)) in enumerate(units, 1)
    ]  # fmt: skip


def audio_records(session_id: str, talks: Iterable[Talk], epoch: int = 1) -> list[Audio]:
    """The chunks of all talks, in order of time."""
    chunks = sorted(
        (at_ms, talk.participant_id, data, talk) for talk in talks for at_ms, data in talk.chunks()
    )  # fmt: skip
    return [
        Audio(
            **_shared(session_id, at_ms, epoch, number, talk.participant_id),  # type: ignore[arg-type]
            codec=Codec.L16, sample_rate_hz=talk.rate_hz, channels=talk.channels, payload=data,
        )
        for number, (at_ms, _, data, talk) in enumerate(chunks, 1)
    ]  # fmt: skip


def wrapped(
    session_id: str, frames: Sequence[MediaRecord], *, begin_ms: int = START_MS, settings: SessionSettings | None = None
) -> list[MediaRecord]:
    """A topic as a worker writes it: a begin for each epoch, the frames with ticks in their silences, end."""
    of = type(frames[0]) if frames else MediaRecord
    records = [control(session_id, RecordKind.BEGIN, begin_ms, settings=settings, of=of)]
    now_ms, epoch = begin_ms, 1
    for frame in frames:
        if frame.epoch > epoch:
            epoch = frame.epoch
            records.append(control(session_id, RecordKind.BEGIN, now_ms, epoch=epoch, settings=settings, of=of))
        for tick_ms in range(now_ms + 1000, frame.timestamp_ms - 100, 1000):
            records.append(control(session_id, RecordKind.TICK, tick_ms, epoch=epoch, of=of))
        now_ms = max(now_ms, frame.timestamp_ms)
        records.append(frame)
    records.append(control(session_id, RecordKind.END, now_ms, epoch=epoch, of=of))
    return records


def silent(session_id: str, settings: SessionSettings | None = None) -> list[MediaRecord]:
    """A topic of pictures on which nothing ever comes."""
    return [
        control(session_id, RecordKind.BEGIN, START_MS, settings=settings, of=Video),
        control(session_id, RecordKind.END, START_MS, of=Video),
    ]
