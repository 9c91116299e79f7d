"""An example of every answer, by the name of its schema, for the OpenAPI document."""

import json
from typing import Any

_AT, _LATER = "2026-01-13T10:30:00.000000Z", "2026-01-13T11:12:09.000000Z"
_SESSION, _WEBHOOK, _PARTICIPANT = "app_3mV0x1Qy8ZtK5aBc", "webhook_Xb71hGt4Lq9sYw2E", "par_7hJk2LmN4pQr6StU"

_EVENTS = [
    {"type": "app_session_connection_requested", "created_at": _AT, "event_metadata": {"source": "api"}},
    {"type": "app_session_connected", "created_at": _AT},
    {"type": "app_session_disconnect_requested", "created_at": _LATER, "event_metadata": {"source": "zoom"}},
    {"type": "app_session_disconnected", "created_at": _LATER},
    {"type": "post_processing_completed", "created_at": _LATER, "event_metadata": {"bot_duration_seconds": 2529}},
]
_PAUSED = {"from_ms": 1768301105120, "to_ms": 1768301225300}
_APP_SESSION = {
    "id": _SESSION,
    "metadata": {"customer": "42"},
    "state": "ended",
    "events": _EVENTS,
    "transcription_state": "complete",
    "recording_state": "complete",
    "deduplication_key": "42-weekly",
    "zoom_rtms_stream_id": "609340fb2a7946909659956c8aa9250c",
    "created_at": _AT,
    "failures": [],
    "holes": [],
    "pauses": [_PAUSED],
    "retention_hours": 720,
    "expires_at": "2026-02-12T11:12:09.000000Z",
    "completeness": {
        medium: {"complete": True, "missing_ms": 0}
        for medium in ("audio", "video", "share", "captions", "chat", "events")
    },
    "async_transcriptions": [],
}
_ASYNC_TRANSCRIPTION: dict[str, Any] = {
    "bot_id": _SESSION,
    "id": "tran_4pQr6StU7hJk2LmN",
    "created_at": _LATER,
    "updated_at": _LATER,
    "state": "not_started",
    "failure_data": None,
}
_BOT = {
    name: _APP_SESSION[name]
    for name in ("id", "metadata", "state", "events", "transcription_state", "recording_state", "deduplication_key")
} | {"meeting_url": "app_session", "join_at": None}
_UTTERANCE = {
    "speaker_name": "Ada",
    "speaker_uuid": _PARTICIPANT,
    "speaker_user_uuid": None,
    "speaker_is_host": False,
    "timestamp_ms": 1768300205120,
    "duration_ms": 2100,
    "transcription": {"transcript": "Shall we begin?"},
    "id": "utt_0pQr6StU7hJk2LmN",
    "engine": "moonshine",
    "recognised_by": "moonshine",
    "model": "tiny-en",
    "language": "en",
}
_EXPORTED = _UTTERANCE | {"status": "final", "reason": None}
_HIT = _UTTERANCE | {"app_session_id": _SESSION, "highlight": "Shall we <mark>begin</mark>?"}
_SPEAKER = {"uuid": _PARTICIPANT, "name": "Ada", "speaking_ms": 123_400, "share": 0.617, "utterances": 31}
_EVENT: dict[str, Any] = {
    "id": "pe_2LmN4pQr6StU7hJk",
    "participant_name": "Ada",
    "participant_uuid": _PARTICIPANT,
    "participant_user_uuid": None,
    "participant_is_host": False,
    "event_type": "join",
    "event_data": {},
    "timestamp_ms": 1768300201004,
}
_SOMEBODY = {"id": _PARTICIPANT, "name": "Ada", "uuid": _PARTICIPANT, "user_uuid": None, "is_host": False}
_OBJECTS = f"https://rtms.example.com/objects/sessions/{_SESSION}"
_TRACK: dict[str, Any] = {
    "track": "participant-16778240",
    "kind": "audio",
    "participant_uuid": _PARTICIPANT,
    "participant_name": "Ada",
    "url": f"{_OBJECTS}/tracks/participant-16778240.m4a?expires=…&signature=…",
    "start_timestamp_ms": 1768300200480,
    "duration_ms": 2_508_640,
    "size_bytes": 9_214_377,
    "reason": None,
}
_SHARE = _TRACK | {
    "track": "share",
    "kind": "share",
    "participant_uuid": None,
    "participant_name": None,
    "url": f"{_OBJECTS}/tracks/share.mp4?expires=…&signature=…",
}
_SUBSCRIPTION = {
    "id": _WEBHOOK,
    "url": "https://example.com/hook",
    "triggers": ["bot.state_change", "transcript.update"],
    "is_active": True,
    "disabled_reason": None,
    "secrets": 1,
    "created_at": _AT,
}
_CHANGE: dict[str, Any] = {
    "event_type": "app_session_connected",
    "event_sub_type": None,
    "event_metadata": {},
    "old_state": "connecting",
    "new_state": "connected",
    "created_at": "2026-01-13T10:30:00.000000+00:00",
}
_DELIVERY = {
    "id": "whd_9sYw2EXb71hGt4Lq",
    "app_session_id": _SESSION,
    "webhook_id": _WEBHOOK,
    "url": "https://example.com/hook",
    "trigger": "bot.state_change",
    "sequence": 1,
    "status": "pending",
    "attempts": [{"at": _AT, "status_code": 503, "error": None, "response": "overloaded"}],
    "next_attempt_at": "2026-01-13T10:30:05.412000Z",
    "created_at": _AT,
    "payload": {
        "idempotency_key": "6f1c0f5e-2a3b-4c4d-8e5f-60718293a4b5",
        "app_session_id": _SESSION,
        "app_session_metadata": {"customer": "42"},
        "trigger": "bot.state_change",
        "sequence": 1,
        "data": _CHANGE,
    },
}
_CHAT_MESSAGE = {
    "id": "msg_hGt4Lq9sYw2EXb71",
    "text": "Slides: https://example.org/two-cities",
    "timestamp_ms": 1768300215412,
    "timestamp": 1768300215,
    "to": "everyone",
    "sender_name": "Ada",
    "sender_uuid": _PARTICIPANT,
    "sender_user_uuid": None,
    "additional_data": {"message_id": "kq3+Yx==", "chat_session": {"type": 1}, "revision": 4},
}
_PROJECT = {
    "id": "proj_4Lq9sYw2EXb71hGt",
    "name": "Acme",
    "concurrency_limit": 100,
    "retention_hours": 720,
    "created_at": _AT,
}
_KEY = {
    "id": "key_hGt4Lq9sYw2EXb71",
    "name": "dashboard",
    "scopes": ["read"],
    "expires_at": "2027-01-01T00:00:00.000000Z",
    "last_used_at": _LATER,
    "created_at": _AT,
}
_ZOOM_APP = {
    "id": "zoa_Yw2EXb71hGt4Lq9s",
    "client_id": "K0d3bQ9nTRuY1x",
    "webhook_url": "https://rtms.example.com/zoom/zoa_Yw2EXb71hGt4Lq9s",
}
_CREDENTIAL = {
    "type": "external_media_storage",
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "endpoint_url": None,
    "region_name": "eu-central-1",
    "created_at": _AT,
}
_ERASED = {"part": "objects", "count": 613, "size_bytes": 84213377, "erased_at": _LATER}
_EXTERNAL_COPY = {"bucket_name": "acme-meetings", "recording_file_name": "weekly.mp4", "size_bytes": 84210112}
_RETAINED = {"topic": "rtms.audio", "gone_by": "2026-01-14T12:18:09.000000Z", "is_replaced": False}
_SECRET = "q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80="  # noqa: S105  nobody's


