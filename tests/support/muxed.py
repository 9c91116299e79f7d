"""Runs meetings through the real checkpoint engine and the real muxing, and takes recordings apart again."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from processors.checkpoint.missing import Missing
from processors.checkpoint.sessions import Session, SessionKey
from processors.muxing import segments
from processors.muxing.logic import EndWork, MuxingLogic, StretchWork
from schemas import tracks
from schemas.records import MediaRecord, OutputKind, Segment
from schemas.topics import AUDIO, SHARE, VIDEO
from tests.support.media import silent

SESSION = "app_0123456789abcdef"


def written(session_id: str, work: object) -> list[Segment]:
    """The records of one work; that nothing was received for a while is a fact and no part of a recording."""
    if isinstance(work, Missing):
        return []
    if isinstance(work, EndWork):
        return [segments.end(session_id, work)]
    assert isinstance(work, StretchWork)
    stretches = [work, work.film] if work.film else [work]
    return [segment for stretch in stretches for segment in segments.segments(session_id, stretch)]


def muxed(
    audio: Sequence[MediaRecord],
    video: Sequence[MediaRecord],
    session: str = SESSION,
    *,
    share: Sequence[MediaRecord] | None = None,
    works: list[StretchWork] | None = None,
) -> list[Segment]:
    """All segments of a meeting and its end, with one topic read before the other; without `share` nobody shares.

    What was written of is added to `works`.
    """
    engine = Session(SessionKey(0, session), MuxingLogic())
    outputs = []
    for topic, records in (
        (SHARE.name, silent(session) if share is None else share),
        (AUDIO.name, audio),
        (VIDEO.name, video),
    ):
        for offset, record in enumerate(records):
            waiting = engine.feed(topic, offset, record, 1)
            while waiting:
                window = waiting.pop(0)
                outputs += written(session, window.work)
                if works is not None and isinstance(window.work, StretchWork):
                    works.append(window.work)
                waiting += engine.done(window)
    return outputs


def joined(parts: Sequence[Segment], track: str = tracks.RECORDING) -> bytes:
    """One playable file of the recording itself or of a track: the first header and all media."""
    items = items_of(parts, track)
    return items[0].init + b"".join(item.payload for item in items)


def items_of(parts: Sequence[Segment], track: str = tracks.RECORDING) -> list[Segment]:
    """The segments of the recording itself or of a track, in order."""
    kind = OutputKind.ITEM if track == tracks.RECORDING else OutputKind.TRACK
    return [part for part in parts if part.kind is kind and part.track == track]


@dataclass
class Decoded:
    """What a player gets: luma per picture with its time, and the sound; times in seconds from the start."""

    times: list[float] = field(default_factory=list)
    lumas: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    decode_times: list[int] = field(default_factory=list)
    audio: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    audio_start: float = 0.0
    errors: list[str] = field(default_factory=list)

    def mean_at(self, time_s: float) -> float:
        """How bright the picture shown at a time is."""
        shown = [luma for at, luma in zip(self.times, self.lumas, strict=True) if at <= time_s + 1e-6]
        return float(shown[-1].mean())

    def flashes(self, threshold: float = 180.0) -> list[float]:
        """When the picture turned white."""
        bright = [float(luma.mean()) > threshold for luma in self.lumas]
        return [at for index, at in enumerate(self.times) if bright[index] and (index == 0 or not bright[index - 1])]

    def beeps(self, rate_hz: int = 16_000, hz: int = 1000) -> list[float]:
        """When the beep's tone set in: by its share of the power in windows of 4 ms."""
        step, window = rate_hz // 2000, rate_hz // 250
        tone = np.exp(-2j * np.pi * hz * np.arange(window) / rate_hz) / window
        levels = abs(np.lib.stride_tricks.sliding_window_view(self.audio, window)[::step] @ tone)
        loud = np.flatnonzero(levels > 0.1)
        onsets = loud[np.diff(loud, prepend=-rate_hz) * step > rate_hz // 5]
        return [float(self.audio_start + (onset * step + window / 2) / rate_hz) for onset in onsets]

    def rms(self, from_s: float, to_s: float, rate_hz: int = 16_000) -> float:
        first, last = (int((at - self.audio_start) * rate_hz) for at in (from_s, to_s))
        return float(np.sqrt(np.mean(self.audio[first:last] ** 2)))


def decoded(source: bytes | Path, **options: Any) -> Decoded:
    """Decode everything; what the decoder complains of is in `errors`."""
    result = Decoded()
    av.logging.set_level(av.logging.WARNING)
    with av.logging.Capture() as complaints:
        with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), **options) as container:
            sound: list[Any] = []
            for packet in container.demux():
                if packet.stream.type == "video" and packet.dts is not None:
                    result.decode_times.append(packet.dts)
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        assert frame.time is not None
                        result.times.append(frame.time)
                        result.lumas.append(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
                    elif isinstance(frame, av.AudioFrame):
                        if not sound:
                            result.audio_start = float(frame.time or 0.0)
                        sound.append(frame.to_ndarray()[0])
            if sound:
                result.audio = np.concatenate(sound)
    av.logging.set_level(None)
    result.errors = [f"{name}: {text.strip()}" for level, name, text in complaints if level <= av.logging.WARNING]
    return result
