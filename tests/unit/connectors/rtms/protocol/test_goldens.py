"""Wire goldens: what is built is what Zoom's documents show, and what they show is read."""

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import DataOption, MediaCodec, MediaType, Medium, MessageType, TextAttribute
from connectors.rtms.protocol.events import (
    EVENT_CLASSES,
    SIGNALING,
    CaptionReceived,
    ChatReceived,
    ContactCenterEvent,
    EndCause,
    Event,
    FrameReceived,
    MediaInterrupted,
    MediaReady,
    MediumRefused,
    ParticipantJoined,
    SessionStateChanged,
    SignalingAccepted,
    StreamEnded,
    StreamStateChanged,
    ZoomEvent,
)
from connectors.rtms.protocol.joining import StreamParams
from connectors.rtms.protocol.messages import StreamIdentity
from connectors.rtms.protocol.parameters import (
    EVERYTHING,
    AudioParameters,
    CaptionParameters,
    ChatParameters,
    MediaParameters,
    ShareParameters,
    VideoParameters,
)
from connectors.rtms.protocol.webhooks import StreamWebhook, WebhookKind, read_stream_webhook
from connectors.rtms.simulator.frames import CaptionFrame
from connectors.rtms.simulator.wire import write_frame
from tests.support.goldens import GOLDENS, MESSAGES, WEBHOOKS, golden
from tests.support.zoom_conversation import MEDIA, PARAMS, URLS, Conversation

SIGNATURE = "a0738c6255b66e10d2f33177841ad6a8129e9b34104d2065f0d8bd72c6bff7c7"
ME = StreamIdentity("meeting", "meetAAA==", "stream0001", SIGNATURE)
ADA, T = 16778240, 1_700_000_001_234
PCM, IDR, JPEG = b"\x00\x01\x02\x03", b"\x00\x00\x00\x01\x65\x88", b"\xff\xd8\xff\xe0"
EXAMPLE = MediaParameters(
    audio=AudioParameters(data_opt=DataOption.AUDIO_MIXED_STREAM, send_rate=20), video=VideoParameters(),
    share=ShareParameters(codec=MediaCodec.JPG, fps=1), captions=CaptionParameters(), chat=ChatParameters(),
)  # fmt: skip


def test_every_message_has_a_golden() -> None:
    numbers = {golden(name)["msg_type"] for name in MESSAGES}
    reserved = {MessageType.UNDEFINED, *range(MessageType.META_DATA_VIDEO, MessageType.META_DATA_CHAT + 1)}
    assert numbers == set(MessageType) - reserved
    assert all(golden(name)["msg_type"] == int(name[:2]) for name in MESSAGES)


# --- built ------------------------------------------------------------------------------------------------------------

CLIENT_SAYS = {
    "01-signaling-handshake-request": messages.signaling_handshake_request(ME),
    "03-media-handshake-request": messages.media_handshake_request(
        ME, media_type=MediaType.ALL, media_params=EXAMPLE.to_wire()
    ),
    "05-event-subscription": messages.event_subscription((2, 3)),
    "07-client-ready-ack": messages.client_ready_ack("stream0001"),
    "10-session-state-request": messages.session_state_request("sess-1"),
    "13-keep-alive-response": messages.keep_alive_response(golden("12-keep-alive-request")),
    "19-stream-state-request": messages.stream_state_request("stream0001"),
    "21-stream-close-request": messages.stream_close_request("stream0001"),
    "28-video-subscription-request": messages.video_subscription_request(ADA, subscribe=True, timestamp_ms=T),
}


def frame(number: int, payload: bytes, user_id: int = ADA, user_name: str | None = "Ada") -> bytes:
    return messages.media_data(
        MessageType(number), user_id=user_id, user_name=user_name, timestamp_ms=T, payload=payload
    )


