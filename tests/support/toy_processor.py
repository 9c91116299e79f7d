"""A small application with everything that makes checkpoints hard, its meetings, and a plain batch twin of it.

Voices: per participant, an utterance is a run of voiced frames with gaps of at most GAP_MS, cut at LONGEST_MS: its
bounds depend on history. Pictures: one lane on a grid over both clocks, with a moving boundary (first key frame in the
first half of a slot), a look back before it, empty slots filled, and a roster carried from segment to segment.
Captions: one output each, with a count carried in the fold. At the end one summary.

`batch` computes the same without watermarks that move, buffers or states: it sees each topic as a whole.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from processors.checkpoint.folds import FOREVER_MS, Fold, Json, Slack
from processors.checkpoint.missing import Missing
from processors.checkpoint.windows import Cut, Entry, Observed, Progress, Track
from schemas import seams
from schemas.records import MEDIA_CLASS_OF, Audio, Begin, Caption, Hole, MediaRecord, RecordKind, Video
from schemas.topics import BY_NAME

AUDIO, VIDEO, CAPTIONS = "rtms.audio", "rtms.video", "rtms.captions"
SLACK_MS = 300
GAP_MS, LONGEST_MS = 500, 3000
GRID_MS, REACH_MS, LOOK_BACK_MS = 4000, 2000, 250
GRID_TRACK = "grid"
VOICED = b"voice"

Content = tuple[object, ...]


@dataclass(frozen=True)
class Work:
    """What to write: an id within the session and what belongs under it."""

    item_id: str
    content: Content


def identify(session_id: str, work: object) -> tuple[str, Content]:
    if isinstance(work, Missing):
        return hole_id(session_id, work.hole), (work.hole,)
    assert isinstance(work, Work)
    return f"{session_id}/{work.item_id}", work.content


def hole_id(session_id: str, hole: Hole) -> str:
    return f"{session_id}/hole-{hole.medium}-{hole.from_ms}"


class ToyLogic:
    topics = (AUDIO, VIDEO, CAPTIONS)
    clocks: Mapping[str, Slack] = {AUDIO: Slack(SLACK_MS), VIDEO: Slack(SLACK_MS)}
    answers_for: tuple[str, ...] = topics

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        if topic != CAPTIONS or record.kind is not RecordKind.FRAME:
            return Observed(part)
        place = [record.epoch, record.sequence]
        if part and place <= part["last"]:
            return Observed(part)  # a repetition must yield the same output again, or none
        count = part["count"] + 1 if part else 1
        work = Work(f"caption-{record.epoch}-{record.sequence}", (count, record.timestamp_ms))
        return Observed({"count": count, "last": place}, (work,))

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        return f"voice-{record.participant_id}" if record.participant_id % 2 else GRID_TRACK

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        return _cut_grid(track, watermark_ms) if track.name == GRID_TRACK else _cut_voice(track, watermark_ms)

    def final(self, folds: Mapping[str, Fold], progress: Mapping[str, Progress]) -> object | None:
        late = tuple(sorted((topic, fold.late, fold.stale) for topic, fold in folds.items()))
        voices = sum(p.carry or 0 for name, p in progress.items() if name != GRID_TRACK)
        return Work("summary", (late, voices))


def _cut_voice(track: Track, watermark_ms: int) -> Cut | int:
    run: list[Entry] = []
    voiced_ms = {entry.record.timestamp_ms for entry in track.entries if _is_voiced(entry.record)}
    for entry in track.entries:
        at_ms = entry.record.timestamp_ms
        if at_ms >= watermark_ms:
            break
        if not _is_voiced(entry.record):
            if run or at_ms in voiced_ms:
                continue
            return Cut(Progress(at_ms + 1, at_ms + 1, track.progress.carry), None)
        if run and not _continues(run[0].record, run[-1].record, at_ms):
            return _utterance(track, run)
        run.append(entry)
    if not run:
        return FOREVER_MS + 1 if watermark_ms >= FOREVER_MS else watermark_ms + 1
    complete_ms = min(run[-1].record.timestamp_ms + GAP_MS, run[0].record.timestamp_ms + LONGEST_MS - 1) + 1
    return _utterance(track, run) if watermark_ms >= complete_ms else complete_ms


def _utterance(track: Track, run: list[Entry]) -> Cut:
    through_ms = run[-1].record.timestamp_ms + 1
    count = (track.progress.carry or 0) + 1
    work = Work(f"{track.name}-{run[0].record.timestamp_ms}", (count, _contents(entry.record for entry in run)))
    return Cut(Progress(through_ms, through_ms, count), work)


def _cut_grid(track: Track, watermark_ms: int) -> Cut | int:
    entries, progress = track.entries, track.progress
    if progress.carry is None and (not entries or entries[0].record.timestamp_ms >= watermark_ms):
        return watermark_ms + 1
    first_ms = entries[0].record.timestamp_ms if progress.carry is None else 0
    start_ms = progress.through_ms if progress.carry else first_ms // GRID_MS * GRID_MS
    slot = progress.carry["slot"] if progress.carry else first_ms // GRID_MS
    complete_ms = (slot + 1) * GRID_MS + REACH_MS
    if watermark_ms < complete_ms:
        return complete_ms
    if not any(start_ms <= entry.record.timestamp_ms < watermark_ms for entry in entries):
        return _rest(track, start_ms, watermark_ms)
    end_ms = _boundary((entry.record for entry in entries), slot + 1)
    inside = [e.record for e in entries if start_ms - LOOK_BACK_MS <= e.record.timestamp_ms < end_ms]
    names = {f"{record.participant_id}" for record in inside if record.timestamp_ms >= start_ms}
    roster = sorted(names | set(progress.carry["roster"] if progress.carry else ()))
    work = Work(f"segment-{start_ms}", (slot, end_ms, tuple(roster), _contents(inside)))
    return Cut(Progress(end_ms, end_ms - LOOK_BACK_MS, {"slot": slot + 1, "roster": roster}), work)


def _rest(track: Track, start_ms: int, watermark_ms: int) -> Cut | int:
    """Nothing follows yet: an empty slot is filled only when it is known that a frame lies behind it, else it would
    hang on the interleaving whether the end or the slot's time came first."""
    if watermark_ms < FOREVER_MS:
        return watermark_ms + 1
    if not track.entries:
        return FOREVER_MS + 1
    kept_from_ms = track.entries[-1].record.timestamp_ms + 1
    return Cut(Progress(start_ms + 1, max(start_ms, kept_from_ms), track.progress.carry), None)


