"""Create and end requests: every row of the contract, and any JSON at all."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app_sessions.requests import ended_stream, session_order
from api.errors import ApiError
from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.joining import StreamPolicy
from ingest.sessions import asked_for
from schemas import settings as session_settings
from schemas.settings import (
    AudioCodec,
    Engine,
    PictureCodec,
    RecordingFormat,
    RecordingView,
    SessionSettings,
    VideoView,
)

ADDRESSES = AddressPolicy(("*.zoom.us",))
URL = "wss://rtms.zoom.us"
STREAM = {"meeting_uuid": "m/+==", "rtms_stream_id": "s1", "server_urls": URL, "operator_id": "op"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def order(**fields):
    return session_order({"zoom_rtms": STREAM} | fields, ADDRESSES)


def errors(body):
    with pytest.raises(ApiError) as caught:
        session_order(body, ADDRESSES)
    assert caught.value.status == 400
    return caught.value.body


def field_errors(**fields):
    return errors({"zoom_rtms": STREAM} | fields)


def stream_error(stream):
    return errors({"zoom_rtms": stream})["zoom_rtms"]


def test_who_has_no_transcriber_of_ones_own_is_told_so():
    body = {"zoom_rtms": STREAM, "transcription_settings": {"custom_async": {}, "moonshine": {}}}
    assert session_order(body, ADDRESSES).wishes.settings.recognisers == (Engine.CUSTOM_ASYNC, Engine.MOONSHINE)
    with pytest.raises(ApiError) as refused:
        session_order(body, ADDRESSES, has_custom_async=False)
    assert refused.value.status == 400
    [text] = refused.value.body["transcription_settings"]
    assert "RTMS_CUSTOM_ASYNC_URL" in text
    assert session_order({"zoom_rtms": STREAM}, ADDRESSES, has_custom_async=False)


def test_the_documented_minimum():
    made = order()
    assert (made.stream.product, made.stream.meeting_id, made.stream.stream_id) == ("meeting", "m/+==", "s1")
    assert (made.stream.server_urls, made.stream.operator_id) == ((URL,), "op")
    assert made.wishes.settings == SessionSettings()
    assert made.wishes.metadata is None
    assert made.zoom_app is None


@pytest.mark.parametrize(
    "stream",
    [
        {"event": "meeting.rtms_started", "event_ts": 1, "payload": STREAM},
        {"event": "meeting.rtms_started", "payload": {"account_id": "a", "object": STREAM}},
        {"payload": STREAM},
        {"object": STREAM},
        {"meetingUuid": "m/+==", "rtmsStreamId": "s1", "serverUrls": URL, "operatorId": "op"},
        STREAM | {"server_urls": [URL, f"{URL}, "]},
        STREAM | {"server_urls": {"all": URL}},
        STREAM | {"is_original_host": True, "meeting_id": 5, "anything": {"else": []}},
    ],
)
def test_the_shapes_zoom_forwards_come_in(stream):
    assert session_order({"zoom_rtms": stream}, ADDRESSES).stream == order().stream


def test_the_whole_webhook_may_be_the_body():
    body = {"event": "meeting.rtms_started", "event_ts": 1, "payload": STREAM}
    assert session_order(body, ADDRESSES) == order()
    assert session_order(body | {"metadata": {"a": "b"}}, ADDRESSES).wishes.metadata == '{"a": "b"}'


@pytest.mark.parametrize(
    ("product", "name"),
    [("webinar", "webinar_uuid"), ("session", "session_id"), ("contact_center", "engagement_id"), ("phone", "call_id")],
)
def test_other_products_are_known_by_their_id_field(product, name):
    stream = {key: value for key, value in STREAM.items() if key != "meeting_uuid"} | {name: "x"}
    made = session_order({"zoom_rtms": stream}, ADDRESSES).stream
    assert (made.product, made.meeting_id) == (product, "x")


def test_the_event_says_which_product_it_is():
    webinar = {"event": "webinar.rtms_started", "payload": STREAM}
    assert session_order({"zoom_rtms": webinar}, ADDRESSES).stream.product == "webinar"
    voice = {"event": "contact_center.voice_rtms_started", "payload": STREAM}
    assert session_order({"zoom_rtms": voice}, ADDRESSES).stream.product == "contact_center"


def test_several_addresses_stay_in_order():
    made = session_order({"zoom_rtms": STREAM | {"server_urls": "wss://b.zoom.us,wss://a.zoom.us"}}, ADDRESSES)
    assert made.stream.server_urls == ("wss://b.zoom.us", "wss://a.zoom.us")


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ({}, "'meeting_uuid' is a required property"),
        ({**STREAM, "meeting_uuid": None}, "'meeting_uuid' is a required property"),
        ({**STREAM, "meeting_uuid": ""}, "'' should be non-empty"),
        ({**STREAM, "rtms_stream_id": ""}, "'' should be non-empty"),
        ({**STREAM, "rtms_stream_id": 3}, "3 is not of type 'string'"),
        ({**STREAM, "meeting_uuid": ["m"]}, "['m'] is not of type 'string'"),
        ({**STREAM, "operator_id": 3}, "3 is not of type 'string'"),
        ({**STREAM, "server_urls": ""}, "'' should be non-empty"),
        ({**STREAM, "server_urls": []}, "[] should be non-empty"),
        ({**STREAM, "server_urls": [3]}, "3 is not of type 'string'"),
        ({**STREAM, "server_urls": 3}, "3 is not of type 'string'"),
        ({**STREAM, "rtms_stream_id": "x" * 600}, "is too long"),
        ({**STREAM, "server_urls": f"{URL},wss://10.0.0.1"}, "at one of the allowed hosts"),
        ({**STREAM, "server_urls": "ws://rtms.zoom.us"}, "not a wss:// address at one"),
        ({**STREAM, "server_urls": [f"wss://{n}.zoom.us" for n in range(99)]}, "more than"),
        ({"event": "meeting.rtms_stopped", "payload": STREAM}, "does not announce a stream"),
        ({"event": 3, "payload": STREAM}, "3 is not of type 'string'"),
        ("x", "'x' is not of type 'object'"),
        ([], "[] is not of type 'object'"),
    ],
)
def test_a_bad_stream_says_what_is_wrong(stream, message):
    [found] = stream_error(stream)
    assert message in found


def test_bodies_that_are_no_objects():
    assert errors([]) == {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}
    assert errors("x") == {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}
    assert errors({}) == {"zoom_rtms": ["This field is required."]}
    assert errors({"zoom_rtms": None}) == {"zoom_rtms": ["This field may not be null."]}


def test_unknown_fields_are_named_when_nothing_else_is_wrong():
    [text] = field_errors(zz=1, meeting_url="x")["non_field_errors"]
    assert text.startswith("Unexpected field(s): meeting_url, zz. Allowed fields are: automatic_leave_settings, ")
    assert field_errors(zz=1, metadata={}).keys() == {"metadata"}


@pytest.mark.parametrize("name", ["metadata", "zoom_settings", "recording_settings", "webhooks", "calendar_event_id"])
def test_optional_is_not_nullable(name):
    assert field_errors(**{name: None}) == {name: ["This field may not be null."]}


@pytest.mark.parametrize(
    ("settings", "engines"),
    [
        ({}, (Engine.ZOOM,)),
        ({"meeting_closed_captions": {}}, (Engine.ZOOM,)),
        ({"meeting_closed_captions": {"zoom_language": "de", "merge_consecutive_captions": False}}, (Engine.ZOOM,)),
        ({"moonshine": {}}, (Engine.MOONSHINE,)),
        ({"moonshine": {"language": "en"}}, (Engine.MOONSHINE,)),
        ({"meeting_closed_captions": {}, "moonshine": {}}, (Engine.MOONSHINE, Engine.ZOOM)),
        ({"moonshine": {}, "openai": {"model": "x"}}, (Engine.OPENAI, Engine.MOONSHINE)),
        ({"custom_async": {}, "openai": {"model": "x"}, "deepgram": {}, "meeting_closed_captions": {}},
         (Engine.DEEPGRAM, Engine.OPENAI, Engine.CUSTOM_ASYNC, Engine.ZOOM)),
    ],
)  # fmt: skip
def test_transcription_engines(settings, engines):
    assert order(transcription_settings=settings).wishes.settings.engines == engines


def test_what_engines_are_asked_for_is_kept_for_them():
    settings = {"openai": {"prompt": "Åse", "model": "x"}, "custom_async": {}, "moonshine": {"language": "en"}}
    wishes = order(transcription_settings=settings).wishes
    assert wishes.settings.engine_options == '{"openai":{"model":"x","prompt":"Åse"}}'
    assert wishes.given == ("engines", "language", "engine_options")
    for merge in (True, False):
        settings = {"meeting_closed_captions": {"merge_consecutive_captions": merge}}
        assert order(transcription_settings=settings).wishes.settings.merges_captions is merge
    assert order(transcription_settings={}).wishes.settings.engine_options == "{}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gladia": {}}, "The transcription provider 'gladia' is not available yet."),
        ({"custom_async_v2": {}, "moonshine": {}}, "'custom_async_v2' is not available yet."),
        ({"deepgram": {"callback": "https://a"}}, "Deepgram's callback is not available yet."),
        ({"openai": {"model": "x", "base_url": "https://a"}}, "('base_url' was unexpected)"),
        ({"custom_async": {"a": "x" * 8192}}, "have more than 8192 bytes"),
        ({"foo": {}}, "Additional properties are not allowed ('foo' was unexpected)"),
        ({"foo": {}, "bar": {}}, "('bar', 'foo' were unexpected)"),
        ({"moonshine": {"language": "xx"}}, "'xx' is not one of ['en']"),
        ({"moonshine": {"language": ["en"]}}, "['en'] is not of type 'string'"),
        ({"moonshine": {"model": "x"}}, "('model' was unexpected)"),
        ({"moonshine": None}, "None is not of type 'object'"),
        ({"meeting_closed_captions": {"merge_consecutive_captions": "yes"}}, "'yes' is not of type 'boolean'"),
        ({"meeting_closed_captions": {"zoom_language": 3}}, "3 is not of type 'string'"),
        ([], "[] is not of type 'object'"),
        ("x", "'x' is not of type 'object'"),
    ],
)
def test_bad_transcription_settings(settings, message):
    [found] = field_errors(transcription_settings=settings)["transcription_settings"]
    assert message in found


@pytest.mark.parametrize("resolution", ["720p", "1080p", "nonsense", 7])
def test_resolution_is_overwritten(resolution):
    assert order(recording_settings={"resolution": resolution}).wishes.settings == SessionSettings()


@pytest.mark.parametrize("asked", [True, False])
def test_who_speaks_is_told_to_those_who_ask(asked):
    wishes = order(recording_settings={"record_participant_speech_start_stop_events": asked}).wishes
    assert wishes.settings.speech_events is asked
    assert wishes.given == ("speech_events",)
    assert order(recording_settings={}).wishes.settings.speech_events is False


def test_recording_formats():
    assert order(recording_settings={"format": "none"}).wishes.settings.recording_format is RecordingFormat.NONE
    assert order(recording_settings={"format": "mp3"}).wishes.settings.recording_format is RecordingFormat.MP3
    assert order(recording_settings={"view": "gallery_view"}).wishes.settings.recording_format is RecordingFormat.MP4


def test_a_view_says_whether_shared_screens_are_shown():
    wishes = order(recording_settings={"view": "gallery_view"}).wishes
    assert (wishes.settings.recording_view, wishes.given) == (RecordingView.GALLERY, ("recording_view",))
    assert order(recording_settings={}).wishes.given == ()


def test_what_is_asked_of_zoom_may_be_named():
    named = {
        "audio": {"codec": "opus", "channels": 2, "mixed": True},
        "video": {"codec": "jpg", "height": 1080, "fps": 2, "view": "individual"},
        "share": {"codec": "png"},
    }
    wishes = order(rtms_settings=named).wishes
    expected = SessionSettings(
        audio_codec=AudioCodec.OPUS, audio_channels=2, mixed_audio=True, video_codec=PictureCodec.JPG,
        video_width=1920, video_height=1080, video_fps=2, video_view=VideoView.INDIVIDUAL,
        share_codec=PictureCodec.PNG,
    )  # fmt: skip
    assert wishes.settings == expected
    changed = {f.name for f in fields(expected) if getattr(expected, f.name) != getattr(SessionSettings(), f.name)}
    assert set(wishes.given) == changed
    assert asked_for(session_settings.dumps(wishes.settings), StreamPolicy())
    for audio in (20, 40, 1000):
        assert order(rtms_settings={"audio": {"send_rate_ms": audio}}).wishes.settings.audio_send_rate_ms == audio


@pytest.mark.parametrize(
    "settings",
    [
        {"audio": {"codec": "mp3"}}, {"audio": {"send_rate_ms": 30}}, {"audio": {"sample_rate_hz": 44100}},
        {"video": {"height": 480}}, {"video": {"fps": 60}}, {"share": {"view": "individual"}}, {"sound": {}}, [],
    ],
)  # fmt: skip
def test_what_zoom_cannot_be_asked_for_is_refused(settings):
    assert field_errors(rtms_settings=settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"format": "webm"}, {"format": "'webm' is not one of mp4, mp3, none."}),
        ({"format": []}, ["[] is not of type 'string'"]),
        ({"view": "x"}, {"view": f"'x' is not one of {', '.join(RecordingView)}."}),
        ({"q": 1}, ["Additional properties are not allowed ('q' was unexpected)"]),
        (
            {"reserve_additional_storage": True},
            ["Additional storage is not available: no session has a pod of its own."],
        ),
        ({"record_chat_messages_when_paused": "x"}, ["'x' is not of type 'boolean'"]),
        ("x", ["'x' is not of type 'object'"]),
        ([], ["[] is not of type 'object'"]),
    ],
)
def test_bad_recording_settings(settings, expected):
    assert field_errors(recording_settings=settings) == {"recording_settings": expected}


def test_metadata_is_kept():
    assert order(metadata={"a": "ü"}).wishes.metadata == '{"a": "ü"}'


@pytest.mark.parametrize("metadata", [{}, [], "x", 3, {"a": 1}, {"a": None}, {"a": {"b": "c"}}, {"a": "x" * 1000}])
def test_bad_metadata(metadata):
    [text] = field_errors(metadata=metadata)["metadata"]
    assert text.startswith("Metadata")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("websocket_settings", {"audio": {"url": "wss://a"}}),
        ("rtmp_settings", {"destination_url": "rtmp://a", "stream_key": "x"}),
        ("debug_settings", {"create_debug_recording": True}),
    ],
)
def test_what_is_not_built_yet_is_refused_in_a_sentence(name, value):
    [text] = field_errors(**{name: value})[name]
    assert text.endswith("not available yet.")


def test_asking_for_nothing_is_fine():
    assert order(webhooks=[], websocket_settings={}, debug_settings={"create_debug_recording": False})


def test_fields_of_bots_are_checked_and_dropped():
    assert order(automatic_leave_settings={"silence_timeout_seconds": 1}, calendar_event_id="x") == order()
    assert field_errors(bot_image=3) == {"bot_image": ["3 is not of type 'object'"]}
    assert field_errors(voice_agent_settings={}) == {"voice_agent_settings": ["Voice agents are not enabled."]}


def test_the_zoom_app_can_be_named():
    assert order(zoom_app_id="zoa_1").zoom_app == "zoa_1"
    assert session_order({"zoom_rtms": STREAM | {"client_id": "c"}}, ADDRESSES).zoom_app == "c"
    assert field_errors(zoom_app_id="") == {"zoom_app_id": ["'' should be non-empty"]}


@pytest.mark.parametrize(
    "body",
    [
        {"zoom_rtms": {"rtms_stream_id": "s1", "stop_reason": 6}},
        {"zoom_rtms": {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": "s1"}}, "other": 1},
        {"zoom_rtms": {"payload": {"object": {"rtmsStreamId": "s1"}}}},
        {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": "s1"}},
    ],
)
def test_end_requests(body):
    assert ended_stream(body) == "s1"


@pytest.mark.parametrize(
    "body", [{}, [], "x", None, 3, {"zoom_rtms": None}, {"zoom_rtms": "s"}, {"zoom_rtms": {}},
             {"zoom_rtms": {"rtms_stream_id": None}}, {"zoom_rtms": {"rtms_stream_id": 1}}]
)  # fmt: skip
def test_malformed_end_requests_are_400(body):
    with pytest.raises(ApiError, match="400"):
        ended_stream(body)


FIELDS = st.sampled_from(
    ["zoom_rtms", "metadata", "recording_settings", "transcription_settings", "webhooks", "event", "payload", "object",
     "debug_settings", "rtms_stream_id", "server_urls", "meeting_uuid", "format", "moonshine", "zoom_app_id"]
)  # fmt: skip


@given(st.recursive(JSON, lambda inner: st.dictionaries(FIELDS, inner, max_size=4), max_leaves=12))
def test_any_json_is_an_order_or_a_400(body):
    for parse in (lambda: session_order(body, ADDRESSES), lambda: ended_stream(body)):
        try:
            parse()
        except ApiError as error:
            assert error.status == 400  # noqa: PT017


@given(FIELDS, JSON)
def test_any_value_in_any_field(name, value):
    try:
        order(**{name: value})
    except ApiError as error:
        assert error.status == 400  # noqa: PT017


@given(st.sampled_from([*STREAM, "event", "payload", "object", "client_id"]), JSON)
def test_any_value_in_any_stream_field(name, value):
    try:
        session_order({"zoom_rtms": STREAM | {name: value}}, ADDRESSES)
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
