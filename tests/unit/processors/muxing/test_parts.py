"""Segments fit into records, whatever pictures come and however they crowd."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.muxing import fragments
from processors.muxing.parts import PART_BYTES, Part, parts
from processors.muxing.pictures import ShownPicture
from schemas.codec import Codec
from schemas.records import OutputKind
from schemas.topics import ALL, MAX_RECORD_BYTES, RECORDING_SEGMENTS
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, muxed

T = START_MS
MIB = 1024 * 1024


def shown(*sizes_and_steps: tuple[int, int], from_ms: int = T) -> tuple[ShownPicture, ...]:
    pictures, decode_ms = [], from_ms
    for size, step_ms in sizes_and_steps:
        pictures.append(ShownPicture(decode_ms, decode_ms, False, bytes(size)))
        decode_ms += step_ms
    return tuple(pictures)


def size_of(part: Part) -> int:
    return sum(len(picture.data) + fragments.SAMPLE_BYTES for picture in part.pictures)


@given(
    st.lists(st.tuples(st.sampled_from([0, 10, 700, 1500, 3000]), st.integers(1, 60)), max_size=40),
    st.integers(-80, 200),
    st.integers(1, 300),
)
def test_parts_are_a_stretch_cut_by_size(pictures: list[tuple[int, int]], begin: int, length_ms: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("processors.muxing.parts.PART_BYTES", 2000)
        wanted = shown(*pictures, from_ms=T + begin)
        made, left_out = parts(wanted, T, T + length_ms)
    assert sum((part.pictures for part in made), ()) == wanted[: len(wanted) - left_out]
    assert (made[0].start_ms, made[-1].end_ms) == (T, T + length_ms)
    assert [part.end_ms for part in made[:-1]] == [part.start_ms for part in made[1:]]
    assert all(part.start_ms < part.end_ms for part in made)
    assert all(size_of(part) <= 2000 or len(part.pictures) == 1 for part in made)
    assert not left_out or len(made) == length_ms


def test_pictures_that_crowd_at_the_end_of_a_stretch_get_a_segment_each() -> None:
    large = shown((8 * MIB, 1), (8 * MIB, 1), (8 * MIB, 1), from_ms=T + 3999)
    made, left_out = parts(large, T, T + 4000)
    assert not left_out
    assert [part.start_ms - T for part in made] == [0, 3998, 3999]


def test_more_segments_than_milliseconds_are_left_out() -> None:
    made, left_out = parts(shown(*[(PART_BYTES, 1)] * 5), T, T + 3)
    assert (len(made), left_out) == (3, 2)


def test_three_doubled_pictures_of_the_largest_size_fit_into_records() -> None:
    record = video_records(SESSION, [Shot(T, T + 100)])[0]
    large = record.payload + bytes([0x55]) * (8 * MIB - len(record.payload))
    pictures = [
        replace(record, sequence=number, timestamp_ms=T + 3990 + (number - 1) // 2 * 3, payload=large)
        for number in range(1, 7)
    ]
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 5000)]))
    *made, end = muxed(audio, wrapped(SESSION, pictures))
    codec = Codec.with_ids_from(ALL)
    assert all(len(codec.encode(RECORDING_SEGMENTS, part)) <= MAX_RECORD_BYTES for part in made)
    assert sum(len(part.payload) for part in made) > 6 * 8 * MIB
    assert end.count == len(made) == len({part.segment_id for part in made})
    assert end.kind is OutputKind.END
