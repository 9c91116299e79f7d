"""What is pending: rows, endings and letters by partition, and what may be committed for them."""

from dataclasses import replace

from connectors.kafka.records import Place, Record
from schemas import clickhouse, topics
from schemas.deletion import emptied
from schemas.records import FactKind, OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from sinks.clickhouse.pending import Ending, Pending
from tests.support.memory_deletions import deleted
from tests.unit.schemas.test_deletion import TOLD

NOW_MS = 1_700_000_000_000


def record(offset, partition=0, topic=topics.TRANSCRIPTS):
    return Record(topic.name, partition, offset, NOW_MS, b"key", b"value")


def utterance(name="utt_1", text="", session="app_1", revision=1):
    return Utterance(
        session_id=session, kind=OutputKind.ITEM, utterance_id=name, engine="zoom", start_ms=NOW_MS, end_ms=NOW_MS,
        text=text, revision=revision,
    )  # fmt: skip


def texts(pending):
    return [row["text"] for _, rows in pending.rows() for row in rows]


def test_nothing_is_pending_at_first():
    pending = Pending()
    assert not pending
    assert pending.rows() == []
    assert pending.offsets() == {}


def test_of_one_id_only_the_last_is_written():
    pending = Pending()
    pending.add(record(4), utterance(text="hel"))
    pending.add(record(5), utterance(text="hello"))
    pending.add(record(7), utterance("utt_2", "you"))
    assert texts(pending) == ["hello", "you"]
    assert pending.offsets() == {Place("transcripts", 0): 8}


def test_of_an_utterance_the_highest_revision_is_written_wherever_it_stands():
    pending = Pending()
    for offset, (text, revision) in enumerate([("hel", 1), ("hello", 3), ("hallo", 2), ("hel", 1)]):
        pending.add(record(offset), utterance(text=text, revision=revision))
    assert texts(pending) == ["hello"]


def test_endings_wait_for_their_rows():
    pending = Pending()
    pending.add(record(0), utterance())
    pending.add(record(1), Utterance(session_id="app_1", kind=OutputKind.END, count=1))
    pending.add(record(0, 2, topics.PARTICIPANT_EVENTS), ParticipantEvent(session_id="app_2", kind=OutputKind.END))
    assert pending.endings() == [
        Ending("app_1", clickhouse.UTTERANCES, FactKind.TRANSCRIPT_STORED, 1),
        Ending("app_2", clickhouse.PARTICIPANT_EVENTS, FactKind.EVENTS_STORED, 0),
    ]
    assert len(pending.rows()) == 1


def test_a_side_transcript_has_an_end_of_its_own_that_says_what_failed():
    pending = Pending()
    end = Utterance(session_id="app_1", kind=OutputKind.SIDE_END, engine="tran_1", count=3)
    pending.add(record(0), end)
    pending.add(record(1), replace(end, status=UtteranceStatus.FAILED, reason="timed_out"))
    kind = FactKind.ASYNC_TRANSCRIPTION_STORED
    assert pending.endings() == [
        Ending("app_1", clickhouse.UTTERANCES, kind, 3, "tran_1"),
        Ending("app_1", clickhouse.UTTERANCES, kind, 3, "tran_1", "timed_out", failed=True),
    ]


def test_a_partition_that_moves_takes_its_part_along():
    pending = Pending()
    pending.add(record(0, 0), utterance(text="here"))
    pending.add(record(0, 1), utterance("utt_2", text="there", session="app_2"))
    pending.drop([Place("transcripts", 1), Place("transcripts", 5)])
    assert texts(pending) == ["here"]
    assert pending.offsets() == {Place("transcripts", 0): 1}


def test_what_is_no_row_becomes_a_letter_and_is_passed():
    pending = Pending()
    pending.refuse(record(3), "no Confluent header")
    pending.add(record(4), Utterance(session_id="a", kind=OutputKind.ITEM, start_ms=-1))
    assert [(letter.record.offset, letter.reason) for letter in pending.letters()] == [
        (3, "no Confluent header"),
        (4, "time out of range"),
    ]
    assert pending.rows() == []
    assert pending.offsets() == {Place("transcripts", 0): 5}


def test_a_tombstone_is_passed():
    pending = Pending()
    pending.add(record(3), None)
    assert pending
    assert pending.offsets() == {Place("transcripts", 0): 4}
    pending.clear()
    assert not pending


def test_what_is_deleted_is_erased_and_passed():
    pending = Pending()
    pending.add(record(3), utterance(text="kept", session="app_2"))
    pending.erase(record(4), utterance(), deleted())
    assert [(erasure.record.offset, erasure.left) for erasure in pending.erasures()] == [(4, None)]
    assert pending.deleted() == {deleted()}
    assert [value.session_id for value in pending.content()] == ["app_2"]
    assert texts(pending) == ["kept"]
    assert (pending.first_offsets(), pending.offsets()) == ({Place("transcripts", 0): 3}, {Place("transcripts", 0): 5})


def test_what_is_left_of_a_deleted_sessions_record_is_not_written_again():
    pending = Pending()
    pending.erase(record(4, topic=topics.WEBHOOK_DELIVERIES), emptied(TOLD), deleted())
    assert pending.erasures() == []
    assert pending.deleted() == {deleted()}, "what a predecessor made a row of is still looked for"
