"""A letter keeps the start of what came, says how long it was, where it was, and whose."""

import hashlib

import pytest

from connectors.kafka import dead_letters
from connectors.kafka.dead_letters import Notices, Origin, letter_of
from connectors.kafka.metrics import DEAD_LETTERS as COUNTED
from schemas.codec import Codec
from schemas.excerpts import KEPT_BYTES, Excerpting, excerpt_of
from schemas.topics import ALL, DEAD_LETTERS


def test_a_small_input_is_kept_whole() -> None:
    letter = letter_of(Origin("rtms.audio", 3, 17, b"app_1"), "no Confluent header", b"\x00\xff")
    assert (letter.data, letter.length, letter.session_id, letter.key) == (b"\x00\xff", 2, "app_1", b"app_1")


def test_a_large_input_is_cut_but_identified() -> None:
    data = bytes(range(256)) * 2048
    letter = letter_of(Origin("rtms.video", 0, 1), "r" * 5000, data)
    assert letter.data == data[:KEPT_BYTES]
    assert (letter.length, letter.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert len(letter.reason) <= 200


@pytest.mark.parametrize(
    ("key", "given", "whose"),
    [
        (b"app_1", None, "app_1"), (b"app_1|utt_2", None, "app_1"), (b"app_1", "app_2", "app_2"),
        (None, None, None), (b"", None, None), (b"|", None, None), (b"\xff\xfe", None, "\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_whose_it_is_says_the_caller_or_the_key(key: bytes | None, given: str | None, whose: str | None) -> None:
    assert letter_of(Origin("transcripts", 0, 1, key), "bad", b"x", given).session_id == whose


def test_a_key_that_is_too_long_to_be_ours_is_left_out_so_that_the_letter_fits() -> None:
    letter = letter_of(Origin("rtms.audio", 0, 1, b"k" * 8_000_000), "bad", bytes(1_000_000))
    assert (letter.key, letter.session_id) == (None, None)
    assert len(Codec.with_ids_from(ALL).encode(DEAD_LETTERS, letter)) < 300 * 1024


def test_a_letter_is_a_record_of_its_topic() -> None:
    codec = Codec.with_ids_from(ALL)
    letter = letter_of(Origin("rtms.video", 0, 1, b"k"), "bad", b"x")
    assert codec.decode(DEAD_LETTERS, codec.encode(DEAD_LETTERS, letter)) == letter


@pytest.mark.parametrize("size", [0, 1, KEPT_BYTES - 1, KEPT_BYTES, KEPT_BYTES + 1, 3 * KEPT_BYTES])
@pytest.mark.parametrize("step", [1000, KEPT_BYTES, 10**6])
def test_an_excerpt_does_not_depend_on_how_its_pieces_came(size: int, step: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    pieces = Excerpting()
    for start in range(0, size, step):
        pieces.add(data[start : start + step])
    assert pieces.excerpt() == excerpt_of(data)
    assert excerpt_of(data).is_whole == (size <= KEPT_BYTES)


def test_a_flood_of_letters_is_counted_and_no_flood_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[int] = []
    monkeypatch.setattr(dead_letters.log, "warning", lambda _message, **fields: lines.append(fields["letters"]))
    notices, before = Notices(), COUNTED.labels("flood")._value.get()
    for offset in range(2500):
        notices.note(letter_of(Origin("flood", 0, offset), "bad", b"x"))
    assert lines == [*range(1, 101), 1000, 2000]
    assert COUNTED.labels("flood")._value.get() - before == 2500
