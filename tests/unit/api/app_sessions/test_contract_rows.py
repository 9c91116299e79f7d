"""Every row of the App Session contract's tables about a create request, under the row's name.

A row's cases are values and what is answered: the field's errors, or None where the value is taken. `NOT_YET` is what
the incumbent takes and we refuse in a sentence until it is built.
"""

import pytest

from api.app_sessions.requests import BOT_FIELDS, NULLABLE, WISH_FIELDS, session_order
from api.errors import ApiError
from connectors.rtms.protocol.addresses import AddressPolicy

STREAM = {"meeting_uuid": "m==", "rtms_stream_id": "s", "server_urls": "wss://rtms.zoom.us", "operator_id": "o"}
NOT_YET = object()
NULL = ["This field may not be null."]
NOT_NULL = sorted({*BOT_FIELDS, *WISH_FIELDS} - {*NULLABLE})
HOOK = {"url": "https://a.example", "triggers": ["bot.state_change"]}


def outcome(fields):
    """What a create request with these fields beside the stream is answered; None when it is taken."""
    try:
        session_order({"zoom_rtms": STREAM} | fields, AddressPolicy())
    except ApiError as error:
        assert error.status == 400  # noqa: PT017
        return error.body
    return None


def check(fields, expected):
    found = outcome(fields)
    if expected is NOT_YET:
        [answer] = found.values()
        text = next(iter(answer.values())) if isinstance(answer, dict) else answer[0]
        assert "not available" in text
        assert text.endswith(".")
    else:
        assert found == expected


def not_of_type(value, kind):
    return [f"{value!r} is not of type '{kind}'"]


def field(name, value, expected):
    """A case of a field: `expected` is what stands under the field's name."""
    answer = expected if expected in (None, NOT_YET) else {name: expected}
    return {name: value}, answer


def cases(name, rows):
    return [pytest.param(*field(name, value, expected), id=f"{name}: {row}") for row, value, expected in rows]


def provider(name, options, expected):
    return f"{name} {options}", {name: options}, expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        *[pytest.param({name: None}, {name: NULL}, id=f"{name}: null") for name in NOT_NULL],
        *[
            pytest.param({name: {}}, None, id=f"{name}: an object is taken and dropped")
            for name in sorted(BOT_FIELDS)
            if name not in ("calendar_event_id", "voice_agent_settings")
        ],
        *[
            pytest.param({name: []}, {name: not_of_type([], "object")}, id=f"{name}: no object")
            for name in sorted(BOT_FIELDS)
            if name not in ("calendar_event_id", "voice_agent_settings")
        ],
        *cases("calendar_event_id", [("a string", "evt_1", None), ("no string", 3, not_of_type(3, "string"))]),
        *cases("voice_agent_settings", [("not enabled", {}, ["Voice agents are not enabled."])]),
        *cases("deduplication_key", [("a string", "k", None), ("empty", "", ["This field may not be blank."]),
               ("no string", 3, not_of_type(3, "string")), ("1024 characters", "k" * 1024, None),
               ("longer", "k" * 1025, [f"'{'k' * 99}… is too long"])]),
    ],
)  # fmt: skip
def test_1_3_1_top_level_fields(fields, expected):
    check(fields, expected)


