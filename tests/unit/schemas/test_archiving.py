"""Who may leave the log, when, and what comes back."""

import json
from dataclasses import replace

import pytest

from schemas import archiving, deletion, sessions
from schemas.deletion import OF_TRANSCRIPT, Part
from schemas.records import FactKind
from schemas.session_states import TERMINAL, State
from tests.unit.schemas.test_sessions import CLAIMED, WHOLE, fact, life, requested

ENDED = life(*WHOLE)
REFUSED = life(requested(), CLAIMED, fact("connection_failed", epoch="claim", reason="x"))
ERASED = [fact("data_erased", part=part) for part in Part]


def archived(state, offset=None):
    return fact("archived", folded_offset=state.folded_offset if offset is None else offset)


@pytest.mark.parametrize("state", [ENDED, REFUSED, life(*WHOLE, fact("data_deleted"), *ERASED)])
def test_a_settled_session_is_archived_and_comes_back_as_it_was(state):
    assert archiving.is_settled(state)
    assert life(archived(state), state=state, offset=50) is None
    back = life(fact("recalled", document=archiving.as_document(state)), offset=51)
    assert back == replace(state, folded_offset=51)
    changed = life(fact("metadata_replaced", metadata="{}"), state=back, offset=52)
    assert changed == replace(state, folded_offset=52, metadata="{}")


@pytest.mark.parametrize("count", range(1, len(WHOLE)))
def test_what_is_not_over_is_not_archived(count):
    state = life(*WHOLE[:count])
    assert not archiving.is_settled(state)
    assert life(archived(state), state=state, offset=50) == replace(state, folded_offset=50)


def test_whose_term_runs_is_not_archived_before_all_is_erased():
    kept = life(requested(retention_hours=1), *WHOLE[1:])
    assert not archiving.is_settled(kept)
    gone = sessions.fold(kept, fact("data_deleted", reason=deletion.RETENTION), 50, 2**50)
    assert not archiving.is_settled(gone)
    assert archiving.is_settled(life(*ERASED, state=gone, offset=51))


def test_of_which_something_is_still_to_be_erased_is_not_archived():
    for asked, said in (
        (life(*WHOLE, fact("data_deleted")), ERASED),
        (
            life(*WHOLE, fact("transcript_deleted")),
            [fact("data_erased", part=part, as_of_ms=1000 + len(WHOLE)) for part in OF_TRANSCRIPT],
        ),
    ):
        for count in range(len(said)):
            state = life(*said[:count], state=asked, offset=20)
            assert life(archived(state), state=state, offset=50) is not None
        assert archiving.is_settled(life(*said, state=asked, offset=20))


def test_a_state_that_has_changed_since_is_not_meant():
    for offset in (ENDED.folded_offset - 1, ENDED.folded_offset + 1, None):
        said = fact("archived", folded_offset=offset)
        assert life(said, state=ENDED, offset=50) == replace(ENDED, folded_offset=50)


def test_who_is_known_is_not_recalled():
    older = replace(ENDED, metadata='{"old": true}', folded_offset=3)
    for state in (ENDED, life(*WHOLE, fact("data_deleted")), life(*WHOLE[:3])):
        after = life(fact("recalled", document=archiving.as_document(older)), state=state, offset=50)
        assert after == replace(state, folded_offset=50)


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        "[]",
        "{}",
        archiving.as_document(replace(ENDED, session_id="app_2")),
        archiving.as_document(life(*WHOLE[:3])),
        archiving.as_document(replace(ENDED, state="unheard of")),
    ],
)
def test_what_is_no_session_that_is_over_does_not_come_back(document):
    assert sessions.fold(None, fact("recalled", document=document), 1, 1) is None


def test_of_what_is_not_known_nothing_is_archived():
    assert sessions.fold(None, fact("archived", folded_offset=1), 2, 2) is None


def test_a_document_of_another_release_is_read():
    fields = json.loads(archiving.as_document(ENDED)) | {"a_newer_field": 1}
    del fields["pauses"], fields["transcript_deletion"]
    assert archiving.from_document(json.dumps(fields)) == ENDED


def test_in_every_state_that_is_over_and_in_no_other_there_is_a_way_off_the_log():
    ways = {state for state, answers in sessions.TABLE.items() if FactKind.ARCHIVED in answers}
    assert ways == TERMINAL
    assert all(FactKind.RECALLED not in answers for answers in sessions.TABLE.values())
    assert State.ENDED in ways