_LIVE_UTTERANCE = _UTTERANCE | {"revision": 1, "status": "final", "reason": None}


def _stream(*events: tuple[str, str, Any]) -> str:
    """A `text/event-stream` of (name, id, data)."""
    told = [f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\nid: {at}\n\n" for name, at, data in events]
    return "retry: 1800\n\n" + "".join(told)


TRANSCRIPT_STREAM = _stream(("utterance", "3-1047", _LIVE_UTTERANCE), ("end", "3-1093-end", {"reason": "complete"}))
PARTICIPANT_STREAM = _stream(
    ("participant_event", "3-211", _EVENT),
    ("chat_message", "3-214", _CHAT_MESSAGE),
    ("end", "3-260-end", {"reason": "complete"}),
)
STATE_STREAM = _stream(
    ("state_change", "3-1", {"sequence": 1} | _CHANGE),
    ("end", "3-4-end", {"reason": "session_over"}),
)


def _page(item: Any) -> dict[str, Any]:
    return {
        "next": "https://rtms.example.com/api/v1/…?cursor=WzE3NjgzMDAyMDAwMDAs…",
        "previous": None,
        "results": [item],
    }


TRANSCRIPT_FILES = {
    "vtt": "WEBVTT\n\n1\n00:00:04.640 --> 00:00:06.740\n<v Ada>Shall we begin?\n",
    "srt": "1\n00:00:04,640 --> 00:00:06,740\nAda: Shall we begin?\n\n",
    "txt": f"Transcript of {_SESSION} by moonshine\n\n[00:00:04] Ada: Shall we begin?\n",
    "md": f"# Transcript of {_SESSION} by moonshine\n\n`00:00:04` **Ada:** Shall we begin?\n",
}

EXAMPLES: dict[str, Any] = {
    "ApiKeyDocument": _KEY | {"key": "b7Qm2xVt9Lk4Zr1Yc8Nd5Hs6Wf3Gj0Pa"},
    "ApiKeyList": {"results": [_KEY]},
    "AppSessionDocument": _APP_SESSION,
    "AppSessionPage": _page(_APP_SESSION),
    "AsyncTranscriptionDocument": _ASYNC_TRANSCRIPTION,
    "AsyncTranscriptionKeys": {
        **{name: value for name, value in _ASYNC_TRANSCRIPTION.items() if name != "bot_id"},
        "state": "failed",
        "failure_data": {"failure_reasons": ["credentials_invalid"]},
    },
    "AttemptDocument": {"at": _AT, "status_code": None, "error": "timeout", "response": ""},
    "BotDocument": _BOT,
    "BotPage": _page(_BOT),
    "ChatMessageDocument": _CHAT_MESSAGE,
    "ChatMessagePage": _page(_CHAT_MESSAGE),
    "CompletenessDocument": {"complete": False, "missing_ms": 2200},
    "CredentialDocument": _CREDENTIAL,
    "CredentialList": {"results": [_CREDENTIAL]},
    "DeliveryDocument": _DELIVERY,
    "DeliveryPage": _page(_DELIVERY),
    "DetailDocument": {"detail": "Invalid or disabled API key."},
    "ErasedDocument": _ERASED,
    "ErrorDocument": {"error": "App session not found"},
    "EventDocument": {
        "type": "fatal_error",
        "created_at": _AT,
        "sub_type": "zoom_connection_failed",
        "event_metadata": {"reason": "signaling_refused_3"},
    },
    "ExternalCopyDocument": _EXTERNAL_COPY,
    "ExportedUtteranceDocument": _EXPORTED,
    "FailureDocument": {"failure_reasons": ["credentials_invalid"]},
    "HitDocument": _HIT,
    "HitPage": _page(_HIT),
    "HoleDocument": {
        "medium": "video",
        "participant_uuid": None,
        "from_ms": 1768300305000,
        "to_ms": 1768300307200,
        "cause": "reconnected",
    },
    "MediaDocument": {
        "url": f"{_OBJECTS}/recording.mp4?expires=…&signature=…",
        "start_timestamp_ms": 1768300200480,
    },
    "NewProjectDocument": _PROJECT | {"webhook_secret": _SECRET},
    "ParticipantDocument": _SOMEBODY,
    "ParticipantEventDocument": _EVENT,
    "ParticipantEventPage": _page(_EVENT),
    "ParticipantPage": _page(_SOMEBODY),
    "PingDocument": {"delivery_id": "whd_9sYw2EXb71hGt4Lq"},
    "PlaylistDocument": {
        "url": "https://rtms.example.com/playlists/sessions/app_3mV0x1Qy8ZtK5aBc/recording.m3u8?expires=…&signature=…",
        "start_timestamp_ms": 1768300200480,
    },
    "PauseDocument": _PAUSED,
    "ProjectDocument": _PROJECT,
    "ProjectList": {"results": [_PROJECT]},
    "ReceiptDocument": {
        "app_session_id": _SESSION,
        "reason": "asked",
        "requested_at": _LATER,
        "complete": True,
        "completed_at": _LATER,
        "erased": [
            _ERASED,
            {"part": "rows", "count": 482, "size_bytes": 0, "erased_at": _LATER},
            {"part": "records", "count": 482, "size_bytes": 0, "erased_at": _LATER},
        ],
        "retained": [_RETAINED],
        "external_copy": _EXTERNAL_COPY,
    },
    "TranscriptReceiptDocument": {
        "app_session_id": _SESSION,
        "reason": "asked",
        "requested_at": _LATER,
        "complete": True,
        "completed_at": _LATER,
        "erased": [
            {"part": "rows", "count": 473, "size_bytes": 0, "erased_at": _LATER},
            {"part": "records", "count": 473, "size_bytes": 0, "erased_at": _LATER},
        ],
        "retained": [_RETAINED],
        "external_copy": None,
        "said_until": _LATER,
    },
    "ReplayDocument": {"replayed": 1},
    "RetainedDocument": _RETAINED,
    "SecretWebhookDocument": _SUBSCRIPTION | {"secret": _SECRET},
    "SpeakerDocument": _SPEAKER,
    "TalkTimeDocument": {
        "app_session_id": _SESSION,
        "engine": "moonshine",
        "transcription_state": "complete",
        "speaking_ms": 200_000,
        "participants": [_SPEAKER],
    },
    "TrackDocument": _TRACK,
    "TracksDocument": {"tracks": [_TRACK, _SHARE]},
    "TranscriptExportDocument": {
        "app_session_id": _SESSION,
        "engine": "moonshine",
        "state": "ended",
        "transcription_state": "complete",
        "start_timestamp_ms": 1768300200480,
        "utterances": [_EXPORTED],
    },
    "TranscriptionDocument": {"transcript": "Shall we begin?"},
    "UtteranceDocument": _UTTERANCE,
    "WebhookDocument": _SUBSCRIPTION,
    "WebhookList": {"results": [_SUBSCRIPTION]},
    "WebhookSecretDocument": {"webhook_secret": _SECRET},
    "WordDocument": {"word": "begin?", "start": 0.86, "end": 1.4},
    "ZoomAppDocument": _ZOOM_APP,
    "ZoomAppList": {"results": [_ZOOM_APP]},
}
