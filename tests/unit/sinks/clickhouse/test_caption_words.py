"""What is looked for of captions that Zoom has changed, and what is done about it."""

from dataclasses import replace

import pytest

from schemas.records import DeliveryStatus
from schemas.signing import canonical
from schemas.triggers import Trigger
from sinks.clickhouse.caption_words import MOST, CaptionWords
from sinks.clickhouse.rows import Position, row_of
from sinks.clickhouse.told_captions import ToldCaptions
from tests.unit.sinks.clickhouse.test_pending import utterance
from tests.unit.sinks.clickhouse.test_rows import DELIVERY

DATA = {"engine": "zoom", "segment_id": "utt_1", "timestamp_ms": 5, "revision": 1}
TOLD = replace(DELIVERY, trigger=Trigger.TRANSCRIPT, status=DeliveryStatus.DELIVERED, body=canonical({"data": DATA}))
GONE = replace(utterance("utt_2", revision=7), withdraws=True)


class Asked:
    """Stands for a table with these rows, whatever it is asked for, and keeps what that was."""

    def __init__(self, *rows):
        self.rows, self.pieces, self.commands = rows, [], []

    def query(self, _sql, parameters, _patience_s):
        self.pieces.append(parameters["utterances"])
        return list(self.rows)

    def command(self, sql, parameters=None, patience_s=None):
        self.commands.append((sql.split()[0], parameters))


def row(value):
    return row_of(value, Position(3, 40, 9))[1]


def looked_for(*records):
    asked = Asked()
    assert ToldCaptions(asked).left(records) == []
    return [one for piece in asked.pieces for one in piece]


def test_what_was_told_and_is_over_is_looked_for_and_what_withdraws():
    assert looked_for(TOLD) == ["utt_1"]
    assert looked_for(GONE) == ["utt_2"]


@pytest.mark.parametrize(
    "data",
    [None, [], "x", {}, DATA | {"engine": "moonshine"}, DATA | {"segment_id": 7}, DATA | {"timestamp_ms": None},
     DATA | {"revision": "1"}],
    ids=str,
)  # fmt: skip
def test_what_tells_of_something_else_is_not(data):
    assert looked_for(replace(TOLD, body=canonical({"data": data}))) == []


def test_neither_is_what_is_still_tried_or_unreadable_nor_what_only_says_something():
    tried, chat = replace(TOLD, status=DeliveryStatus.PENDING), replace(TOLD, trigger=Trigger.CHAT)
    unreadable = (replace(TOLD, body=body) for body in ("no JSON", "{}", "[" * 100_000))
    assert looked_for(tried, chat, *unreadable, utterance("utt_2", "hi")) == []


def test_a_large_batch_is_asked_about_in_pieces():
    asked = Asked()
    captions = [utterance(f"utt_{number}", "hi") for number in range(3 * MOST + 1)]
    assert CaptionWords(asked).left([*captions, *captions]) == []
    assert sorted(one for piece in asked.pieces for one in piece) == sorted(one.utterance_id for one in captions)
    assert max(map(len, asked.pieces)) == MOST


@pytest.mark.parametrize(
    ("written", "is_put_right"),
    [((1,), True), ((7,), False), ((1, 7), False), ((7, 1), True), ((7, 1, 7), False)],
)
def test_a_record_that_stands_behind_a_newer_one_is_put_right(written, is_put_right):
    """Whatever else of it the same batch has: the last is what compaction would keep."""
    asked = Asked(row(GONE))
    found = CaptionWords(asked).left([utterance("utt_2", "words", revision=revision) for revision in written])
    assert [(one.item, one.value, one.at.partition) for one in found] == [("utt_2", GONE, 3)] * is_put_right


def test_rows_of_what_was_deleted_go_at_once_and_of_what_was_changed_by_and_by():
    asked = Asked(row(GONE), row(utterance("utt_3", "better", revision=4)))
    assert CaptionWords(asked).left([GONE, utterance("utt_3", "better", revision=4)]) == []
    which = {"sessions": ["app_1"], "utterances": ["utt_2"], "revisions": [7]}
    assert asked.commands == [("DELETE", which), ("ALTER", None)]


def test_many_deletions_are_few_changes_of_the_table():
    gone = [replace(utterance(f"utt_{number}", revision=2), withdraws=True) for number in range(MOST)]
    asked = Asked(*map(row, gone))
    assert CaptionWords(asked).left(gone) == []
    assert [name for name, _ in asked.commands] == ["DELETE", "ALTER"]
