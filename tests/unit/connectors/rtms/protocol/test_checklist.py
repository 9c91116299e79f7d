"""What a client needs that survives reality: the checklist of the protocol reference, line by line."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.protocol.events import (
    SIGNALING,
    ActiveSpeakerChanged,
    CaptionReceived,
    ContactCenterEvent,
    EndCause,
    FrameReceived,
    MediaReady,
    SessionStateChanged,
    SocketUnwanted,
    SocketWanted,
    StreamEnded,
    StreamStateChanged,
)
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.parameters import EVERYTHING, AudioParameters, MediaParameters
from connectors.rtms.protocol.webhooks import read_stream_webhook
from connectors.rtms.transport.sockets import Fragments
from tests.support.goldens import GOLDENS, golden
from tests.support.zoom_conversation import MEDIA, PARAMS, URLS, ZOOM, Conversation, split

T = 1_700_000_001_234
CONTACT_CENTER = StreamParams(
    product="contact_center", meeting_id="e1", stream_id="s", server_urls=PARAMS.server_urls, client_id="c",
    client_secret="x",
)  # fmt: skip


# --- Accept text and binary frames, fragmented frames, frames >= 16 MB ------------------------------------------------


def test_accepts_text_and_binary_frames() -> None:
    talk = Conversation().connect()
    for data in (GOLDENS["14-media-data-audio"], GOLDENS["14-media-data-audio"].decode()):
        talk.say(data, MEDIA)
    first, second = talk.of(FrameReceived)
    assert first == second


@given(st.lists(st.integers(0, len(GOLDENS["15-media-data-video"])), max_size=6))
def test_accepts_fragmented_frames(cuts: list[int]) -> None:
    whole, fragments = GOLDENS["15-media-data-video"], Fragments(1024)
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    assert [fragments.add(piece, last=False) for piece in pieces[:-1]] == [None] * len(cuts)
    assert fragments.add(pieces[-1], last=True) == whole
    assert fragments.add(b"next", last=True) == b"next"


def test_accepts_frames_of_16_mb_and_more() -> None:
    talk = Conversation().connect()
    picture = b"\x89PNG" + bytes(17 * 1024 * 1024)
    talk.frame(MessageType.MEDIA_DATA_SHARE, payload=picture)
    (frame,) = talk.of(FrameReceived)
    assert frame.payload == picture
    assert frame.key_frame


# --- Answer 12 with timestamp and, when present, sequence, on the same socket, never blocked by media handling --------


def test_answers_keep_alives_at_once_on_their_socket_in_the_middle_of_a_minute_of_audio() -> None:
    talk = Conversation().connect()
    for at_ms in range(0, 60_000, 20):
        talk.frame(timestamp_ms=ZOOM - 60_000 + at_ms)
        if at_ms % 10_000 == 0:
            for channel in (SIGNALING, MEDIA):
                talk.say({"msg_type": 12, "timestamp": ZOOM + at_ms, "sequence": at_ms}, channel)
                assert talk.sent[-1] == (channel, {"msg_type": 13, "timestamp": ZOOM + at_ms, "sequence": at_ms})
    assert len(talk.of(FrameReceived)) == 3_000
    talk.say({"msg_type": 12, "timestamp": ZOOM})
    assert talk.sent[-1] == (SIGNALING, {"msg_type": 13, "timestamp": ZOOM})


# --- Tolerate ---------------------------------------------------------------------------------------------------------


def test_tolerates_missing_and_extra_fields() -> None:
    talk = Conversation().connect()
    talk.say({"msg_type": 14, "new": [1], "content": {"timestamp": T, "data": "QUJD", "more": {"data": "x"}}}, MEDIA)
    (frame,) = talk.of(FrameReceived)
    assert (frame.payload, frame.user_id, frame.user_name) == (b"ABC", 0, None)
    talk.say({"msg_type": 8, "state": 1, "surprise": {}})
    assert talk.of(StreamStateChanged)[0].code == 1


@pytest.mark.parametrize("user_id", [16778240, "16778240"])
def test_tolerates_ids_as_int_or_string(user_id: Any) -> None:
    talk = Conversation().connect()
    talk.say({"msg_type": 6, "event": {"event_type": "2", "timestamp": str(T), "user_id": user_id}})
    talk.say({"msg_type": 14, "content": {"user_id": user_id, "timestamp": T, "data": "QUJD"}}, MEDIA)
    assert talk.of(ActiveSpeakerChanged)[0].user_id == talk.of(FrameReceived)[0].user_id == 16778240


@pytest.mark.parametrize("key", ["reason", "stop_reason"])
def test_tolerates_reason_or_stop_reason(key: str) -> None:
    talk = Conversation().connect()
    talk.say({"msg_type": 9, "rtms_session_id": "s", "state": 5, key: 2, "timestamp": T})
    talk.say({"msg_type": 8, "state": 4, key: 6, "timestamp": T})
    talk.wait(10_000)
    assert talk.of(SessionStateChanged)[0].reason == 2
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)


@pytest.mark.parametrize("key", ["participant_info", "paticipant_info"])
@pytest.mark.parametrize("stamp", ["timestamp", "event_ts"])
def test_tolerates_two_spellings_of_participant_info_and_timestamp_or_event_ts(key: str, stamp: str) -> None:
    talk = Conversation(CONTACT_CENTER).connect()
    talk.say({"msg_type": 6, "event": {"event_type": 10, stamp: T, key: {"channel_id": "c1"}}})
    (event,) = talk.of(ContactCenterEvent)
    assert (event.name, event.channel_id, event.timestamp_ms) == ("user_answered", "c1", T)


def test_tolerates_a_payload_with_or_without_object() -> None:
    flat, nested = golden("webhook.meeting-started"), golden("webhook.meeting-started.object")
    assert read_stream_webhook(flat) == read_stream_webhook(nested)


@pytest.mark.parametrize(("factor", "over"), [(1, 1), (1_000, 1), (1, 1_000)])
def test_tolerates_transcript_times_in_three_units(factor: int, over: int) -> None:
    content = golden("17-media-data-transcript")["content"]
    times = {name: content[name] * factor // over for name in ("timestamp", "start_time", "end_time")}
    talk = Conversation().connect()
    talk.say(messages.transcript_data(content | times), MEDIA)
    (caption,) = talk.of(CaptionReceived)
    assert (caption.start_ms, caption.end_ms) == (1_700_000_001_000, 1_700_000_003_200 // over * over)


# --- Look media URLs up as type -> all -> any; deskshare, share and screenshare are synonyms --------------------------


def opened_for(urls: dict[str, str], medium: Medium) -> str:
    talk = Conversation(wanted=EVERYTHING.only(frozenset({medium})), policy=StreamPolicy(unified=False)).start()
    talk.opened()
    talk.offer(urls)
    return talk.wanted[-1].url.rpartition("/")[2]


def test_looks_media_urls_up_as_type_then_all() -> None:
    assert opened_for(URLS, Medium.VIDEO) == "video"
    assert opened_for({"all": URLS["all"]}, Medium.VIDEO) == "all"


def test_one_socket_for_everything_takes_any_url_where_there_is_none_for_all() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer({"audio": URLS["audio"], "chat": URLS["chat"]})
    assert talk.wanted[-1] == SocketWanted(MEDIA, URLS["audio"])


@pytest.mark.parametrize("name", ["deskshare", "share", "screenshare"])
def test_share_has_synonyms(name: str) -> None:
    assert opened_for({name: "wss://rtms.zoom.us/shared"}, Medium.SHARE) == "shared"


# --- Keep per-stream idempotence on rtms_stream_id; never run two signaling sockets for one stream on purpose ---------


def test_never_two_signaling_sockets() -> None:
    talk = Conversation().connect()
    talk.stream.reconnect(("wss://rtms2.zoom.us",), talk.now)
    wishes = [event for event in talk.stream.events_received() if isinstance(event, SocketWanted | SocketUnwanted)]
    assert wishes == [
        SocketUnwanted(MEDIA), SocketUnwanted(SIGNALING), SocketWanted(SIGNALING, "wss://rtms2.zoom.us"),
    ]  # fmt: skip


# --- Subscribe to 2,3,4,5,6,8,9 (and 10-14 for chat), not to 1 and 7; re-subscribe after reconnect --------------------


def subscribed(talk: Conversation) -> list[list[int]]:
    asked = [message for _, message in talk.sent if message["msg_type"] == 5]
    return [[entry["event_type"] for entry in message["events"]] for message in asked]


def test_subscribes_and_subscribes_again_after_a_reconnection() -> None:
    expected = [2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14]
    talk = Conversation().connect()
    assert subscribed(talk) == [expected]
    talk.closed(SIGNALING)
    talk.closed(MEDIA)
    talk.wait(3_000)
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.agree()
    assert subscribed(talk) == [expected, expected]


# --- Send one ack per accepted media socket or one at the end ---------------------------------------------------------


def test_acknowledges_once_at_the_end_and_for_every_socket_that_comes_later() -> None:
    talk = split()
    for channel in ("audio", "video"):
        talk.opened(channel)
        talk.agree(channel)
    assert 7 not in talk.types_sent()
    talk.opened("chat")
    talk.agree("chat")
    assert talk.types_sent().count(7) == 1
    talk.closed("chat")
    talk.wait(3_000)
    talk.opened("chat")
    talk.agree("chat")
    assert talk.types_sent().count(7) == 2


# --- Ask for explicit parameters; use what message 4 returns, not what you asked for ----------------------------------


def test_asks_for_every_parameter_and_uses_what_comes_back() -> None:
    talk = Conversation(wanted=MediaParameters(audio=AudioParameters())).start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    assert talk.sent[-1][1]["media_params"] == {
        "audio": {"content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 2, "send_rate": 100}
    }
    answer = golden("04-media-handshake-response")
    talk.say(json.dumps(answer), MEDIA)
    (ready,) = talk.of(MediaReady)
    assert ready.negotiated.to_wire() == {"audio": answer["media_params"]["audio"]}


# --- Stop reason 8 must trigger deletion of recorded data -------------------------------------------------------------


def test_stop_reason_8_is_told_on_both_ways_and_never_tried_again() -> None:
    talk = Conversation().connect()
    talk.terminate(8)
    talk.wait(10_000)
    assert talk.ended == StreamEnded(EndCause.STOPPED, 8, retryable=False)
    stopped = read_stream_webhook(golden("webhook.meeting-stopped.object"))
    assert stopped is not None
    assert stopped.requires_deletion


# --- On normal shutdown send 21 and wait for 22 -----------------------------------------------------------------------


def test_sends_21_and_waits_for_22_and_for_what_is_on_its_way() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.collect()
    assert talk.types_sent()[-1] == 21
    assert (talk.unwanted, talk.ended) == ([], None)
    talk.say(GOLDENS["22-stream-close-response"])
    talk.say(messages.media_data(MessageType.MEDIA_DATA_AUDIO, user_id=7, user_name="Ada", timestamp_ms=ZOOM,
                                 payload=base64.b64decode("QUJD")), MEDIA)  # fmt: skip
    for channel in (MEDIA, SIGNALING):
        talk.closed(channel, 1000)
    assert [type(event) for event in talk.events[-2:]] == [FrameReceived, StreamEnded]
    assert talk.ended == StreamEnded(EndCause.CLOSED, 20)
