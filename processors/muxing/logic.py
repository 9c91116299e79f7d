"""What muxing decides: which records make up the next stretch of a session's recording, and when they are all here.

There is one track a session. Its windows are stretches of time without a hole between them: see `slots` for where they
end, `pictures` for what they show. What the past has to say about a stretch is carried from window to window, in order
of time, so that the order in which audio and video were read cannot show. Nothing here encodes or writes.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from processors.checkpoint.folds import FOREVER_MS, Fold, Json, Slack
from processors.checkpoint.windows import Cut, Entry, Observed, Progress, Track
from processors.muxing import mixing, pictures
from processors.muxing.chains import SentPicture
from processors.muxing.mixing import Chunk, Ends
from processors.muxing.parts import Part, parts
from processors.muxing.pictures import Shared, Shown, Stretch
from processors.muxing.recordings import Frame, Recording
from processors.muxing.slots import REORDER_MS, Slot, audio_from, origin_before, reaches
from processors.muxing.stills import CODECS as STILL_CODECS
from processors.muxing.stills import still
from processors.muxing.tracks import Tracks, film, hear
from schemas import tracks as names
from schemas.records import Audio, Codec, MediaRecord, RecordKind, Video
from schemas.topics import AUDIO, MAX_RECORD_BYTES, SHARE, VIDEO

TRACK = "recording"

SLACK_MS = 2000
"""How far a chunk or picture may lag behind the newest of its topic: a chunk's own second, and one of Zoom's."""

SOUND_AFTER_TICK_MS = 1000
"""How far a chunk may lag behind a tick. Transcription needs ticks of the sound that are early, so these are as close
behind Zoom as a chunk is long: what a Zoom that is held up for a moment sends after its pong is still heard here."""

MAX_RECORDING_MS = 48 * 3_600_000
"""Longer than a session may last. A stray time must not make a recording of black that never ends."""

MAX_PICTURE_BYTES = MAX_RECORD_BYTES // 2
"""A larger picture is left out: its segment would fit into no record."""


@dataclass(frozen=True, slots=True)
class StretchWork:
    """All that is needed to write one stretch of a recording.

    `parameters` are the stream's parameter sets; `dropped` pictures were sent and could not be shown. The last picture
    is shown until `until_ms`. `participants` have a segment of their own beside it. `film` is the same of the shared
    screens' track, where that has a segment: pictures alone.
    """

    frame: Frame
    slot: int
    origin_ms: int
    start_ms: int
    end_ms: int
    parts: tuple[Part, ...]
    parameters: tuple[bytes, ...]
    chunks: tuple[Chunk, ...]
    dropped: int = 0
    until_ms: int = 0
    participants: tuple[int, ...] = ()
    film: "StretchWork | None" = None
    track: str = names.RECORDING


@dataclass(frozen=True, slots=True)
class EndWork:
    """The recording is complete; without any media `count` is 0. `tracks` says how many segments each one has."""

    origin_ms: int
    duration_ms: int
    count: int
    tracks: tuple[tuple[str, int], ...] = ()
    is_crowded: bool = False


class _Next(NamedTuple):
    """What the next stretch of a recording that has begun is made with; it changes with a cut alone."""

    recording: Recording
    slot: Slot
    seen_ms: int


class MuxingLogic:
    """See `checkpoint.windows.Logic`."""

    topics: tuple[str, ...] = (AUDIO.name, VIDEO.name, SHARE.name)
    clocks: Mapping[str, Slack] = {
        AUDIO.name: Slack(SLACK_MS, SOUND_AFTER_TICK_MS),
        VIDEO.name: Slack(SLACK_MS),
        SHARE.name: Slack(SLACK_MS),
    }
    answers_for: tuple[str, ...] = topics

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        if record.kind is RecordKind.BEGIN and record.begin is not None:
            return Observed(Frame.from_begin(record.begin.settings).to_json())
        return Observed(part)

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        return TRACK if Frame.from_json(part).takes(topic) and is_usable(record) else None

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        if isinstance(track.scratch, _Next) and watermark_ms < track.scratch.seen_ms:
            return track.scratch.seen_ms  # as after most records
        if track.progress.carry is None and not track.entries:
            return FOREVER_MS + 1
        recording, slot = _next(track)
        if slot.start_ms - recording.origin_ms >= MAX_RECORDING_MS:
            return _over(track)
        ready_ms = slot.seen_ms if watermark_ms < slot.seen_ms else _ready_ms(track, slot)
        if watermark_ms < ready_ms:
            return ready_ms
        seen_ms = slot.seen_ms
        seen = [entry for entry in track.entries if entry.record.timestamp_ms < seen_ms]
        cut = _cut(recording, slot, seen)
        keep_from_ms = max(cut.progress.keep_from_ms, track.progress.keep_from_ms)
        return replace(cut, progress=replace(cut.progress, keep_from_ms=keep_from_ms))

    def final(self, folds: Mapping[str, Fold], progress: Mapping[str, Progress]) -> object | None:
        if not all(Frame.from_json(fold.part).is_wanted for fold in folds.values()):
            return None
        last = progress.get(TRACK)
        if last is None or last.carry is None:
            return EndWork(0, 0, 0)
        recording = Recording.from_json(last.carry)
        duration_ms = last.through_ms - recording.origin_ms - (last.keep_from_ms == FOREVER_MS)
        counts = tuple(sorted(recording.tracks.counts.items()))
        return EndWork(recording.origin_ms, duration_ms, recording.count, counts, recording.tracks.is_crowded)


def is_usable(record: MediaRecord) -> bool:
    """Whether a frame can become part of a recording."""
    match record:
        case Audio():
            return mixing.is_usable(record)
        case Video():
            return 0 < len(record.payload) <= MAX_PICTURE_BYTES and _is_picture(record)
        case _:
            return False


def _is_picture(video: Video) -> bool:
    if video.codec in STILL_CODECS:
        return still(video.codec, video.payload) is not None
    return video.codec is Codec.H264


def _next(track: Track) -> tuple[Recording, Slot]:
    """The recording so far, and the slot of its next stretch."""
    if track.progress.carry is not None:
        if isinstance(track.scratch, _Next):
            return track.scratch.recording, track.scratch.slot
        recording = Recording.from_json(track.progress.carry)
        start_ms = anchor_ms = track.progress.through_ms
    else:
        first = track.entries[0]
        frame = Frame.from_json(first.before.part)
        anchor_ms = first.record.timestamp_ms
        start_ms = origin_before(anchor_ms, frame.rate_hz)
        recording = Recording(frame, start_ms, audio_from_ms=start_ms)
    grid_ms = recording.frame.grid_ms
    slot = Slot(anchor_ms // grid_ms, start_ms, grid_ms, recording.frame.rate_hz)
    if track.progress.carry is not None:
        track.scratch = _Next(recording, slot, slot.seen_ms)
    return recording, slot


def _ready_ms(track: Track, slot: Slot) -> int:
    """The watermark at which the stretch is complete: its own records and one that says that it is part of the
    recording. Without any such the recording ends before it, as far as is known."""
    following = next((e.record for e in track.entries if reaches(e.record, slot.start_ms)), None)
    if following is None:
        return FOREVER_MS + 1
    return max(slot.seen_ms, following.timestamp_ms + 1)


def _over(track: Track) -> Cut | int:
    """Whatever comes is left out."""
    before = track.progress
    if before.keep_from_ms >= FOREVER_MS:
        return FOREVER_MS + 1
    return Cut(replace(before, through_ms=before.through_ms + 1, keep_from_ms=FOREVER_MS), None)


def _cut(recording: Recording, slot: Slot, entries: Sequence[Entry]) -> Cut:
    frame, start_ms = recording.frame, slot.start_ms
    records = [entry.record for entry in entries]
    screens = _videos(entries, SHARE.name)
    end_ms, is_pause = slot.boundary(records, screens, shows_shared=frame.shows_share)
    is_first = start_ms == recording.origin_ms
    stretch = Stretch(start_ms, end_ms, is_first, resumes=not is_first and recording.audio_from_ms == start_ms)
    shown = _shown(recording, _videos(entries, VIDEO.name), screens if frame.shows_share else (), stretch)
    shown, in_parts = _parted(shown, stretch, is_pause=is_pause)
    audio_from_ms = end_ms if is_pause else max(audio_from(end_ms, frame.rate_hz), recording.audio_from_ms)
    chunks, ends = _heard(recording, records, audio_from_ms)
    work = StretchWork(
        frame=frame,
        slot=slot.number,
        origin_ms=recording.origin_ms,
        start_ms=start_ms,
        end_ms=end_ms,
        parts=in_parts,
        parameters=shown.parameters,
        chunks=tuple(chunks),
        dropped=shown.dropped - recording.dropped,
        until_ms=shown.until_ms,
    )
    work, tracks = _beside(work, recording.tracks, (stretch, screens), is_pause=is_pause)
    after = replace(
        recording,
        count=recording.count + len(work.parts),
        chain=shown.chain,
        share=shown.share,
        ends=ends,
        audio_from_ms=audio_from_ms,
        tracks=tracks,
    )
    keep_from_ms = end_ms if is_pause else min(audio_from_ms, end_ms - REORDER_MS)
    return Cut(Progress(end_ms, keep_from_ms, after.to_json()), work)


def _parted(shown: Shown, stretch: Stretch, *, is_pause: bool) -> tuple[Shown, tuple[Part, ...]]:
    """The parts of a stretch, and what it shows as far as there was room for it."""
    in_parts, left_out = parts(shown.pictures, stretch.start_ms, stretch.end_ms)
    if left_out:
        shown = shown.without_last(left_out)
    return shown.paused(stretch.end_ms) if is_pause else shown, in_parts


def _beside(
    work: StretchWork, tracks: Tracks, seen: tuple[Stretch, Sequence[Video]], *, is_pause: bool
) -> tuple[StretchWork, Tracks]:
    """The work with what the tracks have of the stretch, and these as of its end."""
    frame, (stretch, screens) = work.frame, seen
    if frame.participant_audio:
        participants, tracks = hear(tracks, work.chunks, work.start_ms, work.end_ms, frame.rate_hz)
        work = replace(work, participants=participants)
    if not (frame.share_track and frame.has_pictures):
        return work, tracks
    shown = film(tracks, [*map(_sent, screens)], stretch, frame.size)
    shown, in_parts = _parted(shown, stretch, is_pause=is_pause)
    if not any(part.pictures for part in in_parts):
        return work, tracks.with_film(shown, 0)
    alone = replace(work, parts=in_parts, parameters=shown.parameters, chunks=(), dropped=0, participants=())
    return (
        replace(work, film=replace(alone, until_ms=shown.until_ms, track=names.SHARE)),
        tracks.with_film(shown, len(in_parts)),
    )


def _shown(recording: Recording, cameras: Sequence[Video], screens: Sequence[Video], stretch: Stretch) -> Shown:
    if not recording.frame.has_pictures:
        return pictures.nothing(recording.chain, stretch.end_ms)
    shared = Shared(recording.share, tuple(map(_sent, screens)))
    return pictures.show(recording.chain, map(_sent, cameras), stretch, recording.frame.size, shared)


def _videos(entries: Iterable[Entry], topic: str) -> list[Video]:
    return [entry.record for entry in entries if entry.topic == topic and isinstance(entry.record, Video)]


def _heard(recording: Recording, records: Iterable[MediaRecord], next_from_ms: int) -> tuple[Sequence[Chunk], Ends]:
    """The placed chunks of a stretch, and the speakers' ends as of where the next one begins to place."""
    rate_hz = recording.frame.rate_hz
    heard = [r for r in records if isinstance(r, Audio) and r.timestamp_ms >= recording.audio_from_ms]
    passed = bisect_left(heard, next_from_ms, key=lambda record: record.timestamp_ms)
    before, ends = mixing.place(heard[:passed], recording.ends, rate_hz)
    after, _ = mixing.place(heard[passed:], ends, rate_hz)
    return before + after, mixing.still_open(ends, next_from_ms, rate_hz)


def _sent(video: Video) -> SentPicture:
    place = video.epoch, video.sequence
    return SentPicture(*place, video.participant_id, video.timestamp_ms, video.payload, video.codec)


if TYPE_CHECKING:
    from processors.checkpoint.windows import Logic

    _: Logic = MuxingLogic()
