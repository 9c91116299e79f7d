"""What each message means on the signalling socket: a total table from (state, message type).

Rules of this file: everything that can arrive on the signalling socket is decided here; nothing here changes a state,
knows the media sockets or the time. `read` turns a message into statements, `stream` acts on them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.rtms.protocol.codes import Medium, Status, known
from connectors.rtms.protocol.codes import MessageType as M
from connectors.rtms.protocol.errors import Refused, RemoteError, Unusable
from connectors.rtms.protocol.events import ZoomEvent
from connectors.rtms.protocol.fields import integer, mapping, milliseconds, text, urls
from connectors.rtms.protocol.frames import user_id_of
from connectors.rtms.protocol.happenings import Context, read_event, read_session_state, read_stream_state
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.messages import keep_alive_response, message_type
from connectors.rtms.protocol.parameters import WIRE_KEYS

_SYNONYMS = {Medium.SHARE: ("deskshare", "share", "screenshare")}


@dataclass(frozen=True, slots=True)
class Offer:
    """The media URLs of an accepted handshake: per medium where Zoom names it, and the one for all."""

    urls: Mapping[Medium, tuple[str, ...]]
    all_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """`answer` is to go back on the same socket; `timestamp_ms` is what Zoom's clock said."""

    answer: bytes
    timestamp_ms: int | None


@dataclass(frozen=True, slots=True)
class CloseAnswered:
    """Zoom's answer to our request to end the stream."""

    code: int


@dataclass(frozen=True, slots=True)
class CameraAnswered:
    """Zoom's answer to our request for one participant's camera."""

    user_id: int
    code: int


SignalingStatement = Offer | KeepAlive | CloseAnswered | CameraAnswered | ZoomEvent
_Reader = Callable[[Mapping[str, Any], Context], list[SignalingStatement]]


def check_status(message: Mapping[str, Any]) -> None:
    """Pass for an accepting answer.

    Raises:
        Refused: Zoom said no.
        RemoteError: the answer does not say.
    """
    status = integer(message.get("status_code"))
    if status is None:
        raise RemoteError("no_status_code", LinkState.GREETING, message_type(message))
    if status != Status.OK:
        raise Refused(status, (text(message.get("reason")) or "")[:200])


def _offer(message: Mapping[str, Any], _context: Context) -> list[SignalingStatement]:
    check_status(message)
    given = mapping(message.get("media_server")).get("server_urls")
    named = mapping(given)
    found: dict[Medium, tuple[str, ...]] = {}
    for medium, key in WIRE_KEYS.items():
        for name in _SYNONYMS.get(medium, (key,)):
            if medium not in found and (addresses := urls(named.get(name))):
                found[medium] = addresses
    everything = urls(given) if isinstance(given, str) else urls(named.get("all"))
    if not found and not everything:
        raise RemoteError("no_media_urls", LinkState.GREETING, M.SIGNALING_HAND_SHAKE_RESP)
    return [Offer(found, everything)]


def read_keep_alive(message: Mapping[str, Any], _context: Context) -> list[KeepAlive]:
    """Message 12, on any socket."""
    return [KeepAlive(keep_alive_response(message), milliseconds(message.get("timestamp")))]


def _keep_alive(message: Mapping[str, Any], context: Context) -> list[SignalingStatement]:
    return [*read_keep_alive(message, context)]


def _event(message: Mapping[str, Any], context: Context) -> list[SignalingStatement]:
    return [*read_event(message, context)]


def _stream_state(message: Mapping[str, Any], context: Context) -> list[SignalingStatement]:
    return [read_stream_state(message, context)]


def _session_state(message: Mapping[str, Any], context: Context) -> list[SignalingStatement]:
    return [read_session_state(message, context)]


def _close_answer(message: Mapping[str, Any], _context: Context) -> list[SignalingStatement]:
    return [CloseAnswered(integer(message.get("status_code")) or Status.OK)]


def _camera_answer(message: Mapping[str, Any], _context: Context) -> list[SignalingStatement]:
    return [CameraAnswered(user_id_of(message), integer(message.get("status_code")) or Status.OK)]


_NEWS: dict[M, _Reader] = {
    M.EVENT_UPDATE: _event,
    M.STREAM_STATE_UPDATE: _stream_state,
    M.SESSION_STATE_UPDATE: _session_state,
    M.KEEP_ALIVE_REQ: _keep_alive,
}

TABLE: dict[LinkState, dict[M, _Reader]] = {
    LinkState.GREETING: {M.SIGNALING_HAND_SHAKE_RESP: _offer, **_NEWS},
    LinkState.UP: {M.STREAM_CLOSE_RESP: _close_answer, M.VIDEO_SUBSCRIPTION_RESP: _camera_answer, **_NEWS},
    LinkState.DRAINING: {M.STREAM_CLOSE_RESP: _close_answer, **_NEWS},
}
"""What is read in which state. In the other states there is no socket."""

IGNORED = frozenset(
    {
        M.UNDEFINED,
        M.SIGNALING_HAND_SHAKE_RESP,  # a second answer
        M.SESSION_STATE_RESP,  # 11 and 20 answer questions that this client does not ask, 22 and 29 come too early
        M.STREAM_STATE_RESP,
        M.STREAM_CLOSE_RESP,
        M.VIDEO_SUBSCRIPTION_RESP,
        M.META_DATA_AUDIO,  # reserved, or part of features that this client does not use
        M.META_DATA_VIDEO,
        M.META_DATA_SHARE,
        M.META_DATA_TRANSCRIPT,
        M.META_DATA_CHAT,
    }
)
"""Without consequence wherever the table has no entry; so is every number that has no name."""

MISPLACED = frozenset(
    {
        M.SIGNALING_HAND_SHAKE_REQ,  # what only clients say
        M.DATA_HAND_SHAKE_REQ,
        M.EVENT_SUBSCRIPTION,
        M.CLIENT_READY_ACK,
        M.SESSION_STATE_REQ,
        M.KEEP_ALIVE_RESP,
        M.STREAM_STATE_REQ,
        M.STREAM_CLOSE_REQ,
        M.VIDEO_SUBSCRIPTION_REQ,
        M.DATA_HAND_SHAKE_RESP,  # what belongs on a media socket
        M.MEDIA_DATA_AUDIO,
        M.MEDIA_DATA_VIDEO,
        M.MEDIA_DATA_SHARE,
        M.MEDIA_DATA_TRANSCRIPT,
        M.MEDIA_DATA_CHAT,
    }
)
"""Never right on this socket: kept as a rejected frame."""


def read(state: LinkState, message: Mapping[str, Any], context: Context) -> list[SignalingStatement]:
    """What a decoded message says in this state.

    Raises:
        Refused: the handshake was answered with a no.
        RemoteError: the handshake was answered, but not usably.
        Unusable: the message has no meaning here; the conversation goes on.
    """
    kind = known(M, message_type(message))
    reader = TABLE.get(state, {}).get(kind) if kind is not None else None
    if reader is not None:
        return reader(message, context)
    if kind in MISPLACED:
        raise Unusable("misplaced")
    return []