def caption(attribute: TextAttribute | None, text: str) -> bytes:
    return write_frame(
        CaptionFrame(
            medium=Medium.CAPTIONS, due_ms=T, timestamp_ms=1_700_000_001_000, user_id=ADA, user_name="Ada",
            start_ms=1_700_000_001_000, end_ms=1_700_000_003_200, language=9, attribute=attribute, text=text,
        )
    )  # fmt: skip


ZOOM_SAYS = {
    "02-signaling-handshake-response": messages.signaling_handshake_response(server_urls=URLS),
    "02-signaling-handshake-response.refused": messages.signaling_handshake_response(
        status=3, reason="invalid signature"
    ),
    "04-media-handshake-response": messages.media_handshake_response(media_params=EXAMPLE.to_wire()),
    "04-media-handshake-response.refused": messages.media_handshake_response(status=13, reason="no scope for chat"),
    "06-event-update.01-first-packet-timestamp": messages.event_update(1, T),
    "06-event-update.02-active-speaker-change": messages.event_update(2, T, {"user_id": ADA, "user_name": "Ada"}),
    "06-event-update.03-participant-join": messages.event_update(
        3, T, messages.participants([(ADA, "Ada"), (33556610, "Bo")])
    ),
    "06-event-update.08-participant-video-on": messages.event_update(8, T, messages.participants([(ADA, None)])),
    "08-stream-state-update": messages.stream_state_update(5, T),
    "09-session-state-update": messages.session_state_update("sess-1", 2, T),
    "11-session-state-response": messages.session_state_response("sess-1", 2, T),
    "12-keep-alive-request": messages.keep_alive_request(T, 17),
    "12-keep-alive-request.as-documented": messages.keep_alive_request(T, None),
    "14-media-data-audio": frame(14, PCM),
    "14-media-data-audio.mixed": frame(14, PCM, 0, None),
    "15-media-data-video": frame(15, IDR),
    "16-media-data-share": frame(16, JPEG),
    "17-media-data-transcript": caption(None, "Good morning."),
    "17-media-data-transcript.update": caption(TextAttribute.UPDATE, "Good morning, all."),
    "17-media-data-transcript.delete": caption(TextAttribute.DELETE, ""),
    "18-media-data-chat": messages.chat_data(golden("18-media-data-chat")["content"]),
    "20-stream-state-response": messages.stream_state_response("stream0001", 1, 1_700_000_001),
    "22-stream-close-response": messages.stream_close_response("stream0001", T),
    "29-video-subscription-response": messages.video_subscription_response(ADA, T),
}


@pytest.mark.parametrize("name", [*CLIENT_SAYS, *ZOOM_SAYS])
def test_what_is_built_is_what_the_documents_show(name: str) -> None:
    assert json.loads({**CLIENT_SAYS, **ZOOM_SAYS}[name]) == golden(name)


def test_every_message_that_anybody_sends_is_built() -> None:
    never_sent = {MessageType.META_DATA_AUDIO}
    built = {golden(name)["msg_type"] for name in {**CLIENT_SAYS, **ZOOM_SAYS}}
    assert built == {golden(name)["msg_type"] for name in MESSAGES} - never_sent


# --- read -------------------------------------------------------------------------------------------------------------

CAPTION = CaptionReceived(
    user_id=ADA, user_name="Ada", timestamp_ms=1_700_000_001_000, start_ms=1_700_000_001_000,
    end_ms=1_700_000_003_200, language=9, text="Good morning.",
)  # fmt: skip
CHAT = ChatReceived(
    user_id=ADA, user_name="Ada", timestamp_ms=T, message_id="m2", parent_message_id="m1", operation="new",
    text="hello", details='{"chat_session":{"id":"g1","type":3},"delete_file_id_list":[],'
    '"files":[{"file_id":"f1","file_name":"a.txt","file_size":3}]}',
)  # fmt: skip


def happened(number: int, details: str = "{}", **fields: Any) -> ZoomEvent:
    return EVENT_CLASSES[number](code=number, timestamp_ms=T, details=details, **fields)


