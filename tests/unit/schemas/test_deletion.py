"""What is content, and what may be left of it."""

from dataclasses import replace

from schemas import deletion
from schemas.records import (
    DeliveryAttempt,
    DeliveryStatus,
    HistoryEntry,
    OutputKind,
    ParticipantEvent,
    SessionChange,
    Utterance,
    WebhookDelivery,
)

SAID = Utterance(session_id="app_1", kind=OutputKind.ITEM, utterance_id="utt_1", text="the word")
CAME = ParticipantEvent(session_id="app_1", kind=OutputKind.ITEM, event_id="pe_1", participant_name="Ada")
TOLD = WebhookDelivery(
    delivery_id="whd_1", session_id="app_1", project_id="p", subscription_id="webhook_1", url="https://a",
    trigger="transcript.update", sequence=7, body='{"said":"the word"}', status=DeliveryStatus.PENDING,
    attempts=(DeliveryAttempt(at_ms=1, status_code=500, excerpt="the word?"),), due_ms=2, created_at_ms=1,
    notice_offset=3,
)  # fmt: skip


def test_what_was_said_who_was_there_and_telling_of_it_is_content():
    assert all(deletion.is_content(record) for record in (SAID, CAME, TOLD))
    step = HistoryEntry(event_type="e", old_state="a", new_state="b", created_at_ms=1)
    assert not deletion.is_content(SessionChange(session_id="app_1", project_id="p", sequence=0, change=step))
    assert not deletion.is_content(replace(TOLD, trigger="bot.state_change"))


def test_a_delivery_keeps_its_number_and_nothing_that_was_said():
    left = deletion.left_of(TOLD)
    assert "word" not in repr(left)
    assert (left.sequence, left.delivery_id, left.status) == (7, "whd_1", DeliveryStatus.FAILED)
    assert deletion.left_of(left) == left, "so that it is not written again and again"
    assert deletion.left_of(replace(TOLD, status=DeliveryStatus.DELIVERED)).status is DeliveryStatus.DELIVERED


def test_of_what_was_said_nothing_is_left():
    assert deletion.left_of(SAID) is None
    assert deletion.left_of(CAME) is None


def test_what_was_said_up_to_a_time_is_known_by_zooms_clock():
    """A processor that writes it again writes it later, and with the same times."""
    for record, is_gone in (
        (replace(SAID, start_ms=5), True), (replace(SAID, start_ms=6), False),
        (replace(SAID, kind=OutputKind.END), False), (CAME, False),
        (replace(TOLD, body='{"data":{"timestamp_ms":5}}'), True),
        (replace(TOLD, body='{"data":{"timestamp_ms":6}}'), False),
        (replace(TOLD, body='{"data":{"timestamp_ms":5}}', trigger="chat_messages.update"), False),
        (replace(TOLD, body="{}"), True), (replace(TOLD, body="nonsense"), True),
    ):  # fmt: skip
        assert deletion.is_said(record, 5) is is_gone, record
