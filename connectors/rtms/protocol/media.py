"""What each message means on a media socket: a total table from (state, message type).

Rules of this file: as in `signaling`. Ordinary frames never come here (`frames.read_frame` takes them first); what
does is the handshake, keep-alives, captions, chat and frames of unusual shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.rtms.protocol.codes import MessageType as M
from connectors.rtms.protocol.codes import known
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import MediaEvent
from connectors.rtms.protocol.frames import read_frame_plain
from connectors.rtms.protocol.happenings import Context
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.messages import message_type
from connectors.rtms.protocol.signaling import KeepAlive, check_status, read_keep_alive
from connectors.rtms.protocol.texts import read_caption, read_chat


@dataclass(frozen=True, slots=True)
class Agreed:
    """Zoom accepted the media handshake; `media_params` as it sent them."""

    media_params: Any


MediaStatement = Agreed | KeepAlive | MediaEvent
_Reader = Callable[[Mapping[str, Any], Context], list[MediaStatement]]


def _agreed(message: Mapping[str, Any], _context: Context) -> list[MediaStatement]:
    check_status(message)
    return [Agreed(message.get("media_params"))]


def _keep_alive(message: Mapping[str, Any], context: Context) -> list[MediaStatement]:
    return [*read_keep_alive(message, context)]


def _frame(message: Mapping[str, Any], _context: Context) -> list[MediaStatement]:
    return [read_frame_plain(message)]


def _caption(message: Mapping[str, Any], _context: Context) -> list[MediaStatement]:
    return [read_caption(message)]


def _chat(message: Mapping[str, Any], _context: Context) -> list[MediaStatement]:
    return [read_chat(message)]


def _too_early(_message: Mapping[str, Any], _context: Context) -> list[MediaStatement]:
    raise Unusable("before_acceptance")


_FLOW: dict[M, _Reader] = {
    M.MEDIA_DATA_AUDIO: _frame,
    M.MEDIA_DATA_VIDEO: _frame,
    M.MEDIA_DATA_SHARE: _frame,
    M.MEDIA_DATA_TRANSCRIPT: _caption,
    M.MEDIA_DATA_CHAT: _chat,
    M.KEEP_ALIVE_REQ: _keep_alive,
}

TABLE: dict[LinkState, dict[M, _Reader]] = {
    LinkState.GREETING: {
        M.DATA_HAND_SHAKE_RESP: _agreed,
        M.KEEP_ALIVE_REQ: _keep_alive,
        M.MEDIA_DATA_AUDIO: _too_early,
        M.MEDIA_DATA_VIDEO: _too_early,
        M.MEDIA_DATA_SHARE: _too_early,
        M.MEDIA_DATA_TRANSCRIPT: _too_early,
        M.MEDIA_DATA_CHAT: _too_early,
    },
    LinkState.UP: _FLOW,
    LinkState.DRAINING: _FLOW,
}
"""What is read in which state. In the other states there is no socket."""

IGNORED = frozenset(
    {
        M.UNDEFINED,
        M.DATA_HAND_SHAKE_RESP,  # a second answer
        M.MEDIA_DATA_AUDIO,  # rest of a socket that is gone
        M.MEDIA_DATA_VIDEO,
        M.MEDIA_DATA_SHARE,
        M.MEDIA_DATA_TRANSCRIPT,
        M.MEDIA_DATA_CHAT,
        M.META_DATA_AUDIO,  # reserved, or part of features that this client does not use
        M.META_DATA_VIDEO,
        M.META_DATA_SHARE,
        M.META_DATA_TRANSCRIPT,
        M.META_DATA_CHAT,
        M.KEEP_ALIVE_REQ,
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
        M.SIGNALING_HAND_SHAKE_RESP,  # what belongs on the signalling socket
        M.EVENT_UPDATE,
        M.STREAM_STATE_UPDATE,
        M.SESSION_STATE_UPDATE,
        M.SESSION_STATE_RESP,
        M.STREAM_STATE_RESP,
        M.STREAM_CLOSE_RESP,
        M.VIDEO_SUBSCRIPTION_RESP,
    }
)
"""Never right on this socket: kept as a rejected frame."""


def read(state: LinkState, message: Mapping[str, Any], context: Context) -> list[MediaStatement]:
    """What a decoded message says in this state; raises as `signaling.read` does."""
    kind = known(M, message_type(message))
    reader = TABLE.get(state, {}).get(kind) if kind is not None else None
    if reader is not None:
        return reader(message, context)
    if kind in MISPLACED:
        raise Unusable("misplaced")
    return []