READ_AS: dict[str, list[Event]] = {
    "06-event-update.01-first-packet-timestamp": [happened(1)],
    "06-event-update.02-active-speaker-change": [happened(2, user_id=ADA, user_name="Ada")],
    "06-event-update.03-participant-join": [
        ParticipantJoined(code=3, timestamp_ms=T, user_id=ADA, user_name="Ada"),
        ParticipantJoined(code=3, timestamp_ms=T, user_id=33556610, user_name="Bo"),
    ],
    "06-event-update.04-participant-leave": [happened(4, user_id=ADA)],
    "06-event-update.05-sharing-start": [happened(5, user_id=ADA, user_name="Ada")],
    "06-event-update.06-sharing-stop": [happened(6)],
    "06-event-update.07-media-connection-interrupted": [
        MediaInterrupted(code=7, timestamp_ms=T, medium=Medium.VIDEO, details='{"media_type":2}')
    ],
    "06-event-update.08-participant-video-on": [happened(8, user_id=ADA)],
    "06-event-update.09-participant-video-off": [happened(9, user_id=ADA)],
    "06-event-update.10-chat-group-create": [happened(10, '{"chat_groups":[{"id":"g1","type":0}]}')],
    "06-event-update.11-chat-group-delete": [happened(11, '{"chat_groups":[{"id":"g1"}]}')],
    "06-event-update.12-chat-group-members-add": [happened(12, '{"members_update_list":[{"id":"g1"}]}')],
    "06-event-update.13-chat-group-members-delete": [happened(13, '{"members_update_list":[{"id":"g1"}]}')],
    "06-event-update.14-chat-group-member-status-update": [
        happened(14, '{"member_status_update_list":[{"status":1}]}')
    ],
    "08-stream-state-update": [
        StreamStateChanged(code=5, timestamp_ms=T, details='{"reason":"undefined","state":"paused"}')
    ],
    "09-session-state-update": [
        SessionStateChanged(
            code=2, timestamp_ms=T, rtms_session_id="sess-1",
            details='{"reason":"undefined","rtms_session_id":"sess-1","state":"started"}',
        )
    ],
    "14-media-data-audio": [FrameReceived(Medium.AUDIO, ADA, "Ada", T, PCM)],
    "14-media-data-audio.mixed": [FrameReceived(Medium.AUDIO, 0, None, T, PCM)],
    "14-media-data-audio.contact-center": [FrameReceived(Medium.AUDIO, 0, None, T, PCM, channel_id="c1")],
    "15-media-data-video": [FrameReceived(Medium.VIDEO, ADA, "Ada", T, IDR, key_frame=True)],
    "16-media-data-share": [FrameReceived(Medium.SHARE, ADA, "Ada", T, JPEG, key_frame=True)],
    "17-media-data-transcript": [CAPTION],
    "17-media-data-transcript.microseconds": [CAPTION],
    "17-media-data-transcript.update": [replace(CAPTION, text="Good morning, all.", attribute=2)],
    "17-media-data-transcript.delete": [replace(CAPTION, text="", attribute=3)],
    "18-media-data-chat": [CHAT],
    "18-media-data-chat.inside-data": [CHAT],
    "11-session-state-response": [],
    "20-stream-state-response": [],
    "22-stream-close-response": [],
    "23-meta-data-audio": [],
    "29-video-subscription-response": [],
}  # fmt: skip


def channel_of(name: str) -> str:
    return MEDIA if 14 <= int(name[:2]) <= 18 or name.startswith("23") else SIGNALING


@pytest.mark.parametrize("name", READ_AS)
@pytest.mark.parametrize("as_text", [True, False])
def test_what_the_documents_show_is_read(name: str, as_text: bool) -> None:
    talk = Conversation().connect()
    before = len(talk.events)
    talk.say(GOLDENS[name].decode() if as_text else GOLDENS[name], channel_of(name))
    assert talk.events[before:] == READ_AS[name]


