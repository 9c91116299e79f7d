"""What a receipt says is gone, and until when the rest goes."""

from dataclasses import replace

from api.app_sessions.receipts import HOLDING, HOLDING_WORDS, receipt, transcript_receipt
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import longest_kept_ms
from schemas import topics
from schemas.deletion import Part
from schemas.records import AppSession, Deletion, ErasedPart, HistoryEntry, Stored, StreamRequest
from schemas.times import iso_utc

AT_MS, DAY_MS = 1_700_000_000_000, 24 * 3_600_000
KEPT_MS = {topic: DAY_MS for topic in HOLDING if topic.retention_ms is not None}
DELETED = HistoryEntry(event_type="data_deleted", old_state="ended", new_state="data_deleted", created_at_ms=AT_MS + 5)
REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
SESSION = AppSession(
    session_id="app_1", project_id="p", state="data_deleted", request=REQUEST, settings="{}", metadata=None,
    history=(DELETED,), recording_state="", transcription_state="", awaiting=(), created_at_ms=AT_MS, epoch=-1,
    folded_offset=0,
)  # fmt: skip
ERASED = tuple(ErasedPart(part=part, count=3, erased_at_ms=AT_MS + n) for n, part in enumerate(Part, 1))


def of(*parts, **fields):
    deletion = Deletion(reason="asked", asked_at_ms=AT_MS, parts=parts)
    return receipt(replace(SESSION, **fields), deletion, KEPT_MS)


def test_it_is_complete_when_every_part_is_gone_and_the_session_is_over():
    whole = of(*ERASED)
    assert (whole["complete"], whole["completed_at"]) == (True, iso_utc(AT_MS + 3))
    assert [part["count"] for part in whole["erased"]] == [3, 3, 3]
    for parts, state in ((ERASED[:2], "data_deleted"), (ERASED, "disconnecting"), ((), "data_deleted")):
        unfinished = of(*parts, state=state)
        assert (unfinished["complete"], unfinished["completed_at"]) == (False, None)
    assert [part["part"] for part in of()["erased"]] == list(Part), "what nobody has said anything of is there, too"


def test_what_is_retained_goes_from_the_last_moment_on_when_something_was_written():
    late = ErasedPart(part="rows", count=0, erased_at_ms=AT_MS + 9)
    for found, last_ms in ((of(), AT_MS + 5), (of(late), AT_MS + 9), (of(history=()), AT_MS)):
        assert {entry["gone_by"] for entry in found["retained"]} == {iso_utc(last_ms + DAY_MS), None}
    replaced = {entry["topic"] for entry in of()["retained"] if entry["is_replaced"]}
    assert replaced == {
        "transcripts", "participant-events", "webhook-deliveries", "participants-state", "transcription-state",
    }  # fmt: skip


def test_what_processors_remember_of_a_session_is_replaced_when_it_is_over():
    asked = Deletion(reason="asked", asked_at_ms=AT_MS)
    for state, is_over in (("connected", False), ("post_processing", False), ("ended", True), ("data_deleted", True)):
        session = replace(SESSION, state=state)
        for found in (receipt(session, asked, KEPT_MS), transcript_receipt(session, asked, KEPT_MS)):
            [entry] = [entry for entry in found["retained"] if entry["topic"] == "transcription-state"]
            assert (entry["is_replaced"], entry["gone_by"]) == (is_over, None), state


def test_every_topic_with_content_is_in_it():
    dated = [topic for topic in HOLDING if longest_kept_ms(topic, KafkaSettings()) is not None]
    assert set(HOLDING) - set(dated) == {topics.PARTICIPANTS_STATE, topics.TRANSCRIPTION_STATE}
    assert set(HOLDING_WORDS) < set(HOLDING)
    without = {topic.name for topic in topics.ALL} - {topic.name for topic in HOLDING}
    control = {topic.name for topic in topics.CONTROL_PLANE_TOPICS}
    assert without - control == {
        "session-facts", "app-sessions", "session-changes", "claims", "muxing-state",
    }  # fmt: skip


def test_a_copy_in_the_customers_own_bucket_is_named_and_theirs():
    assert of()["external_copy"] is None
    copy = Stored(key="acme/weekly/1.mp4", size_bytes=7)
    assert of(*ERASED, external_copy=copy)["external_copy"] == {
        "bucket_name": "acme", "recording_file_name": "weekly/1.mp4", "size_bytes": 7,
    }  # fmt: skip
    assert of(*ERASED, external_copy=copy)["complete"]
