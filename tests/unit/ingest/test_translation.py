"""From Zoom's words to the records': who it is, and what the bytes are."""

import pytest

from connectors.rtms.protocol.codes import MediaCodec, StopReason
from connectors.rtms.protocol.events import CaptionReceived, ContactCenterEvent, EndCause, ParticipantJoined
from connectors.rtms.protocol.parameters import (
    AudioParameters,
    MediaParameters,
    ShareParameters,
    VideoParameters,
)
from connectors.rtms.session import SessionOutcome
from ingest import translation
from ingest.publisher import Encodings, Identity
from schemas.records import Codec

ME = Identity("app_1", 3, 7)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, Codec.L16), (2, Codec.G711), (3, Codec.G722), (4, Codec.OPUS), (5, Codec.JPG), (6, Codec.PNG), (7, Codec.H264),
     (0, Codec.UNKNOWN), (8, Codec.UNKNOWN)],
)  # fmt: skip
def test_every_codec_has_its_name(number, expected):
    assert translation.codec(number) is expected


def test_encodings_say_what_zoom_agreed_to():
    agreed = MediaParameters(
        audio=AudioParameters(codec=MediaCodec.OPUS, sample_rate=3, channel=2),
        video=VideoParameters(codec=MediaCodec.JPG),
        share=ShareParameters(codec=MediaCodec.PNG),
    )
    assert translation.encodings(agreed) == Encodings(
        audio=Codec.OPUS, sample_rate_hz=48_000, channels=2, chunk_ms=100,
        video=Codec.JPG, video_ms=40, share=Codec.PNG, share_ms=200,
    )  # fmt: skip
    assert translation.encodings(MediaParameters()) == Encodings()


def test_packets_that_nobody_asked_for_are_not_called_what_they_carry():
    packets = MediaParameters(audio=AudioParameters(content_type=1, codec=MediaCodec.OPUS))
    assert translation.encodings(packets).audio is Codec.UNKNOWN


def test_channels_are_participants_and_users_are_themselves():
    first, second = (translation.participant(0, channel) for channel in ("c1", "c2"))
    assert first != second
    assert translation.participant(0, "c1") == first > 2**32
    assert translation.participant(16778240, "c1") == 16778240
    assert translation.participant(0, None) == translation.participant(0, "") == 0


def test_audio_captions_and_events_of_a_channel_are_of_one_participant():
    caption = CaptionReceived(
        user_id=0, user_name=None, timestamp_ms=5, start_ms=5, end_ms=6, language=9, text="hi", channel_id="c1"
    )
    answered = ContactCenterEvent(code=8, timestamp_ms=5, user_name="Ada", channel_id="c1", details='{"a":1}')
    event = translation.meeting_event(ME, answered, 1)
    assert event.participant_id == translation.caption(ME, caption, 1).participant_id
    assert event.participant_id == translation.participant(0, "c1")
    assert (event.event, event.code, event.participant_name, event.details) == (
        "consumer_answered",
        8,
        "Ada",
        '{"a":1}',
    )
    joined = translation.meeting_event(ME, ParticipantJoined(code=3, timestamp_ms=5, user_id=7), 1)
    assert (joined.event, joined.participant_id) == ("participant_joined", 7)


@pytest.mark.parametrize(
    ("cause", "code", "revoked"),
    [(EndCause.STOPPED, StopReason.STREAM_REVOKED, True), (EndCause.CLOSED, StopReason.STREAM_REVOKED, True),
     (EndCause.STOPPED, StopReason.MEETING_ENDED, False), (EndCause.REFUSED, int(StopReason.STREAM_REVOKED), False),
     (EndCause.STOPPED, None, False)],
)  # fmt: skip
def test_a_revoked_consent_is_zooms_word_and_no_status_of_a_handshake(cause, code, revoked):
    ended = SessionOutcome(cause, code, False, True, True, 1, 1)
    assert translation.outcome(ended, connected_before=True).is_revoked is revoked
