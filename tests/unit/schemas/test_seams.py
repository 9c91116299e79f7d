"""What is missing between two connections, medium by medium: T is what was received before, B the new connection."""

import pytest

from schemas import seams
from schemas.records import Audio, Codec, Hole, RecordKind, Video

T = 100_000
B = T + 9_000


def stretch(hole: Hole | None) -> tuple[int, int] | None:
    if hole is None:
        return None
    assert hole.cause == seams.CAUSE
    return hole.from_ms, hole.to_ms


AUDIO_CASES = {
    "the buffer repeats from where it broke off": (T + 20, B, None),
    "the buffer repeats what was received": (T - 700, B, None),
    "the buffer begins when Zoom noticed": (T + 600, B, (T, T + 600)),
    "nothing is repeated and nobody speaks": (None, B, (T, B)),
    "nothing is repeated and somebody speaks later": (B + 4_000, B, (T, B)),
    "a hand-over in a silence": (None, T + 2_000, None),
    "a hand-over, and somebody speaks later": (T + 2_500, T + 2_000, None),
}


@pytest.mark.parametrize("case", AUDIO_CASES)
def test_of_audio_what_the_buffer_did_not_repeat(case: str) -> None:
    frame_ms, begun_ms, expected = AUDIO_CASES[case]
    assert stretch(seams.hole("audio", T, begun_ms, frame_ms)) == expected


@pytest.mark.parametrize("medium", ["video", "share"])
def test_of_pictures_all_up_to_the_first_one(medium: str) -> None:
    assert stretch(seams.hole(medium, T, B, B + 40)) == (T, B + 40)
    assert stretch(seams.hole(medium, T, B, B - 40)) == (T, B - 40)
    assert stretch(seams.hole(medium, T, B, None)) == (T, B)


@pytest.mark.parametrize("medium", ["captions", "chat", "events"])
def test_of_text_all_up_to_the_new_connection(medium: str) -> None:
    """A caption is stamped with the begin of what was said: an early stamp says nothing about what was heard."""
    assert stretch(seams.hole(medium, T, B, T - 5_000)) == (T, B)
    assert stretch(seams.hole(medium, T, B, None)) == (T, B)


def test_clocks_that_disagree_make_no_negative_hole() -> None:
    assert all(seams.hole(medium, T, T - 1, None) is None for medium in ("audio", "video", "chat"))


def test_an_end_that_nobody_heard() -> None:
    assert stretch(seams.unheard_end("video", T, B)) == (T, B)
    assert seams.unheard_end("video", T, T + seams.HAND_OVER_MS) is None


def test_how_far_a_record_tells() -> None:
    head = {"session_id": "s", "kind": RecordKind.FRAME, "epoch": 1, "sequence": 0, "timestamp_ms": T, "arrived_us": 0}
    sound = {"sample_rate_hz": 16_000, "channels": 1}
    assert seams.end_ms(Audio(**head, **sound, codec=Codec.L16, payload=bytes(3_200))) == T + 100
    assert (
        seams.end_ms(Audio(**head, **sound | {"sample_rate_hz": 8_000}, codec=Codec.G711, payload=bytes(160))) == T + 20
    )
    assert seams.end_ms(Audio(**head, **sound, codec=Codec.OPUS, payload=bytes(50))) == T
    assert seams.end_ms(Audio(**head, codec=Codec.L16, payload=bytes(50))) == T
    assert seams.end_ms(Video(**head, payload=bytes(50))) == T
