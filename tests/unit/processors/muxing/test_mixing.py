"""Everybody is heard where he spoke, once, and nothing is heard where nobody did."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.muxing import mixing
from schemas.records import Audio, Codec, RecordKind

RATE = 16_000
T = 1_760_000_000_000


def chunk(at_ms: int, values: list[int], who: int = 1, rate: int = RATE, channels: int = 1) -> Audio:
    payload = np.asarray(values, "<i2").tobytes()
    return Audio(
        session_id="s", kind=RecordKind.FRAME, epoch=1, sequence=0, timestamp_ms=at_ms, arrived_us=0,
        participant_id=who, codec=Codec.L16, sample_rate_hz=rate, channels=channels, payload=payload,
    )  # fmt: skip


def mixed(records: list[Audio], first_ms: int, length_ms: int) -> np.ndarray:
    chunks, _ = mixing.place(records, {}, RATE)
    return mixing.mix(chunks, first_ms * 16, length_ms * 16, RATE)


def test_silence_where_nobody_spoke() -> None:
    track = mixed([chunk(T + 20, [5] * 160)], T, 60)
    assert not track[:320].any()
    assert (track[320:480] == 5).all()
    assert not track[480:].any()


def test_speakers_add_up_and_clip() -> None:
    track = mixed([chunk(T, [30_000] * 160), chunk(T, [10_000] * 160, who=2), chunk(T + 10, [-9] * 160, who=2)], T, 20)
    assert (track[:160] == 32767).all()
    assert (track[160:320] == -9).all()


@pytest.mark.parametrize("wobble", [-15, -3, 0, 7, 15])
def test_jittering_stamps_do_not_tear_a_voice(wobble: int) -> None:
    track = mixed([chunk(T, [1] * 1600), chunk(T + 100 + wobble, [2] * 1600)], T, 200)
    assert (track == np.repeat([1, 2], 1600)).all()


@pytest.mark.parametrize("ppm", [-200, -20, 20, 200])
@pytest.mark.parametrize("chunk_ms", [200, 1000])
def test_a_clock_that_drifts_for_an_hour_stays_with_its_stamps(ppm: int, chunk_ms: int) -> None:
    first = chunk(T, [1] * (chunk_ms * RATE // 1000))
    stamps = [T + int(number * chunk_ms / (1 + ppm / 1e6)) for number in range(3_600_000 // chunk_ms)]
    placed, _ = mixing.place([replace(first, timestamp_ms=stamp) for stamp in stamps], {}, RATE)
    assert max(abs(one.start - stamp * 16) for one, stamp in zip(placed, stamps, strict=True)) <= 16 * 3.3
    assert all(one.start + one.length == after.start for one, after in pairwise(placed)), "torn"


def test_nobody_hears_how_a_drifting_clock_is_followed() -> None:
    tone = (np.sin(2 * np.pi * 300 * np.arange(RATE * 60) / RATE) * 8000).astype(np.int16)
    step, speed = 1600, 1 + 200 / 1e6
    records = [chunk(T + int(at / 16 / speed), tone[at : at + step].tolist()) for at in range(0, len(tone), step)]
    chunks, _ = mixing.place(records, {}, RATE)
    assert sum(abs(one.stretch) for one in chunks) > 100
    track = mixing.mix(chunks, T * 16, int(len(tone) / speed) - step, RATE).astype(np.int32)
    assert abs(np.diff(track)).max() <= abs(np.diff(tone.astype(np.int32))).max() * 1.05


def test_a_real_pause_is_kept() -> None:
    track = mixed([chunk(T, [1] * 1600), chunk(T + 116, [2] * 1600)], T, 216)
    assert (track[1600:1856] == 0).all()
    assert (track[1856:] == 2).all()


def test_what_was_sent_twice_is_heard_once() -> None:
    sent = [chunk(T, [7] * 1600), chunk(T + 100, [7] * 1600)]
    again = [chunk(T + 50, [7] * 1600), chunk(T + 120, [7] * 320)]
    records = sorted(sent + again, key=lambda record: record.timestamp_ms)
    assert (mixed(records, T, 200) == 7).all()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 3)), min_size=1, max_size=30), st.integers(0, 30))
def test_placing_in_two_steps_is_placing_in_one(spoken: list[tuple[int, int]], cut: int) -> None:
    records = [chunk(T + at * 20 + who, [who] * 320, who) for at, who in sorted(spoken)]
    whole, ends = mixing.place(records, {}, RATE)
    before, between = mixing.place(records[:cut], {}, RATE)
    kept = mixing.still_open(between, records[cut].timestamp_ms, RATE) if cut < len(records) else between
    after, last = mixing.place(records[cut:], kept, RATE)
    assert before + after == whole
    assert all(ends[who] == end for who, end in last.items())


def test_other_rates_and_channels_are_brought_to_the_grid() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(4800) / 48_000) * 8000
    stereo = np.repeat(tone, 2).astype(np.int16).tolist()
    track = mixed([chunk(T, stereo, rate=48_000, channels=2)], T, 100)
    expected = np.sin(2 * np.pi * 300 * np.arange(1600) / 16_000) * 8000
    assert np.abs(track[10:-10] - expected[10:-10]).max() < 700
    slow = mixed([chunk(T, (tone[::6]).astype(np.int16).tolist(), rate=8_000)], T, 100)
    assert np.abs(slow[10:-10] - expected[10:-10]).max() < 300


def test_only_whole_samples_of_a_sane_format_are_usable() -> None:
    good = chunk(T, [1] * 160)
    assert mixing.is_usable(good)
    assert not mixing.is_usable(replace(good, payload=good.payload[:-1]))
    assert not mixing.is_usable(replace(good, payload=b""))
    assert not mixing.is_usable(replace(good, sample_rate_hz=0))
    assert not mixing.is_usable(replace(good, channels=0))
    assert not mixing.is_usable(replace(good, payload=bytes(2 * 16_000 * 3)))


def test_only_ends_that_can_be_continued_are_remembered() -> None:
    ends = {"1": (T - 16) * 16, "2": (T - 15) * 16, "3": (T + 100) * 16}
    assert mixing.still_open(ends, T, RATE).keys() == {"2", "3"}
