"""Writes one stretch of a recording: the one place where sound is encoded. Pure: the same work, the same bytes."""

from collections.abc import Sequence

from processors.muxing import audio, mixing
from processors.muxing.filming import filmed
from processors.muxing.fragments import AudioRun, fragment, header, sound_header
from processors.muxing.logic import EndWork, StretchWork
from processors.muxing.parts import Part
from schemas import ids
from schemas.records import OutputKind, Segment

KIND = "segment"
ENGINE = "muxing"


def segments(session_id: str, work: StretchWork) -> list[Segment]:
    """The segments of a stretch, one per part, in order."""
    work = filmed(work).work
    rate_hz = work.frame.rate_hz
    frames = _frames(work.start_ms, work.end_ms, rate_hz)
    first, count = audio.samples_for(frames)
    packets: Sequence[bytes] = (
        audio.encode(mixing.mix(work.chunks, first, count, rate_hz), frames, rate_hz)
        if work.chunks
        else audio.silence(len(frames), rate_hz)
    )
    has_pictures = work.frame.has_pictures
    init = header(work.parameters, work.frame.size, rate_hz) if has_pictures else sound_header(rate_hz)
    return [
        _segment(session_id, work, index, init, dict(zip(frames, packets, strict=True)))
        for index in range(len(work.parts))
    ]


def end(session_id: str, work: EndWork) -> Segment:
    """The session's last word: what a complete recording consists of."""
    return Segment(
        session_id=session_id,
        kind=OutputKind.END,
        segment_id=ids.window_id(ids.SEGMENT_PREFIX, session_id, "end", ENGINE, "", 0),
        origin_ms=work.origin_ms,
        start_ms=work.origin_ms,
        duration_ms=work.duration_ms,
        count=work.count,
    )


def _segment(session_id: str, work: StretchWork, index: int, init: bytes, packets: dict[int, bytes]) -> Segment:
    part, rate_hz = work.parts[index], work.frame.rate_hz
    frames = _frames(part.start_ms, part.end_ms, rate_hz)
    start = frames.start * audio.FRAME - mixing.sample_at(work.origin_ms, rate_hz)
    run = AudioRun(start, [packets[number] for number in frames])
    number = part.start_ms - work.origin_ms + 1
    is_last = index == len(work.parts) - 1
    return Segment(
        session_id=session_id,
        kind=OutputKind.ITEM,
        segment_id=ids.window_id(ids.SEGMENT_PREFIX, session_id, KIND, ENGINE, "", part.start_ms),
        slot=work.slot,
        part=index,
        origin_ms=work.origin_ms,
        start_ms=part.start_ms,
        duration_ms=part.end_ms - part.start_ms,
        independent=_is_independent(part, has_pictures=work.frame.has_pictures),
        pictures=len(part.pictures),
        audio_samples=len(frames) * audio.FRAME,
        init=init,
        payload=fragment(number, part.pictures, run, work.origin_ms, work.until_ms if is_last else part.end_ms),
    )


def _frames(start_ms: int, end_ms: int, rate_hz: int) -> range:
    return audio.frames_between(mixing.sample_at(start_ms, rate_hz), mixing.sample_at(end_ms, rate_hz))


def _is_independent(part: Part, *, has_pictures: bool) -> bool:
    return not has_pictures or (bool(part.pictures) and part.pictures[0].is_key)
