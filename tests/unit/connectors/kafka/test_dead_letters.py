"""A letter keeps the start of what came, and says how long it was."""

import hashlib

from connectors.kafka.dead_letters import MAX_DATA_BYTES, letter_of
from schemas.codec import Codec
from schemas.topics import ALL, DEAD_LETTERS


def test_a_small_input_is_kept_whole() -> None:
    letter = letter_of("rtms.audio", 3, 17, "no Confluent header", b"\x00\xff", "app_1")
    assert (letter.data, letter.length, letter.session_id) == (b"\x00\xff", 2, "app_1")


def test_a_large_input_is_cut_but_identified() -> None:
    data = bytes(range(256)) * 2048
    letter = letter_of("rtms.video", 0, 1, "r" * 5000, data)
    assert letter.data == data[:MAX_DATA_BYTES]
    assert (letter.length, letter.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert len(letter.reason) <= 200


def test_a_letter_is_a_record_of_its_topic() -> None:
    codec = Codec.with_ids_from(ALL)
    letter = letter_of("rtms.video", 0, 1, "bad", b"x")
    assert codec.decode(DEAD_LETTERS, codec.encode(DEAD_LETTERS, letter)) == letter
