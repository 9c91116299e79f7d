"""Sound that a voice detector takes for speech, and a session's audio topic made of it.

Real speech is in `readings`; this is cheap, as long as wanted, and loud or silent exactly where a test says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from schemas import settings as session_settings
from schemas.records import Audio, Begin, Caption, Codec, MediaRecord, RecordKind
from schemas.settings import Engine, SessionSettings

RATE_HZ = 16_000
START_MS = 1_700_000_000_000
BOTH = SessionSettings(engines=(Engine.MOONSHINE, Engine.ZOOM))
WITH_PARTIALS = SessionSettings(engines=(Engine.MOONSHINE,), engine_options='{"moonshine":{"partials":true}}')
DICTATED = SessionSettings(engines=(Engine.DEEPGRAM,), engine_options='{"deepgram":{"partials":true}}')


@cache
def voice(ms: int, seed: int = 0, rate_hz: int = RATE_HZ) -> bytes:
    """A humming voice: harmonics of a wavering pitch, swelling four times a second, over a little noise."""
    seconds = np.arange(ms * rate_hz // 1000) / rate_hz
    phase = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 2.3 * seconds + seed)) / rate_hz
    sound = sum(np.sin(k * phase) / (1 + abs(k * 120 - 600) / 300) for k in range(1, 25))
    sound = np.asarray(sound) * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * seconds))
    noise = np.random.default_rng(seed).normal(0, 30, len(seconds))
    return (sound * 1500 + noise).astype("<i2").tobytes()


def silence(ms: int, rate_hz: int = RATE_HZ) -> bytes:
    return bytes(2 * (ms * rate_hz // 1000))


@dataclass(frozen=True)
class Microphone:
    """One participant's open microphone from `from_ms` on; elsewhere they are muted and send nothing."""

    participant_id: int
    from_ms: int
    pcm: bytes
    name: str | None = None
    chunk_ms: int = 100
    codec: Codec = Codec.L16
    rate_hz: int = RATE_HZ
    channels: int = 1

    def chunks(self) -> Iterator[tuple[int, bytes]]:
        """Time and payload of each."""
        step = 2 * self.channels * self.rate_hz * self.chunk_ms // 1000
        for number, place in enumerate(range(0, len(self.pcm), step)):
            yield self.from_ms + number * self.chunk_ms, self.pcm[place : place + step]


def begin(
    session_id: str, at_ms: int, epoch: int = 1, settings: SessionSettings = BOTH, project_id: str = ""
) -> MediaRecord:
    content = Begin("worker", session_settings.dumps(settings), "{}", project_id)
    return _control(session_id, RecordKind.BEGIN, at_ms, epoch, content)


def tick(session_id: str, through_ms: int, epoch: int = 1) -> MediaRecord:
    return _control(session_id, RecordKind.TICK, through_ms, epoch)


def end(session_id: str, at_ms: int, epoch: int = 1) -> MediaRecord:
    return _control(session_id, RecordKind.END, at_ms, epoch)


def _control(session_id: str, kind: RecordKind, at_ms: int, epoch: int, content: Begin | None = None) -> MediaRecord:
    return MediaRecord(
        session_id=session_id, kind=kind, epoch=epoch, begin=content, sequence=0, timestamp_ms=at_ms, arrived_us=0
    )


def frames(session_id: str, microphones: Iterable[Microphone], epoch: int = 1) -> list[Audio]:
    """All chunks in the order in which they leave Zoom: by the time at which they are complete."""
    chunks = [
        (at_ms + mic.chunk_ms, mic.participant_id, at_ms, payload, mic)
        for mic in microphones
        for at_ms, payload in mic.chunks()
    ]
    rows = sorted(chunks, key=lambda row: row[:3])
    return [
        Audio(
            session_id=session_id, kind=RecordKind.FRAME, epoch=epoch, sequence=number, timestamp_ms=at_ms,
            arrived_us=0, participant_id=mic.participant_id, participant_name=mic.name, codec=mic.codec,
            sample_rate_hz=mic.rate_hz, channels=mic.channels, payload=payload,
        )
        for number, (_, _, at_ms, payload, mic) in enumerate(rows)
    ]  # fmt: skip


def caption(session_id: str, sequence: int, at_ms: int, text: str, epoch: int = 1) -> Caption:
    return Caption(
        session_id=session_id, kind=RecordKind.FRAME, epoch=epoch, sequence=sequence, timestamp_ms=at_ms, arrived_us=0,
        participant_id=1, participant_name="Ada", start_ms=at_ms, end_ms=at_ms + 900, language=9, text=text,
    )  # fmt: skip


def topic(
    session_id: str,
    records: Sequence[MediaRecord],
    *,
    until_ms: int,
    settings: SessionSettings = BOTH,
    project_id: str = "",
) -> list[MediaRecord]:
    """A topic as a connector worker writes it: begin, the frames with ticks where all are silent, end."""
    rows = [begin(session_id, START_MS, settings=settings, project_id=project_id)]
    through_ms, epoch = START_MS, 1
    for record in records:
        while through_ms + 1000 < record.timestamp_ms:
            through_ms += 1000
            rows.append(tick(session_id, through_ms, epoch))
        if record.epoch > epoch:
            epoch = record.epoch
            rows.append(begin(session_id, record.timestamp_ms, epoch, settings, project_id))
        through_ms = max(through_ms, record.timestamp_ms)
        rows.append(record)
    while through_ms + 1000 < until_ms:
        through_ms += 1000
        rows.append(tick(session_id, through_ms, epoch))
    return [*rows, end(session_id, until_ms, epoch)]
