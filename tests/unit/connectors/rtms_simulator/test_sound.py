"""Audio chunks: real voices, cut as agreed, silent people absent, beeps exactly where they are said to be."""

import sys

import numpy as np
import pytest

from connectors.rtms.simulator import sound, speech, writer
from connectors.rtms.simulator.people import Role
from connectors.rtms.simulator.sound import AudioFormat

SCRIPT = writer.write(1, 25)
BEACON = SCRIPT.cast.having(Role.BEACON).user_id


def samples(payload: bytes) -> np.ndarray:
    return np.frombuffer(payload, "<i2").astype(np.int32)


@pytest.mark.parametrize("send_rate_ms", [20, 100, 1000])
@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (16_000, 1), (48_000, 2)])
def test_every_chunk_has_the_agreed_size_and_nobody_overlaps_himself(
    send_rate_ms: int, rate_hz: int, channels: int
) -> None:
    chunks = list(sound.chunks(SCRIPT, AudioFormat(send_rate_ms, rate_hz, channels)))
    assert {len(chunk.payload) for chunk in chunks} == {send_rate_ms * rate_hz // 1000 * 2 * channels}
    assert [chunk.start_ms for chunk in chunks] == sorted(chunk.start_ms for chunk in chunks)
    for person in SCRIPT.cast:
        own = [chunk.start_ms for chunk in chunks if chunk.user_id == person.user_id]
        assert all(later - earlier >= send_rate_ms for earlier, later in zip(own, own[1:], strict=False))


def test_whoever_does_not_speak_sends_nothing() -> None:
    chunks = list(sound.chunks(SCRIPT, AudioFormat()))
    speaking = {turn.user_id for turn in SCRIPT.turns} | {BEACON}
    assert {chunk.user_id for chunk in chunks} == speaking
    for chunk in chunks:
        if chunk.user_id != BEACON:
            own = [turn for turn in SCRIPT.turns if turn.user_id == chunk.user_id]
            assert any(turn.start_ms <= chunk.start_ms < turn.end_ms for turn in own)


def test_a_turn_carries_the_recording_sample_by_sample() -> None:
    turn = SCRIPT.turns[0]
    own = [chunk for chunk in sound.chunks(SCRIPT, AudioFormat(20)) if chunk.user_id == turn.user_id]
    first_turn = [chunk for chunk in own if chunk.start_ms < turn.end_ms]
    heard = samples(b"".join(chunk.payload for chunk in first_turn))
    wanted = speech.spoken(turn.reading, *turn.recorded_ms, 16_000)
    assert np.array_equal(heard[: len(wanted)], wanted)
    assert not heard[len(wanted) :].any()
    assert np.abs(wanted.astype(np.int32)).max() > 8_000, "too quiet to be somebody speaking"


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 32_000, 48_000])
def test_a_beep_begins_on_the_beat(rate_hz: int) -> None:
    by_time: dict[int, int] = {}
    for chunk in sound.chunks(SCRIPT, AudioFormat(20, rate_hz)):
        if chunk.user_id == BEACON and samples(chunk.payload).any():
            first = int(np.flatnonzero(samples(chunk.payload))[0])
            by_time.setdefault(
                (chunk.start_ms + 20) // writer.BEAT_MS, chunk.start_ms * 1000 + first * 10**6 // rate_hz
            )
    assert sorted(by_time) == [beat // writer.BEAT_MS for beat in SCRIPT.beats]
    for number, start_us in by_time.items():  # a sine's own first sample is zero
        assert 0 <= start_us - number * writer.BEAT_MS * 1000 <= 10**6 // rate_hz


def test_the_mix_is_the_sum_of_the_streams() -> None:
    rate = 16_000
    total = np.zeros(SCRIPT.length_ms * rate // 1000 + rate, np.int64)
    for chunk in sound.chunks(SCRIPT, AudioFormat(20)):
        at = chunk.start_ms * rate // 1000
        total[at : at + 320] += samples(chunk.payload)
    mixed = list(sound.chunks(SCRIPT, AudioFormat(100, mixed=True)))
    assert {chunk.user_id for chunk in mixed} == {0}
    assert [chunk.start_ms for chunk in mixed] == list(range(0, SCRIPT.length_ms, 100))
    heard = samples(b"".join(chunk.payload for chunk in mixed))
    assert np.array_equal(heard, np.clip(total, -32768, 32767)[: len(heard)])


def test_missing_recordings_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(speech, "_WHEEL", "not_installed_here")
    with pytest.raises(speech.NoRecordings, match="'recogniser' extra"):
        speech.recording_file("beckett")
