"""What is asked and what was agreed to."""

import pytest

from connectors.rtms.protocol.codes import MediaCodec, MediaType, Medium
from connectors.rtms.protocol.parameters import (
    EVERYTHING,
    AudioParameters,
    CaptionParameters,
    ChatParameters,
    MediaParameters,
    ShareParameters,
    VideoParameters,
)


def test_what_is_asked_by_default_is_spelled_out() -> None:
    assert EVERYTHING.to_wire() == {
        "audio": {"content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 2, "send_rate": 100},
        "video": {"content_type": 3, "codec": 7, "resolution": 2, "data_opt": 3, "fps": 25},
        "deskshare": {"content_type": 3, "codec": 7, "resolution": 3, "fps": 5},
        "transcript": {"content_type": 5, "src_language": 9, "enable_lid": True},
        "chat": {"content_type": 5},
    }
    assert EVERYTHING.mask == 31


def test_a_part_of_the_media() -> None:
    part = EVERYTHING.only(frozenset({Medium.AUDIO, Medium.CAPTIONS}))
    assert list(part) == [Medium.AUDIO, Medium.CAPTIONS]
    assert part.mask == MediaType.AUDIO | MediaType.TRANSCRIPT
    assert MediaParameters().mask == MediaType.UNDEFINED
    assert list(part.merged(MediaParameters(chat=ChatParameters()))) == [Medium.AUDIO, Medium.CAPTIONS, Medium.CHAT]


def test_the_answer_counts_field_by_field_and_garbage_does_not() -> None:
    answer = {
        "audio": {"sample_rate": "3", "channel": None, "send_rate": 20, "codec": "opus", "more": 1},
        "video": "nonsense",
        "transcript": {"enable_lid": False, "src_language": True},
        "chat": {"content_type": 1},
    }
    agreed = EVERYTHING.only(frozenset({Medium.AUDIO, Medium.VIDEO, Medium.CAPTIONS})).from_wire(answer)
    assert agreed.audio == AudioParameters(sample_rate=3, send_rate=20)
    assert agreed.video == VideoParameters()
    assert agreed.captions == CaptionParameters(enable_lid=False)
    assert agreed.chat is None
    assert EVERYTHING.from_wire(None) == EVERYTHING
    huge = AudioParameters().from_wire({"channel": 2**31, "send_rate": 2**62, "codec": -(2**40), "data_opt": 2**31 - 1})
    assert huge == AudioParameters(data_opt=2**31 - 1), "what no record could hold means nothing"
    assert CaptionParameters().from_wire({"enable_lid": "yes"}) == CaptionParameters()


def test_rates_in_hertz() -> None:
    assert [AudioParameters(sample_rate=n).sample_rate_hz for n in range(5)] == [8_000, 16_000, 32_000, 48_000, 0]


@pytest.mark.parametrize(
    ("codec", "rate", "channels", "send_rate"),
    [(MediaCodec.L16, 2, 2, 60), (MediaCodec.G711, 0, 1, 20), (MediaCodec.G722, 1, 1, 20), (MediaCodec.OPUS, 3, 2, 20)],
)
def test_audio_as_zooms_matrix_has_it(codec: MediaCodec, rate: int, channels: int, send_rate: int) -> None:
    asked = AudioParameters(codec=codec, sample_rate=2, channel=2, send_rate=60).as_allowed()
    assert asked == AudioParameters(codec=codec, sample_rate=rate, channel=channels, send_rate=send_rate)


@pytest.mark.parametrize(
    ("codec", "asked", "video", "share"),
    [(MediaCodec.H264, 3, 6, 3), (MediaCodec.H264, 1, 6, 2), (MediaCodec.PNG, 9, 5, 1), (MediaCodec.JPG, 1, 1, 1)],
)
def test_pictures_a_second_as_zoom_has_them(codec: MediaCodec, asked: int, video: int, share: int) -> None:
    assert VideoParameters(codec=codec, fps=asked).as_allowed().fps == video
    assert ShareParameters(codec=codec, fps=asked).as_allowed().fps == share