def _boundary(records: Iterable[MediaRecord], slot: int) -> int:
    start_ms = slot * GRID_MS
    keys = [r.timestamp_ms for r in records if isinstance(r, Video) and r.key_frame]
    return min((ms for ms in keys if start_ms <= ms < start_ms + REACH_MS), default=start_ms)


def _is_voiced(record: MediaRecord) -> bool:
    return isinstance(record, Audio) and record.payload == VOICED


def _continues(first: MediaRecord, last: MediaRecord, at_ms: int) -> bool:
    return at_ms <= last.timestamp_ms + GAP_MS and at_ms < first.timestamp_ms + LONGEST_MS


def _contents(records: Iterable[MediaRecord]) -> Content:
    return tuple((r.timestamp_ms, type(r).__name__, r.epoch, r.sequence) for r in records)


def holes(session_id: str, meeting: Mapping[str, list[MediaRecord]]) -> dict[str, Content]:
    """What is missing between the epochs, by id: each topic as two halves."""
    found: dict[str, Content] = {}
    for topic, records in meeting.items():
        begins = [index for index, record in enumerate(records) if record.kind is RecordKind.BEGIN]
        for index in begins[1:]:
            begin = records[index]
            before = [r for r in records[:index] if r.kind not in (RecordKind.END, RecordKind.HANDED_OVER)]
            after = next(r for r in records[index + 1 :] if r.epoch == begin.epoch)
            first = seams.First.of(after) if after.kind is RecordKind.FRAME else None
            through_ms = max(map(seams.told_ms, before))
            left = records[index - 1].kind is RecordKind.HANDED_OVER
            hole = seams.hole(BY_NAME[topic].medium, through_ms, begin.timestamp_ms, first, handed_over=left)
            if hole is not None:
                found[hole_id(session_id, hole)] = (hole,)
    return found


