"""A minute of meeting becomes a recording: ours copies the pictures, the others decode them and encode them again.

Also whether an hour of meeting leaves anything behind in memory, and whether sound and picture stay in step for one.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from processors.checkpoint.sessions import Session, SessionKey
from processors.muxing.logic import MuxingLogic
from schemas.records import Segment
from schemas.topics import AUDIO, RECORDING_SEGMENTS, SHARE, VIDEO
from tests.bench import processor_runs
from tests.bench.broker import kafka_in
from tests.bench.costs import CommandFailed, cpu_of, resident_mib
from tests.bench.meeting import MINUTE_MS, PICTURES_PER_MINUTE, Written, meeting, minute
from tests.bench.processor_runs import Run, new_sessions
from tests.bench.recordings import Broken, check_decodes, check_pictures
from tests.bench.reencoders import FFMPEG, GSTREAMER, Material, Reencoder
from tests.bench.rows import Row
from tests.support.in_step import MOST_MS, Watched, watched
from tests.support.long_meeting import LongMeeting, long_meeting
from tests.support.media import START_MS
from tests.support.muxed import joined, written
from tests.support.topics import values

CORE, PROCESSOR = "muxing core", "muxing processor with Kafka and Faust"
GOALS = {
    (CORE, GSTREAMER): (30, 25), (CORE, FFMPEG): (60, 50),
    (PROCESSOR, GSTREAMER): (15, 12), (PROCESSOR, FFMPEG): (30, 25),
}  # fmt: skip
"""Each with the one before it."""

GROWTH_GOAL_MB = 10
HOUR = 60
SEGMENTS_PER_MINUTE = 15
OPEN_SEGMENTS = 3
"""At most so many are waiting for what follows."""

SEED = 8
"""Of the hour's oddities."""

SETTLED_AFTER = 5
"""Minutes of the hour after which memory must not grow any more."""

COMPARED = 10
"""Minutes at either end."""

Say = Callable[[str], None]
Side = Callable[[], float]
"""Does the minute once; CPU seconds."""


def measure(rounds: int, say: Say) -> list[Row]:
    say("encoding the camera's film")
    minute()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rtms-bench-")))
        env = stack.enter_context(kafka_in(folder))
        command = ["-m", "processors", "muxing"]
        run = stack.enter_context(processor_runs.run(command, (AUDIO, VIDEO, SHARE), env, folder))
        seconds = _rounds(rounds, _sides(run, folder, say), say)
        memory = _hour(run, say)
    return [*compared(seconds), *meetings_per_core(seconds), flat(memory), in_step(say)]


def _sides(run: Run, folder: Path, say: Say) -> dict[str, Side]:
    """What can be measured here; everybody's recording is looked at once before."""
    core_minute(check=check_decodes)
    _processor_minute(run, check=check_decodes)
    sides: dict[str, Side] = {CORE: core_minute, PROCESSOR: lambda: _processor_minute(run)}
    material = Material.written(minute(), folder)
    for rival in (GSTREAMER, FFMPEG):
        if remedy := rival.remedy:
            say(f"{rival.name}: {remedy}")
        else:
            sides[rival.name] = lambda rival=rival: _reencoded(rival, material, folder)  # type: ignore[misc]
    return sides


