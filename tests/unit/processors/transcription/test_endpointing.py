"""Where utterances begin and end, on sound whose voice is exactly where the test put it."""

import numpy as np
import pytest

from processors.sound.formats import AudioFormat
from processors.transcription import endpointing
from processors.transcription.endpointing import Boundary, Endpointer
from schemas.records import Codec
from tests.support.spoken import RATE_HZ, silence, voice

L16 = AudioFormat(Codec.L16, RATE_HZ, 1)
T = 1_000_000
FRAME_MS = endpointing.FRAME_MS


def first_boundary(pcm: bytes, *, through_ms: int = -1, audio: AudioFormat = L16, chunk_ms: int = 100) -> Boundary:
    """What is found in a track that begins at T, after which nothing more comes."""
    endpointer = Endpointer(audio, T, through_ms)
    step = 2 * audio.channels * audio.sample_rate_hz * chunk_ms // 1000
    for number, place in enumerate(range(0, len(pcm), step)):
        if found := endpointer.hear(T + number * chunk_ms, pcm[place : place + step]):
            return found
    found = endpointer.pause(T + 3_600_000)
    assert found is not None
    return found


def test_an_utterance_is_the_voice_with_a_little_around_it() -> None:
    found = first_boundary(silence(1000) + voice(1500) + silence(1500))
    assert found.speech is not None
    assert found.speech.start_ms == T + 1000 - endpointing.PRE_ROLL_MS
    assert T + 2500 - 2 * FRAME_MS <= found.speech.end_ms <= T + 2500 + 6 * FRAME_MS
    assert found.through_ms == found.speech.end_ms + endpointing.HANG_OVER_MS
    assert found.speech.pcm is not None
    heard_ms = found.speech.end_ms + endpointing.POST_ROLL_MS - found.speech.start_ms
    assert len(found.speech.pcm) == 2 * RATE_HZ * heard_ms // 1000


def test_an_utterance_that_is_open_may_be_looked_at() -> None:
    """Each look shows more of the same utterance, and what is decided in the end is as if nobody had looked."""
    pcm, looks = silence(1000) + voice(1500) + silence(1500), []
    endpointer, found = Endpointer(L16, T, -1), None
    for number in range(len(pcm) // 3200):
        found = endpointer.hear(T + 100 * number, pcm[3200 * number : 3200 * (number + 1)])
        if found:
            break
        looks.append((endpointer.voiced_ms, endpointer.so_far()))
    expected = first_boundary(pcm)
    assert found == expected
    assert expected.speech is not None
    assert looks[9] == (0, None)
    shown = [(voiced_ms, speech) for voiced_ms, speech in looks if speech is not None]
    assert {speech.start_ms for _, speech in shown} == {expected.speech.start_ms}
    assert [speech.heard_ms for _, speech in shown] == [100 * n for n in range(2, 21)]
    assert expected.speech.heard_ms > shown[-1][1].heard_ms
    assert [voiced_ms for voiced_ms, _ in shown] == sorted(voiced_ms for voiced_ms, _ in shown)
    assert expected.speech.pcm is not None
    assert all(speech.pcm and expected.speech.pcm.startswith(speech.pcm) for _, speech in shown)


def test_nobody_hears_ahead_of_a_cut() -> None:
    """A monologue is cut before where it was heard to: what is final says so, and so is never below a partial."""
    found = first_boundary(voice(20_000)).speech
    assert found is not None
    assert found.heard_ms == endpointing.CAP_MS > found.end_ms - found.start_ms


def test_what_cannot_be_heard_shows_nothing() -> None:
    endpointer = Endpointer(AudioFormat(Codec.UNKNOWN, 1_000, 1), T, -1)
    endpointer.hear(T, b"?" * 1000)
    assert endpointer.so_far() is None


def test_a_short_pause_does_not_end_an_utterance() -> None:
    found = first_boundary(voice(800) + silence(300) + voice(800) + silence(1000))
    assert found.speech is not None
    assert found.speech.end_ms >= T + 1900 - 2 * FRAME_MS


def test_muting_ends_an_utterance_although_no_packet_says_so() -> None:
    found = first_boundary(voice(1000))
    assert found.speech is not None
    assert (found.speech.start_ms, found.speech.end_ms) == (T, T + 1000)


def test_silence_that_nobody_heard_stays_open() -> None:
    """Sound of its time may come after it was told of, and then begins the next utterance."""
    muted, heard = first_boundary(voice(1000)), first_boundary(voice(1000) + silence(1000))
    assert (muted.through_ms, heard.through_ms) == (T + 1000, T + 1000 + endpointing.HANG_OVER_MS)
    assert muted.speech == heard.speech


@pytest.mark.parametrize("pcm", [silence(5000), (np.ones(80_000) * 20).astype("<i2").tobytes()])
def test_quiet_is_let_go(pcm: bytes) -> None:
    found = first_boundary(pcm)
    assert found.speech is None
    assert found.through_ms == T + endpointing.QUIET_MS - endpointing.PRE_ROLL_MS
    assert found.keep_from_ms <= found.through_ms - endpointing.WARM_UP_MS


def test_a_click_is_no_utterance() -> None:
    click = voice(20)
    found = first_boundary(silence(500) + click + silence(2000))
    assert found.speech is None


def test_a_monologue_is_cut_in_its_quietest_moment() -> None:
    breath_ms = 12_000
    found = first_boundary(voice(breath_ms) + silence(200) + voice(6000))
    assert found.speech is not None
    assert T + breath_ms <= found.through_ms <= T + breath_ms + 200
    assert found.speech.end_ms == found.through_ms


def test_a_monologue_without_a_breath_is_cut_all_the_same() -> None:
    found = first_boundary(voice(20_000))
    assert found.speech is not None
    earliest_ms = T + endpointing.CAP_MS - endpointing.CAP_SEARCH_MS
    assert earliest_ms <= found.speech.end_ms <= T + endpointing.CAP_MS


def test_what_was_decided_is_not_decided_again() -> None:
    found = first_boundary(voice(3000) + silence(1000), through_ms=T + 1003)
    assert found.speech is not None
    assert found.speech.start_ms == T + 1003


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (32_000, 1), (48_000, 1), (48_000, 2)])
def test_hears_every_rate(rate_hz: int, channels: int) -> None:
    pcm = silence(1000, rate_hz) + voice(1500, 0, rate_hz) + silence(1000, rate_hz)
    payload = np.repeat(np.frombuffer(pcm, dtype="<i2"), channels).tobytes()
    found = first_boundary(payload, audio=AudioFormat(Codec.L16, rate_hz, channels))
    assert found.speech is not None
    assert found.speech.start_ms == T + 900
    assert abs(found.speech.end_ms - (T + 2500)) <= 6 * FRAME_MS


def test_what_cannot_be_heard_is_stated_not_dropped() -> None:
    found = first_boundary(b"?" * 16_000, audio=AudioFormat(Codec.UNKNOWN, 1_000, 1))
    assert found.speech is not None
    assert found.speech.pcm is None
    assert found.speech.start_ms == T


def test_another_format_is_a_boundary() -> None:
    endpointer = Endpointer(L16, T, -1)
    endpointer.hear(T, voice(100))
    found = endpointer.stop(T + 100)
    assert (found.through_ms, found.keep_from_ms) == (T + 100, T + 100)
    assert found.speech is not None
    assert (found.speech.start_ms, found.speech.end_ms) == (T, T + 100)
