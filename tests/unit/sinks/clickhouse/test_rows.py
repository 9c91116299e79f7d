"""Records as rows: every column filled, nothing in it that a column cannot hold."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import clickhouse
from schemas.records import (
    AppSession,
    DeliveryStatus,
    OutputKind,
    ParticipantEvent,
    Project,
    StreamRequest,
    Utterance,
    UtteranceStatus,
    WebhookDelivery,
)
from sinks.clickhouse.rows import Position, Unfit, row_of

AT = Position(partition=3, offset=9, appended_ms=1_700_000_000_500)
NOW_MS = 1_700_000_000_000

UTTERANCE = Utterance(
    session_id="app_1", kind=OutputKind.ITEM, utterance_id="utt_1", revision=2, engine="zoom", participant_id=7,
    participant_name="Ada", start_ms=NOW_MS, end_ms=NOW_MS + 900, language="en", text="hello",
)  # fmt: skip
EVENT = ParticipantEvent(
    session_id="app_1", kind=OutputKind.ITEM, event_id="pe_1", event="join", participant_id=7, timestamp_ms=NOW_MS
)
SESSION = AppSession(
    session_id="app_1", project_id="proj_1", state="connected", settings="{}", metadata=None, history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="zoa_1"),
    recording_state="in_progress", transcription_state="not_started", awaiting=(), created_at_ms=NOW_MS, epoch=1,
    folded_offset=4,
)  # fmt: skip
DELIVERY = WebhookDelivery(
    delivery_id="whd_1", session_id="app_1", project_id="proj_1", subscription_id="webhook_1", url="https://a",
    trigger="bot.state_change", sequence=0, body="{}", status=DeliveryStatus.PENDING, due_ms=NOW_MS,
    created_at_ms=NOW_MS, notice_offset=2,
)  # fmt: skip


def test_a_higher_revision_has_the_higher_version_and_of_one_revision_the_later_record():
    """Up to the first it is the offset, as rows of earlier releases have it."""
    places = [(0, 3), (1, 4), (1, 2**39), (2, 0), (2, 7), (3, 1), (2**24, 2**40 - 1)]
    versions = [clickhouse.version(*place) for place in places]
    assert versions == sorted(set(versions))
    assert versions[:2] == [3, 4]
    assert max([*versions, clickhouse.version(2**32 - 1, 2**40 - 1)]) < 2**64


@pytest.mark.parametrize(
    ("value", "table"),
    [
        (UTTERANCE, clickhouse.UTTERANCES),
        (EVENT, clickhouse.PARTICIPANT_EVENTS),
        (SESSION, clickhouse.APP_SESSIONS),
        (DELIVERY, clickhouse.WEBHOOK_DELIVERIES),
    ],
)
def test_a_row_fills_all_columns_of_its_table(value, table):
    found, row = row_of(value, AT)
    assert found is table
    assert row.keys() == table.columns.keys()
    assert row["_partition"] == 3
    assert row["_offset"] % 2**40 == 9


def test_times_of_writing_are_kafkas():
    assert row_of(UTTERANCE, AT)[1]["updated_at_ms"] == AT.appended_ms
    assert row_of(EVENT, AT)[1]["created_at_ms"] == AT.appended_ms


def test_a_session_comes_back_out_of_its_document():
    _, row = row_of(SESSION, AT)
    assert msgspec.json.decode(row["document"], type=AppSession) == SESSION


@pytest.mark.parametrize(
    "value",
    [
        Utterance(session_id="a", kind=OutputKind.ITEM, start_ms=-1, end_ms=0),
        Utterance(session_id="a", kind=OutputKind.ITEM, start_ms=0, end_ms=2**60),
        Utterance(session_id="a", kind=OutputKind.ITEM, revision=-1),
        ParticipantEvent(session_id="a", kind=OutputKind.ITEM, timestamp_ms=2**60),
        Project(project_id="p", name="n", created_at_ms=0),
    ],
)  # fmt: skip
def test_what_no_column_holds_is_unfit(value):
    with pytest.raises(Unfit):
        row_of(value, AT)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_any_numbers_make_a_row_or_are_unfit(start_ms, end_ms, revision):
    value = Utterance(
        session_id="a", kind=OutputKind.ITEM, start_ms=start_ms, end_ms=end_ms, revision=revision,
        status=UtteranceStatus.PARTIAL,
    )  # fmt: skip
    try:
        _, row = row_of(value, AT)
    except Unfit:
        return
    assert 0 <= row["start_ms"] < 2**42
    assert 0 <= row["revision"] < 2**32
