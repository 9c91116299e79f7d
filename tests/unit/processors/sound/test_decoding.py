"""What was encoded is heard, as long as it is said to be, and by whoever begins a second earlier, bit for bit."""

import os

import numpy as np
import pytest

from processors.sound import opus
from processors.sound.decoding import LEAD_IN_MS, decoder
from processors.sound.formats import AudioFormat
from schemas.records import Audio, Codec
from tests.support.encoded_sound import CHUNK_MS, RATES_HZ, encoded
from tests.support.media import START_MS, Talk, audio_records
from tests.support.muxed import SESSION
from tests.support.spoken import voice

CODECS = [(Codec.L16, 1), (Codec.L16, 2), (Codec.G711, 1), (Codec.G722, 1), (Codec.OPUS, 1), (Codec.OPUS, 2)]


def packets(pcm: bytes, codec: Codec, channels: int) -> list[bytes]:
    step = 2 * RATES_HZ[codec] * CHUNK_MS // 1000
    (chunk,) = audio_records(SESSION, [Talk(START_MS, START_MS + CHUNK_MS, rate_hz=RATES_HZ[codec], chunk_ms=CHUNK_MS)])
    plain = [Audio(**_fields(chunk) | {"payload": pcm[at : at + step]}) for at in range(0, len(pcm), step)]
    return [record.payload for record in encoded(plain, codec, channels)]


def _fields(record: Audio) -> dict[str, object]:
    return {name: getattr(record, name) for name in Audio.__dataclass_fields__}


def heard(coded: list[bytes], codec: Codec, channels: int) -> np.ndarray:
    ear = decoder(AudioFormat(codec, RATES_HZ[codec], channels))
    return np.concatenate([ear.samples(packet) for packet in coded])


@pytest.mark.parametrize(("codec", "channels"), CODECS)
def test_every_codec_is_heard_where_it_was_said(codec: Codec, channels: int) -> None:
    audio = AudioFormat(codec, RATES_HZ[codec], channels)
    pcm = voice(2000, 0, audio.sample_rate_hz)
    coded = packets(pcm, codec, channels)
    assert audio.is_known
    assert {audio.duration_ms(packet) for packet in coded} == {CHUNK_MS}
    sound = heard(coded, codec, channels).astype(float)
    said = np.frombuffer(pcm, "<i2").astype(float)
    assert len(sound) == len(said)
    inner = slice(audio.sample_rate_hz // 5, -audio.sample_rate_hz // 5)
    shifted = np.roll(sound, -audio.delay)
    assert np.corrcoef(shifted[inner], said[inner])[0, 1] > 0.97


@pytest.mark.parametrize(("codec", "channels"), [row for row in CODECS if row[0] in (Codec.G722, Codec.OPUS)])
def test_after_its_lead_in_a_fresh_decoder_says_the_same_bit_for_bit(codec: Codec, channels: int) -> None:
    coded = packets(voice(4000, 0, RATES_HZ[codec]), codec, channels)
    whole = heard(coded, codec, channels)
    per_packet = RATES_HZ[codec] * CHUNK_MS // 1000
    for late in range(20, 150, 13):
        settled = late + LEAD_IN_MS // CHUNK_MS
        again = heard(coded[late:], codec, channels)
        assert not np.array_equal(again[: 2 * per_packet], whole[late * per_packet : (late + 2) * per_packet])
        assert np.array_equal(again[(settled - late) * per_packet :], whole[settled * per_packet :])


@pytest.mark.parametrize(("codec", "channels"), CODECS)
def test_nonsense_is_as_long_as_it_says_and_does_no_harm(codec: Codec, channels: int) -> None:
    audio = AudioFormat(codec, RATES_HZ[codec], channels)
    ear = decoder(audio)
    for size in (0, 1, 2, 3, 7, 160, 1275, 4000):
        junk = os.urandom(size)
        assert len(ear.samples(junk)) == audio.length(junk)
    good = packets(voice(1000, 0, audio.sample_rate_hz), codec, channels)
    assert max(abs(ear.samples(packet)).max() for packet in good[-10:]) > 500


def test_a_packet_says_how_long_it_is() -> None:
    lengths = {opus.length(bytes([toc, 2, 0, 0])) for toc in range(256)}
    assert lengths == {120, 240, 480, 960, 1920, 2880, 3840, 5760}
    assert [opus.length(packet) for packet in (b"", b"\x03", b"\x03\0", b"\x03\x3f", b"\xfc")] == [0, 0, 0, 0, 960]


@pytest.mark.parametrize(
    ("codec", "rate_hz", "channels", "is_known"),
    [
        (Codec.L16, 48_000, 2, True),
        (Codec.L16, 0, 0, False),
        (Codec.L16, 16_000, 9, False),
        (Codec.G711, 8_000, 1, True),
        (Codec.G722, 16_000, 1, True),
        (Codec.G722, 16_000, 2, False),
        (Codec.OPUS, 48_000, 2, True),
        (Codec.OPUS, 16_000, 1, False),
        (Codec.UNKNOWN, 16_000, 1, False),
        (Codec.H264, 16_000, 1, False),
    ],
)
def test_which_formats_are_known(codec: Codec, rate_hz: int, channels: int, is_known: bool) -> None:
    assert AudioFormat(codec, rate_hz, channels).is_known is is_known


def mono(audio: AudioFormat, payload: bytes) -> list[int]:
    return decoder(audio).samples(payload).tolist()


def test_stereo_becomes_the_mean_without_overflow() -> None:
    payload = np.array([32767, 32767, -32768, -32768, 100, -50], dtype="<i2").tobytes()
    assert mono(AudioFormat(Codec.L16, 48_000, 2), payload) == [32767, -32768, 25]


def test_a_cut_off_sample_is_left_out() -> None:
    assert mono(AudioFormat(Codec.L16, 16_000, 1), b"\x01\x00\x02") == [1]
    assert mono(AudioFormat(Codec.L16, 16_000, 2), b"\x01\x00\x03\x00\x02\x00") == [2]
    assert mono(AudioFormat(Codec.L16, 16_000, 1), b"") == []


def test_a_law_follows_the_standard() -> None:
    codes = bytes([0xD5, 0x55, 0xD4, 0x2A, 0xAA, 0xC5])
    assert mono(AudioFormat(Codec.G711, 8_000, 1), codes) == [8, -8, 24, -32256, 32256, 264]