def test_1_3_1_no_other_fields():
    [text] = outcome({"join_at": "x", "bot_name": "y", "meeting_url": "z"})["non_field_errors"]
    allowed = ", ".join(sorted([*BOT_FIELDS, *WISH_FIELDS, "zoom_app_id", "zoom_rtms"]))
    assert text == f"Unexpected field(s): bot_name, join_at, meeting_url. Allowed fields are: {allowed}"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param({k: v for k, v in STREAM.items() if k != "meeting_uuid"},
                     ["'meeting_uuid' is a required property"], id="meeting_uuid: missing"),
        pytest.param(STREAM | {"meeting_uuid": ""}, ["'' should be non-empty"], id="meeting_uuid: empty"),
        pytest.param(STREAM | {"meeting_uuid": 3}, not_of_type(3, "string"), id="meeting_uuid: no string"),
        pytest.param({k: v for k, v in STREAM.items() if k != "rtms_stream_id"},
                     ["'rtms_stream_id' is a required property"], id="rtms_stream_id: missing"),
        pytest.param(STREAM | {"rtms_stream_id": ""}, ["'' should be non-empty"], id="rtms_stream_id: empty"),
        pytest.param({k: v for k, v in STREAM.items() if k != "server_urls"},
                     ["'server_urls' is a required property"], id="server_urls: missing"),
        pytest.param(STREAM | {"server_urls": ""}, ["'' should be non-empty"], id="server_urls: empty"),
        pytest.param(STREAM | {"server_urls": 3}, not_of_type(3, "string"), id="server_urls: no string"),
        pytest.param(STREAM | {"operator_id": ""}, None, id="operator_id: may be empty"),
        pytest.param({k: v for k, v in STREAM.items() if k != "operator_id"}, None, id="operator_id: optional"),
        pytest.param(STREAM | {"operator_id": 3}, not_of_type(3, "string"), id="operator_id: no string"),
        pytest.param(STREAM | {"q": 1}, None, id="other keys: taken, Zoom adds some"),
    ],
)  # fmt: skip
def test_1_3_2_zoom_rtms(stream, expected):
    assert outcome({"zoom_rtms": stream}) == (None if expected is None else {"zoom_rtms": expected})


