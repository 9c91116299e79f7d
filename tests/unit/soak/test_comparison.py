"""The comparison finds what it is there for: each way of losing, doubling and changing something is seen."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from schemas import chat_messages, object_names
from schemas.async_transcriptions import CHANGED
from schemas.chat_messages import ChatDetails
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import (
    HistoryEntry,
    OutputKind,
    ParticipantEvent,
    Segment,
    SessionChange,
    Utterance,
    UtteranceStatus,
)
from tests.soak import sound
from tests.soak.comparison import again, differences
from tests.soak.expected import CHANGES, SIDE_STEPS, Expected
from tests.soak.observed import Observed, Rows
from tests.soak.orders import LIVE
from tests.soak.stored import Stored
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
KEY, MOVIE, TRACK = object_names.segment_key(SEGMENTS[0]), object_names.movie_key(S), object_names.track_key(S, "share")
OBJECTS = {KEY: b"media", MOVIE: b"movie", TRACK: b"track"}
EXPECTED = Expected(UTTERANCES, EVENTS, SEGMENTS, Stored(OBJECTS, MOVIE))
BESIDE = replace(EXPECTED, sides=["tran_1"])


def change(number: int) -> SessionChange:
    event, old, new = CHANGES[number]
    entry = HistoryEntry(event_type=event, old_state=old, new_state=new, created_at_ms=0)
    return SessionChange(session_id=S, project_id="p", sequence=number, change=entry)


def side_change(number: int, side: str = "tran_1") -> SessionChange:
    told = json.dumps({"id": side, "state": SIDE_STEPS[number], "failure_data": None})
    entry = HistoryEntry(event_type=CHANGED, old_state="ended", new_state="ended", created_at_ms=0, metadata=told)
    return SessionChange(session_id=S, project_id="p", sequence=len(CHANGES) + number, change=entry)


def rows(utterances: tuple[str, ...] = ("1", "2"), distinct: int = 2) -> dict[str, Rows]:
    spoken = [{"utterance_id": f"utt_{text}", "start_ms": int(text), "text": text} for text in utterances]
    return {
        "utterances": Rows(spoken, distinct),
        "participant_events": Rows([{"event_id": "pe_1", "event": "join"}], 1),
        "app_sessions": Rows([{"session_id": S, "state": "ended"}], 1),
    }


WHOLE = Observed(
    UTTERANCES, (), EVENTS, SEGMENTS, [change(n) for n in range(5)], rows(), OBJECTS
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
        (lambda w: replace(w, objects={}), "3 × object lost"),
        (lambda w: replace(w, objects=OBJECTS | {KEY: b"?"}), "object different"),
        (lambda w: replace(w, objects=OBJECTS | {"other": b""}), "object that should not be"),
        (lambda w: replace(w, objects={KEY: b"media", TRACK: b"track"}), "object lost: sessions"),
        (lambda w: replace(w, changes=[*w.changes, side_change(0)]), "session changes"),
        (lambda w: replace(w, changes=w.changes[:-1]), "session changes"),
        (lambda w: replace(w, changes=[*w.changes, w.changes[-1]]), "session changes"),
    ],
)
def test_each_way_to_spoil_a_result_is_seen(spoil: Callable[[Observed], Observed], said: str) -> None:
    [line] = differences(EXPECTED, spoil(WHOLE))
    assert said in line


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [side_change(0)],
        [side_change(0), side_change(1, "tran_2")],
        [side_change(0), side_change(0)],
        [side_change(0), side_change(1), side_change(1)],
    ],
)
def test_each_side_transcript_has_its_steps_once(changes: list[SessionChange]) -> None:
    with_changes = replace(WHOLE, changes=[*WHOLE.changes, *changes])
    [line] = differences(BESIDE, with_changes)
    assert "session changes" in line
    assert differences(BESIDE, replace(WHOLE, changes=[*WHOLE.changes, side_change(0), side_change(1)])) == []


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


def told(revision: int, text: str = "so far", utterance_id: str = "utt_1") -> Utterance:
    return Utterance(session_id=S, kind=OutputKind.ITEM, utterance_id=utterance_id, revision=revision,
                     status=UtteranceStatus.PARTIAL, text=text)  # fmt: skip


@pytest.mark.parametrize(
    ("partials", "said"),
    [
        ([told(600), told(1200), told(600)], ""),
        ([told(600), told(1900)], "partial that is no older than its utterance"),
        ([told(600, utterance_id="utt_9"), told(901, "", "utt_9")], ""),
        ([told(901, "", "utt_9"), told(1200, utterance_id="utt_9")], "partial that nothing came of"),
    ],
)
def test_partials_lead_to_what_is_final(partials: list[Utterance], said: str) -> None:
    final = replace(UTTERANCES[0], revision=1801)
    expected = replace(EXPECTED, utterances=[final, *UTTERANCES[1:]])
    observed = replace(WHOLE, utterances=expected.utterances, partials=partials)
    assert "; ".join(differences(expected, observed)).partition(":")[0].partition(" × ")[2] == said


def test_a_caption_that_was_changed_is_there_in_each_revision_and_its_row_in_the_last() -> None:
    changed = replace(UTTERANCES[0], revision=2, text="2")
    expected = replace(EXPECTED, utterances=[*UTTERANCES, changed])
    observed = changed_rows(utterances=Rows([row(changed), row(UTTERANCES[1])], 2))(WHOLE)
    assert differences(expected, replace(observed, utterances=expected.utterances)) == []
    assert "utterance lost" in differences(expected, observed)[0]
    early = changed_rows(utterances=Rows([row(UTTERANCES[0]), row(UTTERANCES[1])], 2))(WHOLE)
    assert "utt_1 different" in differences(expected, replace(early, utterances=expected.utterances))[0]


def row(said: Utterance) -> dict[str, object]:
    return {"utterance_id": said.utterance_id, "text": said.text, "revision": said.revision}


def test_of_what_was_heard_live_the_words_may_be_others() -> None:
    heard = [replace(said, engine="deepgram") for said in UTTERANCES]
    other = [replace(said, text="other words") for said in heard]
    expected, observed = replace(EXPECTED, utterances=heard), replace(WHOLE, utterances=other)
    assert "utterance different" in differences(expected, observed)[0]
    live = replace(expected, live=LIVE)
    assert differences(live, observed) == []
    moved = [replace(said, end_ms=9) for said in heard]
    assert "utterance different" in differences(live, replace(observed, utterances=moved))[0]
