"""What Faust costs: a processor's CPU per record, beside the same work on a plain consumer, and the work alone."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from connectors.host.secrets import KeyRing
from processors.checkpoint.assignments import Assignment, Input
from processors.shell.applications import Application, Output
from schemas import topics
from schemas.codec import Codec
from schemas.ids import partition_of
from schemas.records import Audio, Caption, MediaRecord, RecordKind
from schemas.topics import Topic
from tests.bench import processor_runs
from tests.bench.broker import PARTITIONS, kafka_in
from tests.bench.meeting import meeting, minute
from tests.bench.plain_processor import APPLICATIONS
from tests.bench.processor_runs import Written, new_sessions
from tests.bench.rows import Row
from tests.support.media import START_MS, control
from tests.support.spoken import caption

CAPTIONS = 2000
"""In each session of captions."""

FAUST, PLAIN, ALONE = "with Faust", "with a plain consumer", "the work alone"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Traffic:
    """What goes through a processor; every session of it makes `outputs` records on `output`."""

    what: str
    processor: str
    inputs: tuple[Topic, ...]
    output: Topic
    outputs: int
    session: Callable[[str], Iterable[Written]]
    sessions: int

    def records(self, sessions: int) -> list[Written]:
        """Of so many new sessions, all at once."""
        each = [self.session(session_id) for session_id in new_sessions(sessions)]
        return [row for row in chain.from_iterable(zip_longest(*each)) if row is not None]


def captions(session_id: str) -> Iterator[Written]:
    """Zoom's transcript of a long meeting; nobody's sound is recognised."""
    for topic, of in ((topics.AUDIO, Audio), (topics.CAPTIONS, Caption)):
        yield topic, control(session_id, RecordKind.BEGIN, START_MS, of=of)
    for number in range(1, CAPTIONS + 1):
        at_ms = START_MS + 1000 * number
        yield topics.CAPTIONS, caption(session_id, number, at_ms, "Nobody said that it would be easy, and it is not.")
    for topic, of in ((topics.AUDIO, Audio), (topics.CAPTIONS, Caption)):
        yield topic, control(session_id, RecordKind.END, START_MS + 1000 * (CAPTIONS + 1), of=of)


TRAFFIC = (
    Traffic("captions through transcription", "transcription", (topics.AUDIO, topics.CAPTIONS), topics.TRANSCRIPTS,
            CAPTIONS + 1, captions, sessions=8),
    Traffic("sound and pictures through muxing", "muxing", (topics.AUDIO, topics.VIDEO, topics.SHARE),
            topics.RECORDING_SEGMENTS, 16, lambda session_id: meeting(session_id, 1), sessions=3),
)  # fmt: skip


def measure(rounds: int, say: Say) -> list[Row]:
    say("encoding the camera's film")
    minute()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="rtms-bench-") as name, kafka_in(Path(name)) as env:
        env |= {"RTMS_SECRETS_KEYS": KeyRing.generate()}
        for traffic in TRAFFIC:
            rows += _rows(traffic, _costs(traffic, rounds, env, Path(name), say))
    return rows


def _costs(traffic: Traffic, rounds: int, env: dict[str, str], folder: Path, say: Say) -> dict[str, float]:
    """CPU microseconds per record, the median of each side."""
    found: dict[str, list[float]] = {FAUST: [], PLAIN: [], ALONE: []}
    for number in range(1, rounds + 1):
        found[FAUST].append(_process(traffic, ["-m", "processors", traffic.processor], env, folder))
        found[PLAIN].append(_process(traffic, ["-m", "tests.bench.plain_processor", traffic.processor], env, folder))
        found[ALONE].append(asyncio.run(_alone(traffic)))
        told = ", ".join(f"{side} {costs[-1]:.0f}" for side, costs in found.items())
        say(f"{traffic.what}, round {number}: CPU µs per record {told}")
    return {side: median(costs) for side, costs in found.items()}


def _process(traffic: Traffic, command: Sequence[str], env: dict[str, str], folder: Path) -> float:
    with processor_runs.run(command, traffic.inputs, env, folder) as run:
        run.cost_of(run.writer.encoded(traffic.records(1)), traffic.output, traffic.outputs)  # what is done only once
        records = run.writer.encoded(traffic.records(traffic.sessions))
        used = run.cost_of(records, traffic.output, traffic.outputs * traffic.sessions)
    return used / len(records) * 1e6


async def _alone(traffic: Traffic) -> float:
    """Bytes to bytes, in this process: decoding, the checkpoint's book-keeping, the logic, its outputs."""
    codec = Codec.with_ids_from(topics.ALL)
    application = APPLICATIONS[traffic.processor][0]()
    await application.start()
    try:
        records = [(topic, codec.encode(topic, record)) for topic, record in traffic.records(traffic.sessions)]
        before = time.process_time()
        written = await _through(application, codec, records)
        used = time.process_time() - before
    finally:
        await application.stop()
    assert written == traffic.outputs * traffic.sessions
    return used / len(records) * 1e6


async def _through(application: Application, codec: Codec, records: Iterable[tuple[Topic, bytes]]) -> int:
    """How many records come out."""
    places = [Input(name, number) for name in application.logic.topics for number in range(PARTITIONS)]
    assignment, offsets, written = Assignment(application.logic, "", dict.fromkeys(places, 0), ()), Counter[Input](), 0
    for topic, data in records:
        record = codec.decode(topic, data)
        assert isinstance(record, MediaRecord)
        source = Input(topic.name, partition_of(record.session_id, PARTITIONS))
        windows = assignment.feed(source, offsets[source], record.session_id, record, len(data))
        offsets[source] += 1
        while windows:
            window = windows.pop(0)
            for output in await application.render(window.session.session_id, window.work):
                assert isinstance(output, Output)
                written += bool(codec.encode(output.topic, output.record))
            windows += assignment.done(window)
    return written


def _rows(traffic: Traffic, costs: dict[str, float]) -> list[Row]:
    faust, plain, alone = costs[FAUST], costs[PLAIN], costs[ALONE]
    share = 100 * (faust - plain) / faust
    return [
        Row(
            name=f"{traffic.what}, CPU per record",
            unit="µs",
            ours=faust,
            rival=plain,
            rival_name="the same application on a plain confluent-kafka consumer",
        ),
        Row(
            name=f"{traffic.what}, share of the CPU that Faust and its shell take",
            unit="%",
            ours=share,
            note=f"decoding, logic and outputs alone {alone:.0f} µs, with a plain consumer's Kafka {plain:.0f} µs",
        ),
    ]
