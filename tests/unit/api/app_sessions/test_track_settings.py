"""What a recording is to have beside itself, as clients ask for it."""

import pytest

from api.app_sessions.recording_settings import recording
from api.app_sessions.requests import session_order
from api.errors import ApiError
from api.shapes import Invalid
from connectors.rtms.protocol.addresses import AddressPolicy
from schemas.settings import RecordingFormat

STREAM = {"meeting_uuid": "m==", "rtms_stream_id": "s", "server_urls": "wss://rtms.zoom.us", "operator_id": "o"}
NOTHING_KEPT = {"format": "With none nothing is kept: choose mp4 or mp3, or ask for no tracks beside it."}
NO_PICTURES = {"format": "mp3 is sound alone: choose mp4, or do not ask for separate_screen_share."}


@pytest.mark.parametrize("name", ["per_participant_audio", "record_async_transcription_audio_chunks"])
def test_each_participants_sound_is_kept_for_those_who_ask(name):
    assert recording({name: True}) == {"participant_audio": True}
    assert recording({name: False}) == {"participant_audio": False}
    assert recording({name: True, "format": "mp3"})["recording_format"] is RecordingFormat.MP3
    assert recording({}) == {}


def test_one_word_for_participants_sound_is_enough():
    named = recording({"per_participant_audio": True, "record_async_transcription_audio_chunks": False})
    assert named == {"participant_audio": True}


def test_the_shared_screen_has_a_track_for_those_who_ask():
    assert recording({"separate_screen_share": True}) == {"share_track": True}
    assert recording({"separate_screen_share": False, "format": "mp3"})["share_track"] is False


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"separate_screen_share": True, "format": "mp3"}, NO_PICTURES),
        ({"separate_screen_share": True, "format": "none"}, NOTHING_KEPT),
        ({"per_participant_audio": True, "format": "none"}, NOTHING_KEPT),
        ({"record_async_transcription_audio_chunks": True, "format": "none"}, NOTHING_KEPT),
    ],
)
def test_what_the_format_has_no_place_for_is_refused(settings, expected):
    with pytest.raises(Invalid) as caught:
        recording(settings)
    assert caught.value.detail == expected


def test_mixed_audio_is_nobodys():
    body = {"zoom_rtms": STREAM, "recording_settings": {"per_participant_audio": True}}
    with pytest.raises(ApiError) as caught:
        session_order(body | {"rtms_settings": {"audio": {"mixed": True}}}, AddressPolicy())
    assert list(caught.value.body) == ["recording_settings"]
    wishes = session_order(body | {"rtms_settings": {"audio": {"mixed": False}}}, AddressPolicy()).wishes
    assert wishes.settings.participant_audio