def batch(session_id: str, meeting: Mapping[str, list[MediaRecord]]) -> dict[str, Content]:
    """All outputs of a meeting by id, but for its holes, computed from whole topics."""
    accepted = {topic: _accepted(records) for topic, records in meeting.items()}
    framed = [(r.timestamp_ms, t, r.epoch, r.sequence, r) for t in (AUDIO, VIDEO) for r in accepted[t][0]]
    frames = [row[4] for row in sorted(framed, key=lambda row: row[:4])]
    works = [*_batch_grid([r for r in frames if r.participant_id % 2 == 0])]
    voices = 0
    for speaker in {r.participant_id for r in frames if r.participant_id % 2}:
        spoken = _batch_voice([r for r in frames if r.participant_id == speaker and _is_voiced(r)], speaker)
        voices += len(spoken)
        works += spoken
    for count, record in enumerate(accepted[CAPTIONS][0], 1):
        works.append(Work(f"caption-{record.epoch}-{record.sequence}", (count, record.timestamp_ms)))
    works.append(Work("summary", (tuple(sorted((t, a[1], a[2]) for t, a in accepted.items())), voices)))
    return dict(identify(session_id, work) for work in works)


def _accepted(records: list[MediaRecord]) -> tuple[list[MediaRecord], int, int]:
    """The frames that count, in log order, and how many were late and stale."""
    frames: dict[tuple[int, int], MediaRecord] = {}
    epoch, watermark_ms, late, stale = -1, -1, 0, 0
    for record in records:
        if record.epoch < epoch:
            stale += 1
            continue
        epoch = record.epoch
        if record.kind is RecordKind.END:
            break
        if record.kind is RecordKind.TICK:
            watermark_ms = max(watermark_ms, record.timestamp_ms)
        if record.kind is RecordKind.FRAME:
            slack_ms = 0 if isinstance(record, Caption) else SLACK_MS
            is_late = record.timestamp_ms < watermark_ms
            late += is_late
            if isinstance(record, Caption) or not is_late:
                frames.setdefault((record.epoch, record.sequence), record)
            watermark_ms = max(watermark_ms, record.timestamp_ms - slack_ms)
    return list(frames.values()), late, stale


def _batch_voice(records: list[MediaRecord], speaker: int) -> list[Work]:
    runs: list[list[MediaRecord]] = []
    for record in records:
        if runs and _continues(runs[-1][0], runs[-1][-1], record.timestamp_ms):
            runs[-1].append(record)
        else:
            runs.append([record])
    return [
        Work(f"voice-{speaker}-{run[0].timestamp_ms}", (count, _contents(run))) for count, run in enumerate(runs, 1)
    ]


def _batch_grid(records: list[MediaRecord]) -> Iterable[Work]:
    if not records:
        return
    times = [record.timestamp_ms for record in records]
    slot, start_ms, roster = times[0] // GRID_MS, times[0] // GRID_MS * GRID_MS, set[str]()
    while start_ms <= times[-1]:
        end_ms = _boundary(records, slot + 1)
        inside = [r for r in records if start_ms - LOOK_BACK_MS <= r.timestamp_ms < end_ms]
        roster |= {f"{r.participant_id}" for r in inside if r.timestamp_ms >= start_ms}
        yield Work(f"segment-{start_ms}", (slot, end_ms, tuple(sorted(roster)), _contents(inside)))
        slot, start_ms = slot + 1, end_ms


def meeting(rng: random.Random, session_id: str, seconds: int) -> dict[str, list[MediaRecord]]:
    """A meeting in log order per topic: disorder, lateness, repetitions, silence with ticks, a change of epoch with a
    ghost of the old one, records after the end."""
    return {topic: list(_stream(rng, session_id, topic, seconds)) for topic in ToyLogic.topics}


