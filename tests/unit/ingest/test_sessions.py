"""What is asked of Zoom for a session's settings."""

import pytest

from connectors.rtms.protocol.joining import StreamPolicy
from connectors.rtms.protocol.parameters import EVERYTHING
from ingest.refusals import UnusableRequest
from ingest.sessions import asked_for, wanted
from schemas.settings import AudioCodec, PictureCodec, SessionSettings, VideoView, dumps

POLICY = StreamPolicy(watchdog_ms=7)


def asked(**changes):
    media, policy = asked_for(dumps(SessionSettings(**changes)), POLICY)
    return media.to_wire(), policy


def test_the_usual_settings_ask_for_everything():
    media, policy = asked_for(dumps(SessionSettings()), POLICY)
    assert (media, policy) == (EVERYTHING, POLICY)


@pytest.mark.parametrize(
    ("codec", "channels", "expected"),
    [
        (AudioCodec.L16, 2, {"codec": 1, "sample_rate": 1, "channel": 2, "send_rate": 100}),
        (AudioCodec.G711, 2, {"codec": 2, "sample_rate": 0, "channel": 1, "send_rate": 20}),
        (AudioCodec.G722, 1, {"codec": 3, "sample_rate": 1, "channel": 1, "send_rate": 20}),
        (AudioCodec.OPUS, 2, {"codec": 4, "sample_rate": 3, "channel": 2, "send_rate": 20}),
    ],
)
def test_audio_codecs_with_the_rate_and_interval_that_zoom_allows(codec, channels, expected):
    media, _ = asked(audio_codec=codec, audio_channels=channels)
    assert media["audio"] == {"content_type": 2, "data_opt": 2, **expected}


@pytest.mark.parametrize(
    ("codec", "fps", "video_fps", "share_fps"),
    [(PictureCodec.H264, 30, 30, 30), (PictureCodec.H264, 1, 6, 2), (PictureCodec.JPG, 30, 5, 1),
     (PictureCodec.PNG, 1, 1, 1)],
)  # fmt: skip
def test_pictures_as_many_a_second_as_zoom_has_for_the_codec(codec, fps, video_fps, share_fps):
    media, _ = asked(
        video_codec=codec, share_codec=codec, video_fps=fps, share_fps=fps, video_height=360, share_height=1440
    )
    number = {PictureCodec.H264: 7, PictureCodec.JPG: 5, PictureCodec.PNG: 6}[codec]
    assert media["video"] == {"content_type": 3, "codec": number, "resolution": 1, "data_opt": 3, "fps": video_fps}
    assert media["deskshare"] == {"content_type": 3, "codec": number, "resolution": 4, "fps": share_fps}


def test_mixed_audio_individual_video_and_the_language_of_captions():
    media, _ = asked(
        mixed_audio=True, video_view=VideoView.INDIVIDUAL, caption_language="es-MX", identify_language=False,
        audio_sample_rate_hz=48_000, audio_send_rate_ms=20,
    )  # fmt: skip
    assert (media["audio"]["data_opt"], media["audio"]["sample_rate"], media["audio"]["send_rate"]) == (1, 3, 20)
    assert media["video"]["data_opt"] == 4
    assert media["transcript"] == {"content_type": 5, "src_language": 28, "enable_lid": False}


@pytest.mark.parametrize(("split", "unified"), [(None, True), (True, False), (False, True)])
def test_sockets_and_the_buffer_as_the_session_wants_them(split, unified):
    _, policy = asked(split_sockets=split, buffered_audio=False)
    assert (policy.unified, policy.buffer_data, policy.watchdog_ms) == (unified, False, 7)


@pytest.mark.parametrize(
    "settings", ["{", "[]", '{"video_height":5}', '{"audio_sample_rate_hz":1}', '{"caption_language":"tlh"}',
                 '{"audio_codec":"mp3"}'],
)  # fmt: skip
def test_what_zoom_cannot_be_asked_for_is_refused(settings):
    with pytest.raises(UnusableRequest):
        asked_for(settings, POLICY)


def test_settings_of_older_sessions_ask_for_what_they_always_did():
    assert asked_for('{"language":"en","video_fps":25}', POLICY)[0] == wanted(SessionSettings())
