"""What a receipt says is gone, and until when the rest goes."""

from dataclasses import replace

from api.app_sessions.receipts import HOLDING, receipt
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import longest_kept_ms
from schemas import topics
from schemas.deletion import Part
from schemas.records import AppSession, Deletion, ErasedPart, HistoryEntry, StreamRequest
from schemas.times import iso_utc

AT_MS, DAY_MS = 1_700_000_000_000, 24 * 3_600_000
KEPT_MS = dict.fromkeys(HOLDING, DAY_MS)
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
    assert {entry["gone_by"] for entry in of()["retained"]} == {iso_utc(AT_MS + 5 + DAY_MS)}
    late = ErasedPart(part="rows", count=0, erased_at_ms=AT_MS + 9)
    assert {entry["gone_by"] for entry in of(late)["retained"]} == {iso_utc(AT_MS + 9 + DAY_MS)}
    assert {entry["gone_by"] for entry in of(history=())["retained"]} == {iso_utc(AT_MS + DAY_MS)}


def test_every_topic_with_content_goes_by_a_date():
    settings = KafkaSettings()
    assert all(longest_kept_ms(topic, settings) is not None for topic in HOLDING)
    without = {topic.name for topic in topics.ALL} - {topic.name for topic in HOLDING}
    states = {"transcription-state", "muxing-state", "participants-state"}
    control = {topic.name for topic in topics.CONTROL_PLANE_TOPICS}
    assert without - states - control == {"session-facts", "app-sessions", "session-changes", "claims"}