def _rounds(rounds: int, sides: dict[str, Side], say: Say) -> dict[str, float]:
    """The median of each side, all of them in turn."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, side in list(sides.items()):
            try:
                found[name].append(side())
            except CommandFailed as failure:  # a rival that does not run here is no reason to leave the rest out
                say(f"{name}: {failure}")
                del sides[name], found[name]
                continue
            say(f"round {number}, {name}: {found[name][-1]:.3g} CPU s")
    return {name: median(seconds) for name, seconds in found.items()}


def core_minute(check: Callable[[bytes, int], None] = check_pictures) -> float:
    """Records in memory through the checkpoint engine and the muxing logic; CPU seconds."""
    (session_id,) = new_sessions(1)
    records = list(meeting(session_id, 1))
    before = time.process_time()
    parts = muxed(session_id, records)
    used = time.process_time() - before
    check(joined(parts), PICTURES_PER_MINUTE)
    return used


def muxed(session_id: str, records: Sequence[Written]) -> list[Segment]:
    """All segments of a session and its end."""
    engine, offsets = Session(SessionKey(0, session_id), MuxingLogic()), Counter[str]()
    parts: list[Segment] = []
    for topic, record in records:
        waiting = engine.feed(topic.name, offsets[topic.name], record, 1)
        offsets[topic.name] += 1
        while waiting:
            window = waiting.pop(0)
            parts += written(session_id, window.work)
            waiting += engine.done(window)
    assert engine.is_finished
    return parts


def _processor_minute(run: Run, check: Callable[[bytes, int], None] = check_pictures) -> float:
    (session_id,) = new_sessions(1)
    records = list(meeting(session_id, 1))
    wanted = len(muxed(session_id, records))
    used = run.cost_of(run.writer.encoded(records), RECORDING_SEGMENTS, wanted)
    parts = [part for part in values(run.kafka, RECORDING_SEGMENTS, [session_id]) if isinstance(part, Segment)]
    check(joined(parts), PICTURES_PER_MINUTE)
    return used


def _reencoded(rival: Reencoder, material: Material, folder: Path) -> float:
    output = folder / "rival.mp4"
    used = cpu_of(rival.command(material, output), folder / "rival.log")
    check_pictures(output, PICTURES_PER_MINUTE)
    return used


def _hour(run: Run, say: Say) -> list[float]:
    """Resident MB of the processor after each minute of a meeting that is fed as fast as it is muxed."""
    (session_id,) = new_sessions(1)
    segments, memory = run.outputs(RECORDING_SEGMENTS), list[float]()
    began = time.monotonic()
    for number, records in groupby(meeting(session_id, HOUR), _minute_of):
        run.writer.write(run.writer.encoded(records))
        if number <= HOUR:  # what ends it is later
            run.wait_for(segments, number * SEGMENTS_PER_MINUTE - OPEN_SEGMENTS)
            memory.append(resident_mib(run.pid) * 2**20 / 1e6)
    run.wait_for(segments, HOUR * SEGMENTS_PER_MINUTE + 1)
    say(f"{HOUR} minutes of meeting in {time.monotonic() - began:.0f} s")
    return memory


def _minute_of(one: Written) -> int:
    """In which minute of its meeting a record is; the first is 1."""
    return (one[1].timestamp_ms - START_MS) // MINUTE_MS + 1


def compared(seconds: dict[str, float]) -> list[Row]:
    return [
        Row(
            name=f"{ours}, a minute of 720p25",
            unit="CPU s",
            ours=seconds[ours],
            rival=seconds.get(rival.name),
            rival_name=rival.name,
            goal=goal,
            first_goal=first_goal,
            note=rival.remedy or ("" if rival.name in seconds else "it did not run, see above"),
        )
        for (ours, rival), (goal, first_goal) in GOALS.items()
    ]


def meetings_per_core(seconds: dict[str, float]) -> list[Row]:
    """What a minute costs, turned round."""
    return [
        Row(
            name=f"{ours}, live meetings of 720p25 per core",
            unit="meetings",
            ours=60 / seconds[ours],
            note="derived: a minute by the CPU seconds of one minute, above; fed faster than life",
        )
        for ours in (CORE, PROCESSOR)
    ]


def in_step(say: Say) -> Row:
    """An hour in which everything happens that may: how far the worst beep is from its flash, in the finished file."""
    (session_id,) = new_sessions(1)
    meeting = long_meeting(session_id, HOUR, SEED)
    with TemporaryDirectory(prefix="rtms-bench-") as folder:
        seen = watched(session_id, meeting, Path(folder) / "recording.mp4")
    say(f"{HOUR} minutes of oddities: {len(seen.decoded.times)} pictures, {len(seen.offsets_ms)} flashes")
    return judged(meeting, seen)


def judged(meeting: LongMeeting, seen: Watched) -> Row:
    """Void where a decoder complained, or a flash or a beep is missing."""
    if seen.decoded.errors:
        raise Broken(f"it does not decode: {seen.decoded.errors[:3]}")
    if len(seen.offsets_ms) != len(meeting.flashes_ms):
        raise Broken(f"{len(seen.offsets_ms)} beeps at {len(meeting.flashes_ms)} flashes")
    return Row(
        name="muxing, sound against picture in an hour of everything, worst",
        unit="ms",
        ours=max(map(abs, seen.offsets_ms)),
        goal=MOST_MS,
        note=f"{len(seen.offsets_ms)} flashes, seed {SEED}",
    )


def flat(memory: Sequence[float]) -> Row:
    """What a leak would add: the middle of the last minutes beside that of the first ones that are settled. A single
    minute says how much of what was fetched at once happened to be there, and so do the most and the least."""
    settled = memory[SETTLED_AFTER - 1 :]
    first, last = median(settled[:COMPARED]), median(settled[-COMPARED:])
    return Row(
        name=f"muxing processor, growth of memory from minute {SETTLED_AFTER} to {len(memory)} of a meeting",
        unit="MB",
        ours=last - first,
        goal=GROWTH_GOAL_MB,
        note=f"resident {first:.0f} MB then, {last:.0f} MB at the end; {min(settled):.0f} to {max(settled):.0f} MB",
    )
