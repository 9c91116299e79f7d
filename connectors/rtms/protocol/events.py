"""What a stream tells its owner: frozen values in the past tense, in the order in which things happened.

    SocketWanted · SocketUnwanted · ProbeWanted           for the shell that drives the protocol
    SignalingAccepted · MediaReady · MediumRefused        the life of the connection
    SecondRefused · SocketLost · StreamEnded
    FrameReceived · CaptionReceived · ChatReceived · FrameRejected                 media
    TickDue                                               a medium is silent: what has certainly been received
    ZoomEvent and its subclasses                          what happened in the meeting

Nothing of the last three groups comes before the first MediaReady. Texts and payloads stay out of every repr.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

import msgspec

from connectors.rtms.protocol.codes import ContactCenterEventType, EventType, Medium, name_of
from connectors.rtms.protocol.parameters import MediaParameters
from schemas.excerpts import Excerpt

SIGNALING = "signaling"
"""The channel of the control messages; media channels are `media` (unified) or a medium's name (split)."""


@dataclass(frozen=True, slots=True)
class SocketWanted:
    """Open a socket to `url` for `channel`; an older one of that channel may be cut off."""

    channel: str
    url: str


@dataclass(frozen=True, slots=True)
class SocketUnwanted:
    """Close the channel's socket in good order; what still arrives before the peer's close is to be fed as ever."""

    channel: str


@dataclass(frozen=True, slots=True)
class ProbeWanted:
    """Send a WebSocket ping on the channel's socket and report the pong."""

    channel: str


@dataclass(frozen=True, slots=True)
class SignalingAccepted:
    """Zoom accepted message 1 and offers these media."""

    offered: tuple[Medium, ...]


@dataclass(frozen=True, slots=True)
class MediaReady:
    """Media may flow: what Zoom agreed to, of all media sockets together. Comes again after every reconnection.

    `missing`: what has a socket of its own that does not stand yet, or not again.
    """

    negotiated: MediaParameters
    again: bool
    missing: frozenset[Medium] = frozenset()


@dataclass(frozen=True, slots=True)
class MediumRefused:
    """Zoom will not send this medium (its status); the stream goes on without it."""

    medium: Medium
    code: int


@dataclass(frozen=True, slots=True)
class SocketLost:
    """A socket is gone before its time; `close_code` is the WebSocket's, None if there was none."""

    channel: str
    close_code: int | None
    retry_in_ms: int


@dataclass(frozen=True, slots=True)
class SecondRefused:
    """Zoom refused the channel's handshake because it still has the socket before it. `SocketLost` comes behind."""

    channel: str


class EndCause(StrEnum):
    """Why a stream is over, from our side of it."""

    STOPPED = "stopped"  # Zoom ended it: code = stop reason
    REFUSED = "refused"  # Zoom refused a handshake: code = status
    GONE = "gone"  # Zoom no longer knows a stream that we were connected to: code = status
    FORBIDDEN_ADDRESS = "forbidden_address"  # no server URL is on the allow-list
    NOTHING_OFFERED = "nothing_offered"  # the app may have none of the media that are wanted
    UNREACHABLE = "unreachable"  # no socket could be opened within the window
    UNANSWERED = "unanswered"  # Zoom took the connection and never answered: so it treats wrong credentials, too
    WINDOW_PASSED = "window_passed"  # lost, and not back within Zoom's window
    DUPLICATE_CONNECTION = "duplicate_connection"  # somebody else keeps taking the stream over
    CLOSED = "closed"  # we asked Zoom to end it: code = stop reason, if it confirmed
    HANDED_OVER = "handed_over"  # we let go of it without ending it


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The last event of a stream. `code` is a `codes.StopReason` or `codes.Status`, as the cause says, or None.

    `retryable`: the meeting may go on, so a new start can be expected or tried. `confirmed` is false where we closed
    the stream and Zoom did not say yes, or handed it over and Zoom did not close the media sockets, too: something may
    have been on its way.
    """

    cause: EndCause
    code: int | None = None
    retryable: bool = False
    confirmed: bool = True


class FrameReceived(msgspec.Struct, frozen=True, gc=False):
    """One piece of audio, video or share; a Struct because these are made thousands of times a second.

    `user_id` is 0 for mixed audio; Contact Center names a `channel_id` instead. `key_frame` is false for audio.
    """

    medium: Medium
    user_id: int
    user_name: str | None
    timestamp_ms: int
    payload: bytes
    key_frame: bool = False
    channel_id: str | None = None

    def __repr__(self) -> str:
        return f"FrameReceived({self.medium}, {self.timestamp_ms}, {len(self.payload)} bytes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionReceived:
    """One piece of Zoom's own transcript; `attribute` is `codes.TextAttribute`, 1 (new) when Zoom does not say."""

    medium: ClassVar[Medium] = Medium.CAPTIONS
    user_id: int
    user_name: str | None = field(repr=False)
    timestamp_ms: int
    start_ms: int
    end_ms: int
    language: int | None
    text: str = field(repr=False)
    attribute: int = 1
    channel_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReceived:
    """One chat operation by name (`new`, `update`, …); `details` is JSON of what the other fields do not hold."""

    medium: ClassVar[Medium] = Medium.CHAT
    user_id: int
    user_name: str | None = field(repr=False)
    timestamp_ms: int
    message_id: str
    parent_message_id: str | None
    operation: str
    text: str = field(repr=False)
    details: str = field(default="{}", repr=False)


