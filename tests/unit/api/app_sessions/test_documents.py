"""App sessions as clients see them."""

from api.app_sessions.documents import document
from schemas import ids
from schemas.records import AppSession, AsyncTranscription, HistoryEntry, Hole, StreamRequest


def entry(event_type, **fields):
    return HistoryEntry(
        event_type=event_type, old_state="ready", new_state="connecting", created_at_ms=1_700_000_000_001, **fields
    )


def session(**fields):
    values = {
        "session_id": "app_1", "project_id": "p1", "state": "connecting", "settings": "{}", "metadata": None,
        "request": StreamRequest(
            product="meeting", meeting_id="m", stream_id="s1", server_urls=("wss://x",), zoom_app_id="z"
        ),
        "history": (entry("app_session_connection_requested", metadata='{"source":"api"}'),),
        "recording_state": "not_started", "transcription_state": "not_started", "awaiting": (),
        "created_at_ms": 1_700_000_000_001, "epoch": -1, "folded_offset": 0,
    }  # fmt: skip
    return AppSession(**(values | fields))


def test_the_shape_clients_know():
    assert document(session(metadata='{"a":"b"}')) == {
        "id": "app_1",
        "metadata": {"a": "b"},
        "state": "connecting",
        "events": [
            {
                "type": "app_session_connection_requested",
                "created_at": "2023-11-14T22:13:20.001000Z",
                "event_metadata": {"source": "api"},
            }
        ],
        "transcription_state": "not_started",
        "recording_state": "not_started",
        "deduplication_key": None,
        "zoom_rtms_stream_id": "s1",
        "created_at": "2023-11-14T22:13:20.001000Z",
        "failures": [],
        "holes": [],
        "pauses": [],
        "retention_hours": None,
        "expires_at": None,
        "completeness": {
            medium: {"complete": True, "missing_ms": 0}
            for medium in ("audio", "video", "share", "captions", "chat", "events")
        },
        "async_transcriptions": [],
    }


def test_how_far_an_async_transcription_is():
    changed = entry("async_transcription_state_change")
    failed = AsyncTranscription(
        transcription_id="tran_1", settings="{}", state="failed", created_at_ms=1_700_000_000_001,
        updated_at_ms=1_700_000_000_002, reason="timed_out,rate_limit_exceeded",
    )  # fmt: skip
    found = document(session(history=(changed,), async_transcriptions=(failed,)))
    assert found["async_transcriptions"] == [{
        "id": "tran_1", "state": "failed", "created_at": "2023-11-14T22:13:20.001000Z",
        "updated_at": "2023-11-14T22:13:20.002000Z",
        "failure_data": {"failure_reasons": ["timed_out", "rate_limit_exceeded"]},
    }]  # fmt: skip
    assert found["events"] == [], "clients know no such step of a session's life"


def test_a_sub_type_is_there_only_when_it_says_something():
    [event] = document(session(history=(entry("fatal_error", sub_type="zoom_connection_failed"),)))["events"]
    assert event["sub_type"] == "zoom_connection_failed"
    assert "event_metadata" not in event


def test_holes_name_the_participant_as_everything_else_does():
    holes = (Hole(medium="audio", from_ms=1, to_ms=2, cause="c"),
             Hole(medium="audio", participant_id=7, from_ms=1, to_ms=2, cause="c"))  # fmt: skip
    found = document(session(holes=holes))
    assert [hole["participant_uuid"] for hole in found["holes"]] == [None, ids.participant_uuid("app_1", 7)]
    assert found["completeness"]["audio"] == {"complete": False, "missing_ms": 1}
    assert found["completeness"]["video"] == {"complete": True, "missing_ms": 0}


def test_nothing_secret_is_shown():
    assert "wss://x" not in str(document(session()))


def test_clients_never_see_where_workers_are():
    shown = document(session(addresses=("10.0.0.7:9090",), worker="ingest-7"))
    assert shown == document(session())
