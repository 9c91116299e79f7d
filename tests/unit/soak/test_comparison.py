"""The comparison finds what it is there for: each way of losing, doubling and changing something is seen."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from schemas import chat_messages, object_names
from schemas.chat_messages import ChatDetails
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import HistoryEntry, OutputKind, ParticipantEvent, Segment, SessionChange, Utterance
from tests.soak import sound
from tests.soak.comparison import again, differences
from tests.soak.expected import CHANGES, Expected
from tests.soak.observed import Observed, Rows
from tests.support.deleted_chat import settled

S = "app_0123456789abcdef"

UTTERANCES = (
    *(Utterance(session_id=S, kind=OutputKind.ITEM, utterance_id=f"utt_{n}", start_ms=n, text=f"{n}") for n in (1, 2)),
    Utterance(session_id=S, kind=OutputKind.END, count=2),
)
EVENTS = (
    ParticipantEvent(session_id=S, kind=OutputKind.ITEM, event_id="pe_1", event="join", timestamp_ms=3),
    ParticipantEvent(session_id=S, kind=OutputKind.END, count=1),
)
SEGMENTS = (
    Segment(session_id=S, kind=OutputKind.ITEM, segment_id="seg_1", start_ms=4000, init=b"header", payload=b"media"),
    Segment(session_id=S, kind=OutputKind.END, start_ms=4000, count=1),
)
EXPECTED = Expected(UTTERANCES, EVENTS, SEGMENTS, b"movie")
KEY = object_names.segment_key(SEGMENTS[0])


def change(number: int) -> SessionChange:
    event, old, new = CHANGES[number]
    entry = HistoryEntry(event_type=event, old_state=old, new_state=new, created_at_ms=0)
    return SessionChange(session_id=S, project_id="p", sequence=number, change=entry)


def rows(utterances: tuple[str, ...] = ("1", "2"), distinct: int = 2) -> dict[str, Rows]:
    spoken = [{"utterance_id": f"utt_{text}", "start_ms": int(text), "text": text} for text in utterances]
    return {
        "utterances": Rows(spoken, distinct),
        "participant_events": Rows([{"event_id": "pe_1", "event": "join"}], 1),
        "app_sessions": Rows([{"session_id": S, "state": "ended"}], 1),
    }


WHOLE = Observed(
    UTTERANCES, EVENTS, SEGMENTS, [change(n) for n in range(5)], rows(), {KEY: b"media"}, b"movie"
)  # fmt: skip


def changed_rows(**changes: Rows) -> Callable[[Observed], Observed]:
    return lambda whole: replace(whole, rows={**whole.rows, **changes})


def test_the_same_is_the_same_and_the_same_written_again_too() -> None:
    assert differences(EXPECTED, WHOLE) == []
    twice = replace(WHOLE, utterances=[*UTTERANCES, UTTERANCES[0]], segments=[SEGMENTS[0], *SEGMENTS])
    assert differences(EXPECTED, twice) == []
    assert again(EXPECTED, twice) == 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda w: replace(w, utterances=UTTERANCES[1:]), "1 × utterance lost"),
        (lambda w: replace(w, utterances=UTTERANCES[:-1]), "1 × utterance lost"),
        (lambda w: replace(w, utterances=[*UTTERANCES, replace(UTTERANCES[0], text="x")]), "at 1 ms in text"),
        (lambda w: replace(w, utterances=[*UTTERANCES, replace(UTTERANCES[0], utterance_id="x")]), "should not be"),
        (lambda w: replace(w, events=EVENTS[1:]), "participant event lost"),
        (lambda w: replace(w, segments=SEGMENTS[:1]), "segment lost"),
        (lambda w: replace(w, segments=[replace(SEGMENTS[0], payload=b"?"), SEGMENTS[1]]), "segment different"),
        (changed_rows(utterances=rows(("1",)).get("utterances")), "utterances: row lost"),
        (changed_rows(utterances=rows(("1", "2", "2")).get("utterances")), "utterances: row doubled"),
        (changed_rows(utterances=rows(("1", "2", "3")).get("utterances")), "row that should not be"),
        (changed_rows(utterances=rows(distinct=3).get("utterances")), "3 ids without FINAL, expected 2"),
        (changed_rows(participant_events=Rows([{"event_id": "pe_1", "event": "leave"}], 1)), "pe_1 different"),
        (changed_rows(app_sessions=Rows([{"session_id": S, "state": "post_processing"}], 1)), "app_sessions"),
        (changed_rows(app_sessions=Rows([{"state": "ended"}, {"state": "ended"}], 2)), "app_sessions"),
        (lambda w: replace(w, objects={}), "object lost"),
        (lambda w: replace(w, objects={KEY: b"?"}), "object different"),
        (lambda w: replace(w, objects={KEY: b"media", "other": b""}), "object that should not be"),
        (lambda w: replace(w, movie=b""), "recording lost"),
        (lambda w: replace(w, changes=w.changes[:-1]), "session changes"),
        (lambda w: replace(w, changes=[*w.changes, w.changes[-1]]), "session changes"),
    ],
)
def test_each_way_to_spoil_a_result_is_seen(spoil: Callable[[Observed], Observed], said: str) -> None:
    [line] = differences(EXPECTED, spoil(WHOLE))
    assert said in line


def test_the_words_of_a_deleted_message_are_gone_from_its_row_and_may_be_gone_from_its_record() -> None:
    said, deleted = (
        ParticipantEvent(session_id=S, kind=OutputKind.ITEM, event_id=f"msg_1.{number}", event=event,
                         details=chat_messages.dumps(ChatDetails(text=text)))
        for number, (event, text) in enumerate([(CHAT_MESSAGE, "words"), (CHAT_MESSAGE_DELETED, "")])
    )  # fmt: skip
    left = settled([said, deleted])
    assert "words" not in left[0].details
    expected = replace(EXPECTED, events=[said, deleted])

    def observed(in_rows: list[ParticipantEvent]) -> Observed:
        seen = [{"event_id": event.event_id, "details": event.details} for event in in_rows]
        found = replace(WHOLE, events=[said, deleted, left[0]])
        return changed_rows(participant_events=Rows(seen, len(seen)))(found)

    assert differences(expected, observed(left)) == []
    assert "msg_1.0 different" in differences(expected, observed([said, deleted]))[0]


def test_how_far_two_sounds_are_apart() -> None:
    tone = np.sin(np.arange(16_000) / 5).astype(np.float32)
    assert sound.apart_db(tone, tone) < -100
    assert sound.apart_db(tone, tone * 1.001) == pytest.approx(-60, abs=1)
    assert sound.apart_db(tone, tone[:-1]) == 0