@pytest.mark.parametrize(
    ("fields", "expected"),
    cases(
        "transcription_settings",
        [
            ("empty = closed captions", {}, None),
            ("unknown provider", {"foo": {}}, ["Additional properties are not allowed ('foo' was unexpected)"]),
            ("no object", "x", not_of_type("x", "object")),
            ("provider no object", {"deepgram": 3}, not_of_type(3, "object")),
            provider("deepgram", {}, None),
            provider("deepgram", {"language": "multi", "model": "nova-3", "keyterms": ["a"], "keywords": ["b"],
                     "redact": ["pci", "pii"], "replace": ["a:b"], "use_eu_server": True, "detect_language": True},
                     None),
            provider("deepgram", {"callback": "https://a", "detect_language": True},
                     {"transcription_settings": "Deepgram cannot detect the language when it is to call back."}),
            provider("deepgram", {"callback": "https://a"}, NOT_YET),
            provider("deepgram", {"detect_language": 1}, not_of_type(1, "boolean")),
            provider("deepgram", {"redact": ["x"]}, ["'x' is not one of ['pci', 'pii', 'numbers']"]),
            provider("deepgram", {"redact": ["pci", "pci"]}, ["['pci', 'pci'] has non-unique elements"]),
            provider("deepgram", {"q": 1}, ["Additional properties are not allowed ('q' was unexpected)"]),
            provider("gladia", {"code_switching_languages": ["en"], "enable_code_switching": True}, NOT_YET),
            provider("gladia", {"enable_code_switching": "x"}, not_of_type("x", "boolean")),
            provider("openai", {}, ["'model' is a required property"]),
            provider("openai", {"model": "x"}, None),  # refused by the incumbent; servers of one's own have others
            provider("openai", {"model": ""}, ["'' should be non-empty"]),
            provider("openai", {"model": "gpt-4o-transcribe", "prompt": "p", "response_format": "json",
                     "chunking_strategy": "auto"}, None),
            provider("openai", {"model": "gpt-4o-transcribe",
                     "chunking_strategy": {"type": "server_vad", "threshold": 0.5}}, None),
            provider("openai", {"model": "gpt-4o-transcribe", "response_format": "x"},
                     ["'x' is not one of ['json', 'diarized_json']"]),
            provider("assembly_ai", {"language_detection": True, "keyterms_prompt": ["a"], "speech_models": ["a"],
                     "custom_spelling": [{"from": ["a"], "to": "b"}],
                     "language_detection_options": {"expected_languages": ["en"]}}, NOT_YET),
            provider("assembly_ai", {"speech_models": ["a", "a"]}, ["['a', 'a'] has non-unique elements"]),
            provider("sarvam", {"language_code": "hi-IN", "mode": "translit"}, NOT_YET),
            provider("sarvam", {"mode": "x"},
                     ["'x' is not one of ['transcribe', 'translate', 'verbatim', 'translit', 'codemix']"]),
            provider("elevenlabs", {}, ["'model_id' is a required property"]),
            provider("elevenlabs", {"model_id": "scribe_v1", "tag_audio_events": True}, NOT_YET),
            provider("kyutai", {"server_url": "wss://a"}, NOT_YET),
            provider("kyutai", {"server_url": "http://a"}, ["'http://a' does not match '^wss?://'"]),
            provider("custom_async", {"anything": 1}, None),
            provider("custom_async_v2", {"headers": {"a": "b"}, "form_data": {}, "more": 1}, NOT_YET),
            provider("custom_async_v2", {"headers": {"a": 1}}, not_of_type(1, "string")),
            provider("meeting_closed_captions", {"google_meet_language": "en", "teams_language": "en",
                     "zoom_language": "de", "merge_consecutive_captions": False}, None),
            provider("meeting_closed_captions", {"merge_consecutive_captions": True}, None),
            provider("meeting_closed_captions", {"merge_consecutive_captions": 1}, not_of_type(1, "boolean")),
            provider("meeting_closed_captions", {"zoom_language": 3}, not_of_type(3, "string")),
            ("several at once", {"meeting_closed_captions": {}, "moonshine": {}}, None),
        ],
    ),
)  # fmt: skip
def test_1_3_3_transcription_settings(fields, expected):
    check(fields, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    cases(
        "recording_settings",
        [
            ("empty", {}, None),
            ("no object (500 with the incumbent)", "x", not_of_type("x", "object")),
            ("a list (500 with the incumbent)", [], not_of_type([], "object")),
            ("unknown key", {"q": 1}, ["Additional properties are not allowed ('q' was unexpected)"]),
            ("format mp4", {"format": "mp4"}, None),
            ("format none", {"format": "none"}, None),
            ("format mp3", {"format": "mp3"}, None),
            ("format webm", {"format": "webm"}, {"format": "'webm' is not one of mp4, mp3, none."}),
            *[(f"view {view}", {"view": view}, None)
              for view in ("speaker_view", "gallery_view", "speaker_view_no_sidebar")],
            ("view other", {"view": "x"},
             {"view": "'x' is not one of speaker_view, gallery_view, speaker_view_no_sidebar, side_by_side_view, "
             "shared_screen_with_speaker_view."}),
            *[(f"resolution {value!r}", {"resolution": value}, None) for value in ("720p", "1080p", "nonsense", 3)],
            ("record_chat_messages_when_paused", {"record_chat_messages_when_paused": True}, None),
            ("record_chat_messages_when_paused no boolean", {"record_chat_messages_when_paused": 1},
             not_of_type(1, "boolean")),
            ("record_async_transcription_audio_chunks", {"record_async_transcription_audio_chunks": False}, None),
            ("record_async_transcription_audio_chunks true", {"record_async_transcription_audio_chunks": True}, None),
            ("record_async_transcription_audio_chunks of nothing",
             {"record_async_transcription_audio_chunks": True, "format": "none"},
             {"format": "With none nothing is kept: choose mp4 or mp3, or ask for no tracks beside it."}),
            ("record_participant_speech_start_stop_events",
             {"record_participant_speech_start_stop_events": True}, None),
            ("reserve_additional_storage", {"reserve_additional_storage": False}, None),
            ("reserve_additional_storage true", {"reserve_additional_storage": True}, NOT_YET),
        ],
    ),
)  # fmt: skip
def test_1_3_4_recording_settings(fields, expected):
    check(fields, expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        *cases("metadata", [
            ("strings", {"a": "b"}, None), ("a list", [], ["Metadata must be an object"]),
            ("no key", {}, ["Metadata must have at least one key"]),
            ("another value than a string", {"a": 1}, ["Metadata values must be strings"]),
            ("too long", {"a": "x" * 1000}, ["Metadata must be at most 1000 characters of JSON"])]),
        *cases("webhooks", [
            ("none", [], None), ("one", [HOOK], None), ("two", [HOOK, HOOK | {"url": "https://b.example"}], None),
            ("no list", {}, not_of_type({}, "array")), ("no object", [3], not_of_type(3, "object")),
            ("plain http", [HOOK | {"url": "http://a"}], ["'http://a' does not match '^https://'"]),
            ("no triggers", [HOOK | {"triggers": []}], ["[] should be non-empty"]),
            ("a trigger twice", [HOOK | {"triggers": ["bot.state_change"] * 2}],
             ["['bot.state_change', 'bot.state_change'] has non-unique elements"]),
            ("without url", [{"triggers": ["bot.state_change"]}], ["'url' is a required property"]),
            ("another key", [HOOK | {"q": 1}], ["Additional properties are not allowed ('q' was unexpected)"])]),
        pytest.param({"webhooks": [HOOK, HOOK | {"url": "https://b"}, HOOK | {"url": "https://c"}]},
                     {"error": "You have reached the maximum number of webhooks for a single bot"},
                     id="webhooks: more than two"),
        pytest.param({"webhooks": [HOOK, HOOK]}, {"error": "URL already subscribed for this bot"},
                     id="webhooks: the same URL twice"),
        *cases("websocket_settings", [
            ("empty", {}, None), ("audio", {"audio": {"url": "wss://a", "sample_rate": 24000}}, NOT_YET),
            ("audio url", {"audio": {"url": "ws://a"}}, {"audio": {"url": "The address must begin with wss://."}}),
            ("audio sample_rate", {"audio": {"url": "wss://a", "sample_rate": 7}},
             ["7 is not one of [8000, 16000, 24000]"]),
            ("per_participant_audio", {"per_participant_audio": {"url": "wss://a", "sample_rate": 8000}}, NOT_YET),
            ("per_participant_audio sample_rate", {"per_participant_audio": {"url": "wss://a", "sample_rate": 24000}},
             ["24000 is not one of [8000, 16000]"]),
            ("per_participant_video", {"per_participant_video": {"url": "wss://a"}}, NOT_YET),
            ("per_participant_video both none",
             {"per_participant_video": {"url": "wss://a", "webcam_resolution": "none",
                                        "screenshare_resolution": "none"}},
             {"per_participant_video": "One of the two resolutions must be another than none."}),
            ("another key", {"q": {}}, ["Additional properties are not allowed ('q' was unexpected)"])]),
        *cases("rtmp_settings", [
            ("both", {"destination_url": "rtmps://a", "stream_key": "k", "extra": 1}, NOT_YET),
            ("no key", {"destination_url": "rtmp://a"}, ["'stream_key' is a required property"]),
            ("another scheme", {"destination_url": "http://a", "stream_key": "k"},
             {"destination_url": "The address must begin with rtmp:// or rtmps://."})]),
        *cases("debug_settings", [
            ("default", {"create_debug_recording": False}, None), ("true", {"create_debug_recording": True}, NOT_YET),
            ("another key", {"q": 1}, ["Additional properties are not allowed ('q' was unexpected)"])]),
        *cases("external_media_storage_settings", [
            ("whole", {"bucket_name": "acme.meetings", "recording_file_name": "a b/é (1).mp4"}, None),
            ("bucket alone", {"bucket_name": "acme-meetings"}, None),
            ("no name of a bucket", {"bucket_name": "../b"}, {"bucket_name": "This is no bucket's name: letters, "
             "digits, dots, hyphens and underscores."}),
            ("no text", {"bucket_name": 3}, not_of_type(3, "string")),
            ("no bucket", {}, ["'bucket_name' is a required property"]),
            ("another key", {"bucket_name": "b", "q": 1},
             ["Additional properties are not allowed ('q' was unexpected)"])]),
    ],
)  # fmt: skip
def test_1_3_5_remaining_settings(fields, expected):
    check(fields, expected)


def test_a_trigger_nobody_knows_is_named():
    [text] = outcome({"webhooks": [HOOK | {"triggers": ["bot.stage_change"]}]})["webhooks"]
    assert text.startswith("'bot.stage_change' is not one of ['bot.state_change', ")
