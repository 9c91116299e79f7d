"""Records that a registry lets through and no meeting would hold: absurd times, ids, formats, sizes and orders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.windows import Logic
from schemas.codec import Codec
from schemas.records import (
    MEDIA_CLASS_OF,
    Audio,
    Begin,
    Caption,
    Event,
    MediaRecord,
    Record,
    RecordKind,
    Video,
)
from schemas.records import Codec as MediaCodec
from schemas.topics import ALL, BY_NAME, MAX_RECORD_BYTES, Topic
from tests.support.media import START_MS

SESSION = "app_0123456789abcdef"
HOUR_MS = 3_600_000
LONGEST, LARGEST = 2**63 - 1, 2**31 - 1
CODEC = Codec.with_ids_from(ALL)

T = START_MS
NEAR = st.integers(T, T + 9000)
TIMES = st.one_of(
    NEAR,
    NEAR,
    NEAR,
    st.sampled_from(
        [0, 1, 63, -1, -T, LONGEST, -LONGEST - 1, 2**62, 2**62 + 1, T - HOUR_MS, T + HOUR_MS, T + 23 * HOUR_MS]
        + [T - 23 * HOUR_MS, T + 10 * 365 * 24 * HOUR_MS, 4_102_444_799_999]
    ),
)
PEOPLE = st.sampled_from([0, 1, 2, 3, -1, LONGEST, -LONGEST - 1])
NUMBERS = st.one_of(st.integers(1, 60), st.sampled_from([0, -1, LONGEST]))
EPOCHS = st.one_of(st.just(1), st.just(1), st.sampled_from([0, 2, -1, LONGEST]))
SETTINGS = st.one_of(
    st.just('{"engines": ["zoom", "moonshine"]}'),
    st.sampled_from(
        ["", "[]", "no JSON", '{"recording_format": "none"}', '{"video_width": 1000000000, "video_height": -4}']
        + ['{"grid_ms": 99999999999999999999}', '{"grid_ms": -1, "audio_sample_rate_hz": -8000}']
        + ['{"engines": ["moonshine", "moonshine"], "language": "%s"}' % ("x" * 9000), '{"engines": []}']
    ),
)
NAMES = st.one_of(st.none(), st.sampled_from(["", "Ann", "\0", "\U0001f600" * 40, "x" * 5000]))
PAYLOADS = st.one_of(st.binary(max_size=40), st.sampled_from([b"", bytes(3200), b"\1\2" * 1600, bytes(100_000)]))


def shared(kind: st.SearchStrategy[RecordKind], times: st.SearchStrategy[int] = TIMES) -> dict[str, object]:
    return {
        "session_id": st.just(SESSION), "kind": kind, "epoch": EPOCHS, "sequence": NUMBERS, "timestamp_ms": times,
        "arrived_us": st.just(0), "participant_id": PEOPLE, "participant_name": NAMES,
    }  # fmt: skip


def records(topic: Topic, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[list[MediaRecord]]:
    """A topic's records: mostly a begin first, an end last, and anything at all between them."""
    of = MEDIA_CLASS_OF[topic.name]
    begins = st.builds(Begin, worker=st.just("w"), settings=SETTINGS, negotiated=st.just("{}"))
    begin = st.builds(of, **shared(st.just(RecordKind.BEGIN)), begin=begins)  # type: ignore[arg-type]
    end = st.builds(of, **shared(st.just(RecordKind.END)))  # type: ignore[arg-type]
    kinds = st.sampled_from([RecordKind.FRAME] * 8 + [RecordKind.TICK] * 3 + [RecordKind.UNKNOWN])
    frame = st.builds(of, **shared(kinds), **fields)  # type: ignore[arg-type]
    middle = st.lists(st.one_of(*[frame] * 8, begin, end), max_size=14)
    last = end.map(lambda record: replace(record, epoch=LONGEST))
    return st.tuples(st.lists(begin, max_size=1), middle, last).map(lambda rows: [*rows[0], *rows[1], rows[2]])


def audio() -> st.SearchStrategy[list[MediaRecord]]:
    return records(
        BY_NAME["rtms.audio"],
        codec=st.sampled_from([MediaCodec.L16] * 6 + list(MediaCodec)),
        sample_rate_hz=st.sampled_from([16_000] * 6 + [0, -1, 1, 8000, 44_100, 48_000, 7, LARGEST]),
        channels=st.sampled_from([1] * 6 + [0, 2, -1, 8, LARGEST]),
        payload=PAYLOADS,
    )


def video(pictures: Sequence[bytes]) -> st.SearchStrategy[list[MediaRecord]]:
    return records(
        BY_NAME["rtms.video"],
        codec=st.sampled_from([MediaCodec.H264] * 6 + list(MediaCodec)),
        key_frame=st.booleans(),
        payload=st.one_of(st.sampled_from(pictures), PAYLOADS),
    )


def captions() -> st.SearchStrategy[list[MediaRecord]]:
    return records(
        BY_NAME["rtms.captions"],
        start_ms=TIMES, end_ms=TIMES, language=st.sampled_from([None, 0, -1, LARGEST]), text=st.text(max_size=20),
    )  # fmt: skip


def events() -> st.SearchStrategy[list[MediaRecord]]:
    names = ["participant_joined"] * 3 + ["participant_left"] * 3 + ["", "video_on"]
    details = st.sampled_from(["{}", "", "no JSON", "x" * 9000])
    codes = st.sampled_from([0, -1, LARGEST])
    return records(BY_NAME["rtms.events"], event=st.sampled_from(names), code=codes, details=details)


def survived(
    logic: Logic,
    topics: Mapping[str, Sequence[MediaRecord]],
    write: Callable[[str, object], Sequence[Record]],
    to: Topic,
) -> list[Record]:
    """Feed everything, write every window, and hold outputs and states against what a record can be."""
    sources = {name: Input(name, 0) for name in logic.topics}
    assignment = Assignment(logic, "a", dict.fromkeys(sources.values(), 0), [])
    written: list[Record] = []
    for name, rows in topics.items():
        for offset, record in enumerate(rows):
            as_read = CODEC.decode(BY_NAME[name], CODEC.encode(BY_NAME[name], record))
            assert isinstance(as_read, Audio | Video | Caption | Event)
            windows = assignment.feed(sources[name], offset, record.session_id, as_read, 1)
            while windows:
                window = windows.pop(0)
                written += write(SESSION, window.work)
                windows += assignment.done(window)
    (unsaved,) = assignment.unsaved()
    assert len(unsaved.text) < MAX_RECORD_BYTES
    assert all(len(CODEC.encode(to, record)) <= MAX_RECORD_BYTES for record in written)
    assert unsaved.state.finished, "the session never ends"
    return written