@dataclass(frozen=True, slots=True)
class FrameRejected:
    """A message that cannot be used, with the reason as a short code; belongs into the dead letters.

    `medium` and `timestamp_ms` say what is missing now, where that much could be read.
    """

    channel: str
    reason: str
    raw: Excerpt = field(repr=False)
    medium: Medium | None = None
    timestamp_ms: int = 0


@dataclass(frozen=True, slots=True)
class TickDue:
    """Everything of `medium` up to this Zoom time has been received (and handed over before this event)."""

    medium: Medium
    through_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomEvent:
    """Something that happened to one participant or to the stream.

    `name` is what the events topic calls it, `code` Zoom's number, `details` JSON of whatever else Zoom said. Contact
    centers name a `channel_id` instead of a user, the same as in audio and captions.
    """

    kind: ClassVar[str] = "other"
    code: int
    timestamp_ms: int
    user_id: int = 0
    user_name: str | None = field(default=None, repr=False)
    channel_id: str | None = None
    details: str = field(default="{}", repr=False)

    @property
    def name(self) -> str:
        """The same for all events of a class, unless the class says otherwise."""
        return self.kind


class FirstPacketStamped(ZoomEvent):
    kind = "first_packet"


class ActiveSpeakerChanged(ZoomEvent):
    kind = "active_speaker_changed"


class ParticipantJoined(ZoomEvent):
    kind = "participant_joined"


class ParticipantLeft(ZoomEvent):
    kind = "participant_left"


class SharingStarted(ZoomEvent):
    kind = "sharing_started"


class SharingStopped(ZoomEvent):
    kind = "sharing_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInterrupted(ZoomEvent):
    """Zoom lost a media connection; None: it did not say which in a way we understand."""

    kind = "media_interrupted"
    medium: Medium | None = None


class VideoTurnedOn(ZoomEvent):
    kind = "video_on"


class VideoTurnedOff(ZoomEvent):
    kind = "video_off"


class ChatGroupCreated(ZoomEvent):
    kind = "chat_group_created"


class ChatGroupDeleted(ZoomEvent):
    kind = "chat_group_deleted"


class ChatGroupMembersAdded(ZoomEvent):
    kind = "chat_group_members_added"


class ChatGroupMembersDeleted(ZoomEvent):
    kind = "chat_group_members_deleted"


class ChatGroupMemberStatusChanged(ZoomEvent):
    kind = "chat_group_member_status_changed"


class ContactCenterEvent(ZoomEvent):
    """`code` is a `codes.ContactCenterEventType`."""

    @property
    def name(self) -> str:
        """As many names as numbers."""
        return name_of(ContactCenterEventType, self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStateChanged(ZoomEvent):
    """`code` is a `codes.StreamState`, `reason` a `codes.StopReason`."""

    kind = "stream_state_changed"
    reason: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStateChanged(ZoomEvent):
    """One app user's session within the stream; `code` is a `codes.SessionState`, `reason` a `codes.StopReason`."""

    kind = "session_state_changed"
    rtms_session_id: str = ""
    reason: int = 0


EVENT_CLASSES: dict[int, type[ZoomEvent]] = {
    EventType.FIRST_PACKET_TIMESTAMP: FirstPacketStamped,
    EventType.ACTIVE_SPEAKER_CHANGE: ActiveSpeakerChanged,
    EventType.PARTICIPANT_JOIN: ParticipantJoined,
    EventType.PARTICIPANT_LEAVE: ParticipantLeft,
    EventType.SHARING_START: SharingStarted,
    EventType.SHARING_STOP: SharingStopped,
    EventType.MEDIA_CONNECTION_INTERRUPTED: MediaInterrupted,
    EventType.PARTICIPANT_VIDEO_ON: VideoTurnedOn,
    EventType.PARTICIPANT_VIDEO_OFF: VideoTurnedOff,
    EventType.CHAT_GROUP_CREATE: ChatGroupCreated,
    EventType.CHAT_GROUP_DELETE: ChatGroupDeleted,
    EventType.CHAT_GROUP_MEMBERS_ADD: ChatGroupMembersAdded,
    EventType.CHAT_GROUP_MEMBERS_DELETE: ChatGroupMembersDeleted,
    EventType.CHAT_GROUP_MEMBER_STATUS_UPDATE: ChatGroupMemberStatusChanged,
}
"""Events of meetings, webinars, Video SDK sessions and calls; a number that is not here makes a plain `ZoomEvent`."""

MediaEvent = FrameReceived | CaptionReceived | ChatReceived
ShellEvent = SocketWanted | SocketUnwanted | ProbeWanted
OwnerEvent = (
    SignalingAccepted
    | MediaReady
    | MediumRefused
    | SecondRefused
    | SocketLost
    | StreamEnded
    | MediaEvent
    | FrameRejected
    | TickDue
    | ZoomEvent
)
Event = ShellEvent | OwnerEvent
