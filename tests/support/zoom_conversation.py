"""A scripted Zoom and our protocol joined by lists: whole conversations without sockets or waiting.

Time is what the test says it is. `Conversation` obeys the protocol's wishes the way a shell does, except that nothing
happens by itself: a socket opens when the test opens it, a message arrives when the test sends it.
"""

import json
from typing import Any, TypeVar

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.protocol.events import (
    SIGNALING,
    Event,
    ProbeWanted,
    SocketUnwanted,
    SocketWanted,
    StreamEnded,
)
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.parameters import EVERYTHING, MediaParameters
from connectors.rtms.protocol.stream import RtmsStream

ZOOM = 1_700_000_000_000
"""Zoom's clock when the test's clock says 0."""

MEDIA = "media"
URLS = {name: f"wss://rtms.zoom.us/{name}" for name in ("audio", "video", "deskshare", "transcript", "chat", "all")}
PARAMS = StreamParams(
    product="meeting",
    meeting_id="meetAAA==",
    stream_id="stream0001",
    server_urls=("wss://rtms.zoom.us/signaling",),
    client_id="cid",
    client_secret="csecret",
)
POLICY = StreamPolicy(addresses=AddressPolicy())

E_ = TypeVar("E_")


class Conversation:
    """`now` is the time, `events` what the owner has heard; `wanted`, `unwanted`, `probes` are wishes to the shell."""

    def __init__(
        self,
        params: StreamParams = PARAMS,
        wanted: MediaParameters = EVERYTHING,
        policy: StreamPolicy = POLICY,
    ) -> None:
        self.stream = RtmsStream(params, wanted, policy)
        self.now = 0
        self.events: list[Event] = []
        self.wanted: list[SocketWanted] = []
        self.unwanted: list[str] = []
        self.probes: list[str] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []

    # --- as a shell -------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Fetch what the protocol has to say."""
        for event in self.stream.events_received():
            match event:
                case SocketWanted():
                    self.wanted.append(event)
                case SocketUnwanted():
                    self.unwanted.append(event.channel)
                case ProbeWanted():
                    self.probes.append(event.channel)
                case _:
                    self.events.append(event)
        self.sent += [(channel, json.loads(message)) for channel, message in self.stream.data_to_send()]

    def start(self) -> "Conversation":
        self.stream.start(self.now)
        self.collect()
        return self

    def opened(self, channel: str = SIGNALING) -> None:
        self.stream.socket_opened(channel, self.now)
        self.collect()

    def closed(self, channel: str = SIGNALING, code: int | None = None) -> None:
        self.stream.receive_eof(channel, self.now, code)
        self.collect()

    def pong(self, channel: str = MEDIA) -> None:
        self.stream.receive_pong(channel, self.now)
        self.collect()

    def wait(self, ms: int) -> None:
        """Let time pass, waking the protocol exactly when it wants to be woken."""
        until = self.now + ms
        while (due := self.stream.next_timer()) <= until:
            self.now = max(self.now, due)
            self.stream.handle_timer(self.now)
            self.collect()
        self.now = until

    # --- as Zoom ----------------------------------------------------------------------------------------------------

    @property
    def zoom_ms(self) -> int:
        return ZOOM + self.now

    def say(self, message: bytes | str | dict[str, Any], channel: str = SIGNALING) -> None:
        data = json.dumps(message) if isinstance(message, dict) else message
        self.stream.receive(channel, data, self.now)
        self.collect()

    def offer(self, urls: dict[str, str] | None = None) -> None:
        self.say(messages.signaling_handshake_response(server_urls=URLS if urls is None else urls))

    def refuse(self, status: int, channel: str = SIGNALING, reason: str = "") -> None:
        if channel == SIGNALING:
            self.say(messages.signaling_handshake_response(status=status, reason=reason))
        else:
            self.say(messages.media_handshake_response(status=status, reason=reason), channel)

    def agree(self, channel: str = MEDIA) -> None:
        """Accept what was asked for last on this channel."""
        asked = [message for where, message in self.sent if where == channel and message["msg_type"] == 3][-1]
        self.say(messages.media_handshake_response(media_params=asked["media_params"]), channel)

    def keep_alive(self, channel: str = SIGNALING) -> None:
        self.say(messages.keep_alive_request(self.zoom_ms, 1), channel)

    def frame(self, kind: MessageType = MessageType.MEDIA_DATA_AUDIO, channel: str = MEDIA, **changes: Any) -> None:
        fields: dict[str, Any] = {"user_id": 7, "user_name": "Ada", "timestamp_ms": self.zoom_ms, "payload": b"pcm"}
        self.say(messages.media_data(kind, **fields | changes), channel)

    def terminate(self, reason: int = 6) -> None:
        self.say(messages.stream_state_update(4, self.zoom_ms, reason=reason))

    # --- shortcuts and questions ------------------------------------------------------------------------------------

    def connect(self) -> "Conversation":
        """Up to media flowing on one unified socket."""
        self.start()
        self.opened()
        self.offer()
        self.opened(MEDIA)
        self.agree()
        return self

    def of(self, kind: type[E_]) -> list[E_]:
        return [event for event in self.events if isinstance(event, kind)]

    def types_sent(self, channel: str = SIGNALING) -> list[int]:
        return [message["msg_type"] for where, message in self.sent if where == channel]

    def state(self, channel: str = SIGNALING) -> LinkState:
        return self.stream.state(channel)

    @property
    def ended(self) -> StreamEnded | None:
        ends = self.of(StreamEnded)
        assert len(ends) <= 1
        return ends[0] if ends else None


THREE = EVERYTHING.only(frozenset({Medium.AUDIO, Medium.VIDEO, Medium.CHAT}))


def split() -> Conversation:
    """One socket per medium, for three media: wanted and not yet open."""
    talk = Conversation(wanted=THREE, policy=StreamPolicy(unified=False)).start()
    talk.opened()
    talk.offer()
    return talk
