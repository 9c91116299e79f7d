"""Records that a registry lets through and no meeting would hold: absurd times, ids, formats, sizes and orders."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.missing import Missing
from processors.checkpoint.windows import Logic
from schemas.codec import Codec
from schemas.records import MEDIA_CLASS_OF, Begin, MediaRecord, Record, RecordKind
from schemas.records import Codec as MediaCodec
from schemas.topics import ALL, AUDIO, BY_NAME, CAPTIONS, CHAT, EVENTS, MAX_RECORD_BYTES, VIDEO, Topic
from tests.support.media import START_MS

SESSION = "app_0123456789abcdef"
HOUR_MS = 3_600_000
LONGEST, LARGEST = 2**63 - 1, 2**31 - 1
CODEC = Codec.with_ids_from(ALL)

T = START_MS
ODD_TIMES = (
    0, 1, 63, -1, -T, LONGEST, -LONGEST - 1, 2**62, 2**62 + 1, 4_102_444_799_999,
    T - HOUR_MS, T + HOUR_MS, T + 23 * HOUR_MS, T - 23 * HOUR_MS, T + 10 * 365 * 24 * HOUR_MS,
)  # fmt: skip
ODD_SETTINGS = (
    "", "[]", "no JSON", '{"recording_format": "none"}', '{"video_width": 1000000000, "video_height": -4}',
    '{"speech_events": true}', '{"speech_events": true, "engines": ["moonshine"]}', '{"speech_events": "yes"}',
    '{"grid_ms": 99999999999999999999}', '{"grid_ms": -1, "audio_sample_rate_hz": -8000}', '{"engines": []}',
    '{"engines": ["moonshine", "moonshine"], "language": "%s"}' % ("x" * 9000),
    '{"engines": ["zoom"], "engine_options": "{\\"zoom\\":{\\"merge_consecutive_captions\\":true}}"}',
    '{"engines": ["zoom"], "engine_options": "{\\"zoom\\":[]}"}',
)  # fmt: skip
ODD_DETAILS = ("", "[]", "no JSON", '{"chat_session": {"type": 2}}', '{"files": %s}' % ("[" * 9000), '{"receiver": 1}')
BOTH_ENGINES = '{"engines": ["zoom", "moonshine"]}'
SOUND = (b"\0\x30" * 40 + b"\0\xd0" * 40) * 20


class Oddities:
    """Draws a topic's records: as a meeting would have them, but for one value in ten."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def audio(self) -> list[MediaRecord]:
        return self._records(AUDIO, lambda: {
            "codec": self._value(MediaCodec.L16, *MediaCodec),
            "sample_rate_hz": self._value(16_000, 0, -1, 1, 7, 8000, 44_100, 48_000, LARGEST),
            "channels": self._value(1, 0, 2, -1, 8, LARGEST),
            "payload": self._value(SOUND, b"", b"odd", bytes(64_001), self._dice.randbytes(900), bytes(400_000)),
        })  # fmt: skip

    def video(self, pictures: Sequence[bytes], topic: Topic = VIDEO) -> list[MediaRecord]:
        return self._records(topic, lambda: {
            "codec": self._value(MediaCodec.H264, *MediaCodec),
            "payload": self._value(self._dice.choice(pictures), b"", b"\0\0\1\x65", self._dice.randbytes(90)),
        })  # fmt: skip

    def captions(self) -> list[MediaRecord]:
        return self._records(CAPTIONS, lambda: {
            "start_ms": self._time(), "end_ms": self._time(), "text": self._value("word", "", "\0"),
            "language": self._value(None, 0, -1, LARGEST),
            "operation": self._value(self._dice.choice(("new", "update", "delete")), "", "unknown_7", "none"),
        })  # fmt: skip

    def events(self) -> list[MediaRecord]:
        names = "participant_joined", "participant_left", "active_speaker_changed"
        return self._records(EVENTS, lambda: {
            "event": self._value(self._dice.choice(names), "", "video_on"), "code": self._value(1, 0, -1, LARGEST),
            "details": self._value("{}", "", "no JSON", "x" * 9000),
        })  # fmt: skip

    def chat(self) -> list[MediaRecord]:
        return self._records(CHAT, lambda: {
            "message_id": self._value(self._dice.choice("abc"), "", "\0", "x" * 9000),
            "parent_message_id": self._value(None, "a", "", "x" * 9000),
            "operation": self._value(self._dice.choice(("new", "update", "delete")), "", "add_reaction", "7"),
            "text": self._value("word", "", "\0", "x" * 400_000), "details": self._value("{}", *ODD_DETAILS),
        })  # fmt: skip

    def _records(self, topic: Topic, fields: Callable[[], Mapping[str, Any]]) -> list[MediaRecord]:
        of = MEDIA_CLASS_OF[topic.name]
        begin = Begin("w", self._value(BOTH_ENGINES, *ODD_SETTINGS), "{}")
        rows = [of(**self._shared(0, RecordKind.BEGIN) | {"begin": begin})]
        for number in range(1, self._dice.randrange(30)):
            kind = self._value(RecordKind.FRAME, *RecordKind)
            rows.append(of(**self._shared(number, kind), **fields()))
        rows = rows[self._value(0, 1) :]
        return [*rows, of(**self._shared(0, RecordKind.END) | {"epoch": LONGEST})]

    def _shared(self, number: int, kind: RecordKind) -> dict[str, Any]:
        return {
            "session_id": SESSION,
            "kind": kind,
            "epoch": self._value(1, 0, 2, -1, LONGEST) if self._dice.random() < 0.3 else 1,
            "sequence": self._value(number, 0, -1, LONGEST),
            "timestamp_ms": self._value(T + 100 * number, self._time(), *ODD_TIMES),
            "arrived_us": 0,
            "participant_id": self._value(self._dice.randrange(3), -1, LONGEST, -LONGEST - 1),
            "participant_name": self._value("Ann", None, "", "\0", "x" * 5000),
        }

    def _time(self) -> int:
        return T + self._value(self._dice.randrange(9000), -T, LONGEST - T)

    def _value(self, usual: Any, *odd: Any) -> Any:
        return usual if self._dice.random() > 0.1 else self._dice.choice(odd)


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
            assert isinstance(as_read, MediaRecord)
            windows = assignment.feed(sources[name], offset, record.session_id, as_read, 1)
            while windows:
                window = windows.pop(0)
                if not isinstance(window.work, Missing):
                    written += write(SESSION, window.work)
                windows += assignment.done(window)
    (unsaved,) = assignment.unsaved()
    assert len(unsaved.text) < MAX_RECORD_BYTES
    assert all(len(CODEC.encode(to, record)) <= MAX_RECORD_BYTES for record in written)
    assert unsaved.state.finished, "the session never ends"
    return written
