"""What is stated of a session whose end was read."""

from dataclasses import replace

import pytest

from schemas import clickhouse
from schemas.records import FactKind
from sinks.clickhouse.completeness import Found, counting, verdict
from sinks.clickhouse.pending import Ending

TRANSCRIPT = Ending("app_1", clickhouse.UTTERANCES, FactKind.TRANSCRIPT_STORED, 30)
SIDE = Ending("app_1", clickhouse.UTTERANCES, FactKind.ASYNC_TRANSCRIPTION_STORED, 3, "tran_1")
EVENTS = Ending("app_1", clickhouse.PARTICIPANT_EVENTS, FactKind.EVENTS_STORED, 3)


@pytest.mark.parametrize(
    ("ending", "found", "kind", "reason"),
    [
        (TRANSCRIPT, Found(30, 30, 0), FactKind.TRANSCRIPT_STORED, None),
        (TRANSCRIPT, Found(41, 30, 0), FactKind.TRANSCRIPT_STORED, None),
        (TRANSCRIPT, Found(41, 28, 0), FactKind.TRANSCRIPT_FAILED, "rows_missing: 2 of 30"),
        (
            TRANSCRIPT,
            Found(41, 30, 4, frozenset({"timed_out", "internal_error"})),
            FactKind.TRANSCRIPT_FAILED,
            "utterances_failed: 4 of 41 (internal_error, timed_out)",
        ),
        (
            TRANSCRIPT,
            Found(9, 5, 4, frozenset({"timed_out"})),
            FactKind.TRANSCRIPT_FAILED,
            "rows_missing: 25 of 30, utterances_failed: 4 of 9 (timed_out)",
        ),
        (EVENTS, Found(3, 3, 0), FactKind.EVENTS_STORED, None),
        (EVENTS, Found(2, 2, 0), FactKind.EVENTS_FAILED, "rows_missing: 1 of 3"),
        (SIDE, Found(3, 3, 0), FactKind.ASYNC_TRANSCRIPTION_STORED, None),
        (SIDE, Found(4, 4, 0), FactKind.ASYNC_TRANSCRIPTION_STORED, None),
        (SIDE, Found(2, 2, 0), FactKind.ASYNC_TRANSCRIPTION_FAILED, "rows_missing"),
        (
            replace(SIDE, reason="stored_audio_missing"),
            Found(3, 3, 0),
            FactKind.ASYNC_TRANSCRIPTION_STORED,
            "stored_audio_missing",
        ),
        (
            replace(SIDE, reason="timed_out", failed=True),
            Found(3, 3, 0),
            FactKind.ASYNC_TRANSCRIPTION_FAILED,
            "timed_out",
        ),
        (
            replace(SIDE, reason="timed_out", failed=True),
            Found(1, 1, 0),
            FactKind.ASYNC_TRANSCRIPTION_FAILED,
            "rows_missing,timed_out",
        ),
    ],
)
def test_what_is_missing_or_failed_is_said(ending, found, kind, reason):
    fact = verdict(ending, found)
    assert (fact.kind, fact.reason) == (kind, reason)
    assert fact.stored.count == found.rows
    assert fact.transcription_id == ending.side


@pytest.mark.parametrize(
    ("reasons", "unfinished", "codes"),
    [
        ([], 0, set()),
        (["credentials_not_found", "timed_out"], 0, {"credentials_not_found", "timed_out"}),
        (["took longer than 60 s", ""], 0, {"internal_error"}),
        (["timed_out"], 2, {"timed_out", "utterances_still_in_progress_when_recording_terminated"}),
    ],
)
def test_why_utterances_failed_is_told_in_the_words_that_clients_know(reasons, unfinished, codes):
    row = {"rows": "9", "announced": "5", "failed": "4", "reasons": reasons, "unfinished": unfinished}
    assert Found.of(row) == Found(9, 5, 4, frozenset(codes))


def test_each_table_is_counted_by_its_own_measure():
    sql, parameters = counting(TRANSCRIPT)
    assert "engine = 'zoom'" in sql
    assert "status != 'final'" in sql
    assert "NOT startsWith(engine, 'tran_')" in sql, "a side transcript's failures are not the session's"
    assert "engine" not in counting(EVENTS)[0]
    assert parameters == counting(EVENTS)[1] == {"session_id": "app_1"}
    sql, parameters = counting(SIDE)
    assert "engine = {side:String}" in sql
    assert parameters == {"session_id": "app_1", "side": "tran_1"}