def _stream(rng: random.Random, session_id: str, topic: str, seconds: int) -> Iterable[MediaRecord]:
    begin_ms, change_ms = 1_000_000, 1_000_000 + rng.randint(1, seconds) * 1000
    times = sorted(rng.randrange(seconds * 1000) for _ in range(int(seconds * rng.uniform(0.5, 4))))
    quiet = rng.randrange(seconds) * 1000
    moments = [begin_ms + ms for ms in times if not quiet <= ms < quiet + 6000]
    epoch, sequence, now_ms = 7, 0, begin_ms
    written: list[MediaRecord] = []
    yield control(session_id, "begin", 0, begin_ms, epoch)
    for at_ms in moments:
        if epoch == 7 and at_ms >= change_ms:
            yield from _change(rng, session_id, at_ms, is_sound=topic == AUDIO, has_spoken=bool(written))
            epoch, sequence = 9, 0
        for tick_ms in range(now_ms + 1000, at_ms - SLACK_MS, 1000):
            sequence += 1
            yield control(session_id, "tick", sequence, tick_ms, epoch)
        now_ms, sequence = max(now_ms, at_ms), sequence + 1
        item = _drawn(rng, session_id, topic, epoch, sequence, _disordered(rng, at_ms, begin_ms))
        written.append(item)
        yield item
        if rng.random() < 0.05:
            yield rng.choice(written[-5:])
        if epoch == 9 and rng.random() < 0.05:
            yield _drawn(rng, session_id, topic, 7, 500 + sequence, at_ms)
    yield control(session_id, "end", sequence + 1, now_ms, epoch)
    if rng.random() < 0.5:
        yield _drawn(rng, session_id, topic, epoch, sequence + 2, now_ms + 50_000)


def _change(
    rng: random.Random, session_id: str, at_ms: int, *, is_sound: bool, has_spoken: bool
) -> Iterable[MediaRecord]:
    """Epoch 9 takes over from 7, which may have said goodbye, or may not have noticed."""
    if is_sound and rng.random() < 0.5:
        yield control(session_id, "handed_over", 998, at_ms, 7)
    yield control(session_id, "begin", 0, at_ms, 9)
    if has_spoken and rng.random() < 0.5:
        yield control(session_id, "end", 999, at_ms, 7)


def _disordered(rng: random.Random, at_ms: int, begin_ms: int) -> int:
    return max(begin_ms, at_ms - rng.choice((0, 0, 0, 100, 250, 299, 900, 3000)))


def as_written(topic: str, record: MediaRecord) -> MediaRecord:
    """The record as a value of its topic: controls are drawn without saying of which."""
    if type(record) is not MediaRecord:
        return record
    fields = {name: getattr(record, name) for name in MediaRecord.__dataclass_fields__}
    return MEDIA_CLASS_OF[topic](**fields)


def control(session_id: str, kind: str, sequence: int, at_ms: int, epoch: int = 7) -> MediaRecord:
    return MediaRecord(
        session_id=session_id,
        kind=RecordKind(kind),
        epoch=epoch,
        begin=Begin("worker", "{}", "{}") if kind == RecordKind.BEGIN else None,
        sequence=sequence,
        timestamp_ms=at_ms,
        arrived_us=0,
    )


def frame(
    session_id: str,
    topic: str,
    sequence: int,
    timestamp_ms: int,
    epoch: int = 7,
    *,
    participant_id: int = 0,
    voiced: bool = False,
    key_frame: bool = False,
) -> MediaRecord:
    shared: dict[str, Any] = {
        "session_id": session_id,
        "kind": RecordKind.FRAME,
        "epoch": epoch,
        "sequence": sequence,
        "timestamp_ms": timestamp_ms,
        "arrived_us": 0,
        "participant_id": participant_id,
    }
    if topic == CAPTIONS:
        return Caption(**shared)
    if topic == VIDEO:
        return Video(**shared, key_frame=key_frame)
    return Audio(**shared, payload=VOICED if voiced else b"")


def _drawn(
    rng: random.Random, session_id: str, topic: str, epoch: int, sequence: int, timestamp_ms: int
) -> MediaRecord:
    people = {CAPTIONS: (0,), VIDEO: (10, 12, 14), AUDIO: (1, 3, 3, 3, 16)}
    return frame(
        session_id,
        topic,
        sequence,
        timestamp_ms,
        epoch,
        participant_id=rng.choice(people[topic]),
        voiced=rng.random() < 0.8,
        key_frame=rng.random() < 0.3,
    )