def test_what_a_contact_center_says() -> None:
    talk = Conversation(StreamParams(
        product="contact_center", meeting_id="e1", stream_id="s", server_urls=PARAMS.server_urls, client_id="c",
        client_secret="x",
    )).connect()  # fmt: skip
    talk.say(GOLDENS["06-event-update.contact-center"])
    event = talk.events[-1]
    assert isinstance(event, ContactCenterEvent)
    assert (event.name, event.timestamp_ms, event.user_name, event.channel_id) == ("consumer_answered", T, "Ada", "c1")


def test_the_handshakes_and_a_keep_alive_as_the_documents_show_them() -> None:
    talk = Conversation().start()
    talk.opened()
    assert talk.sent[-1] == (SIGNALING, golden("01-signaling-handshake-request"))
    talk.say(GOLDENS["02-signaling-handshake-response"])
    assert talk.of(SignalingAccepted) == [SignalingAccepted(tuple(EVERYTHING))]
    talk.opened(MEDIA)
    talk.say(GOLDENS["04-media-handshake-response"], MEDIA)
    assert talk.of(MediaReady) == [MediaReady(EXAMPLE, again=False)]
    assert talk.sent[-2] == (SIGNALING, golden("07-client-ready-ack"))
    for channel in (SIGNALING, MEDIA):
        talk.say(GOLDENS["12-keep-alive-request"], channel)
        assert talk.sent[-1] == (channel, golden("13-keep-alive-response"))
    talk.stream.close(talk.now)
    talk.collect()
    assert talk.sent[-1] == (SIGNALING, golden("21-stream-close-request"))
    talk.say(GOLDENS["22-stream-close-response"])
    talk.wait(10_000)
    assert talk.ended == StreamEnded(EndCause.CLOSED, 20)


def test_the_refusals_as_the_documents_show_them() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.say(GOLDENS["04-media-handshake-response.refused"], MEDIA)
    assert talk.of(MediumRefused) == [MediumRefused(Medium.CHAT, 13)]
    talk = Conversation().start()
    talk.opened()
    talk.say(GOLDENS["02-signaling-handshake-response.refused"])
    talk.wait(1_000)
    assert talk.ended == StreamEnded(EndCause.REFUSED, 3)


# --- webhooks ---------------------------------------------------------------------------------------------------------


def announced(product: str, **changes: Any) -> StreamWebhook:
    known: dict[str, Any] = {
        "kind": WebhookKind.STARTED, "product": product, "meeting_id": "meetAAA==", "stream_id": "stream0001",
        "event_ts_ms": 1_700_000_000_000, "server_urls": ("wss://rtms.zoom.us/signaling",),
    }  # fmt: skip
    return StreamWebhook(**known | changes)


def over(kind: WebhookKind, **changes: Any) -> StreamWebhook:
    return announced("meeting", kind=kind, server_urls=(), **changes)


WEBHOOKS_READ_AS = {
    "webhook.meeting-started": announced("meeting", operator_id="op1", account_id="acc1"),
    "webhook.meeting-started.object": announced("meeting", operator_id="op1", account_id="acc1"),
    "webhook.webinar-started": announced("webinar", operator_id="op1"),
    "webhook.session-started": announced("session"),
    "webhook.contact-center-started": announced("contact_center"),
    "webhook.phone-started": announced("phone"),
    "webhook.meeting-stopped": over(WebhookKind.STOPPED, stop_reason=6),
    "webhook.meeting-stopped.object": over(WebhookKind.STOPPED, stop_reason=8, account_id="acc1"),
    "webhook.meeting-interrupted": over(WebhookKind.INTERRUPTED),
    "webhook.url-validation": None,
}


def test_webhooks_are_read_as_the_documents_show_them() -> None:
    assert {name: read_stream_webhook(golden(name)) for name in WEBHOOKS} == WEBHOOKS_READ_AS
