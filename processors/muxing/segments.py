"""Writes one stretch of a recording: the one place where sound is encoded. Pure: the same work, the same bytes."""

from collections.abc import Mapping
from dataclasses import replace

from processors.muxing import audio, mixing
from processors.muxing.filming import filmed
from processors.muxing.fragments import AudioRun, fragment, header, picture_header, sound_header
from processors.muxing.logic import EndWork, StretchWork
from processors.muxing.parts import Part
from processors.muxing.soundtracks import frames_of, soundtracks
from schemas import ids
from schemas import tracks as names
from schemas.records import OutputKind, Segment, TrackCount

KIND = "segment"
ENGINE = "muxing"


def segments(session_id: str, work: StretchWork) -> list[Segment]:
    """The segments of a stretch, one per part, in order, and then one of each participant's track.

    A film of shared screens is a work of its own.
    """
    work = filmed(work).work
    frame = work.frame
    if work.track == names.SHARE:
        init = picture_header(work.parameters, frame.size)
        return [_segment(session_id, work, index, init, {}) for index in range(len(work.parts))]
    sound = soundtracks(work)
    init = header(work.parameters, frame.size, frame.rate_hz) if frame.has_pictures else sound_header(frame.rate_hz)
    recording = [_segment(session_id, work, index, init, sound.mixed) for index in range(len(work.parts))]
    return recording + [_voice(session_id, work, who, packets) for who, packets in sound.apart.items()]


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
        tracks=tuple(TrackCount(track=track, count=count) for track, count in work.tracks),
        reason=names.TOO_MANY if work.is_crowded else None,
    )


def _voice(session_id: str, work: StretchWork, participant_id: int, packets: Mapping[int, bytes]) -> Segment:
    """The whole stretch of one participant's track: sound is small."""
    alone = replace(
        work,
        frame=work.frame._replace(has_pictures=False),
        parts=(Part(work.start_ms, work.end_ms, ()),),
        track=names.of_participant(participant_id),
    )
    return _segment(session_id, alone, 0, sound_header(work.frame.rate_hz), packets)


def _segment(session_id: str, work: StretchWork, index: int, init: bytes, packets: Mapping[int, bytes]) -> Segment:
    part, rate_hz = work.parts[index], work.frame.rate_hz
    frames = frames_of(part.start_ms, part.end_ms, rate_hz)
    start = frames.start * audio.FRAME - mixing.sample_at(work.origin_ms, rate_hz)
    run = AudioRun(start, [packets[number] for number in frames if number in packets])
    number = part.start_ms - work.origin_ms + 1
    is_last = index == len(work.parts) - 1
    return Segment(
        session_id=session_id,
        kind=OutputKind.ITEM if work.track == names.RECORDING else OutputKind.TRACK,
        segment_id=ids.window_id(ids.SEGMENT_PREFIX, session_id, KIND, ENGINE, work.track, part.start_ms),
        slot=work.slot,
        part=index,
        origin_ms=work.origin_ms,
        start_ms=part.start_ms,
        duration_ms=part.end_ms - part.start_ms,
        independent=_is_independent(part, has_pictures=work.frame.has_pictures),
        pictures=len(part.pictures),
        audio_samples=len(run.packets) * audio.FRAME,
        init=init,
        payload=fragment(number, part.pictures, run, work.origin_ms, work.until_ms if is_last else part.end_ms),
        track=work.track,
    )


def _is_independent(part: Part, *, has_pictures: bool) -> bool:
    return not has_pictures or (bool(part.pictures) and part.pictures[0].is_key)
