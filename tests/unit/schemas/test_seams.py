"""What is missing between two connections, medium by medium: T is what was received before, B the new connection."""

from dataclasses import replace

import pytest

from schemas import seams
from schemas.records import Audio, Codec, Hole, RecordKind, Video

T = 100_000
B = T + 9_000
SURE = B + seams.TAKES_WORD_MS


def stretch(hole: Hole | None) -> tuple[int, int] | None:
    if hole is None:
        return None
    assert hole.cause == seams.CAUSE
    return hole.from_ms, hole.to_ms


MIXED, APART = 0, 100
"""What may lie beside the first chunk."""

AUDIO_CASES = {
    "the buffer goes on where it broke off": (T, MIXED, B, None),
    "the buffer repeats what was received": (T - 700, APART, B, None),
    "the buffer repeats the moment that was received": (T, APART, B, None),
    "somebody else may have spoken, too": (T + 100, APART, B, (T, T + 200)),
    "one chunk is missing": (T + 100, MIXED, B, (T, T + 100)),
    "the buffer begins when Zoom noticed": (T + 600, MIXED, B, (T, T + 600)),
    "nothing is repeated and nobody speaks": (None, MIXED, B, (T, B)),
    "nothing is repeated and nobody speaks for a moment": (None, MIXED, T + 200, (T, T + 200)),
    "nothing is repeated and somebody speaks later": (B + 4_000, APART, B, (T, B)),
}


def first(at_ms: int | None, beside_ms: int = 0) -> seams.First | None:
    return None if at_ms is None else seams.First(at_ms, beside_ms)


@pytest.mark.parametrize("case", AUDIO_CASES)
def test_of_audio_what_the_buffer_did_not_repeat(case: str) -> None:
    frame_ms, beside_ms, begun_ms, expected = AUDIO_CASES[case]
    assert stretch(seams.hole("audio", T, begun_ms, first(frame_ms, beside_ms))) == expected


@pytest.mark.parametrize("case", AUDIO_CASES)
def test_of_audio_that_was_handed_over_nothing_and_of_the_rest_the_same(case: str) -> None:
    frame_ms, beside_ms, begun_ms, _ = AUDIO_CASES[case]
    assert seams.hole("audio", T, begun_ms, first(frame_ms, beside_ms), handed_over=True) is None
    assert stretch(seams.hole("chat", T, begun_ms, None, handed_over=True)) == (T, begun_ms + seams.TAKES_WORD_MS)


@pytest.mark.parametrize("medium", ["video", "share"])
def test_of_pictures_all_up_to_the_first_one(medium: str) -> None:
    assert stretch(seams.hole(medium, T, B, first(B + 40))) == (T, B + 40)
    assert stretch(seams.hole(medium, T, B, first(B - 40))) == (T, B - 40)
    assert stretch(seams.hole(medium, T, B, None)) == (T, SURE), "Zoom may not have heard yet that somebody is ready"


@pytest.mark.parametrize("medium", ["captions", "chat", "events"])
def test_of_text_all_until_zoom_has_surely_heard_of_the_new_connection(medium: str) -> None:
    """A caption is stamped with the begin of what was said: an early stamp says nothing about what was heard."""
    assert stretch(seams.hole(medium, T, B, first(T - 5_000))) == (T, B)
    assert stretch(seams.hole(medium, T, B, first(B + 40))) == (T, B + 40), "it had heard by then"
    assert stretch(seams.hole(medium, T, B, first(SURE + 40))) == (T, SURE)
    assert stretch(seams.hole(medium, T, B, None)) == (T, SURE)


def test_clocks_that_disagree_make_no_negative_hole() -> None:
    assert all(seams.hole(medium, T, T - 9_000, None) is None for medium in ("audio", "video", "chat"))


def test_an_end_that_nobody_heard() -> None:
    assert stretch(seams.unheard_end("video", T, B)) == (T, B)
    assert seams.unheard_end("video", T, T + seams.ALL_BUT_OVER_MS) is None


HEAD = {"session_id": "s", "kind": RecordKind.FRAME, "epoch": 1, "sequence": 0, "timestamp_ms": T, "arrived_us": 0}
CHUNKS = {
    "L16": (Audio(**HEAD, codec=Codec.L16, sample_rate_hz=16_000, channels=1, payload=bytes(3_200)), 100, 100),
    "G.711": (Audio(**HEAD, codec=Codec.G711, sample_rate_hz=8_000, channels=1, payload=bytes(160)), 20, 20),
    "Opus": (Audio(**HEAD, codec=Codec.OPUS, sample_rate_hz=16_000, channels=1, payload=bytes(50)), 0, 20),
    "a rate that nobody knows": (Audio(**HEAD, codec=Codec.L16, payload=bytes(50)), 0, 20),
}


@pytest.mark.parametrize("case", CHUNKS)
def test_how_far_a_chunk_tells_and_what_may_lie_beside_it(case: str) -> None:
    chunk, own_ms, beside_ms = CHUNKS[case]
    assert seams.told_ms(chunk) == T + own_ms, "everybody is in it"
    assert seams.First.of(chunk) == seams.First(T)
    one = replace(chunk, participant_id=7)
    assert seams.told_ms(one) == T, "what others said meanwhile may be missing"
    assert seams.First.of(one) == seams.First(T, beside_ms)


def test_pictures_have_no_length() -> None:
    picture = Video(**HEAD, payload=bytes(50), participant_id=7)
    assert seams.told_ms(picture) == T
    assert seams.First.of(picture) == seams.First(T)
