"""Whether to try again after a loss or a refusal, and when: a pure function of what happened and how often.

Zoom keeps a stream for a window after a socket broke (signalling 60 s, media 65 s). Within it, a lost or unanswered
socket is tried again with growing pauses and once more right before the window ends; "duplicate" refusals mean that
Zoom has not noticed the old socket's death yet, so they are tried again every few seconds. Everything else that Zoom
refuses would be refused again.
"""

from connectors.rtms.protocol.codes import Medium, Status, StopReason, known

SIGNALING_WINDOW_MS = 60_000
MEDIA_WINDOW_MS = 65_000

_BACKOFF_MS = (3_000, 6_000, 12_000, 24_000, 30_000)
_DUPLICATE_MS = (1_500, 2_000, 2_500, 3_000)
_LAST_CHANCE_MS = 1_000
"""How long before the window's end the last attempt is made."""

_DUPLICATE_SIGNALING = frozenset({Status.DUPLICATE_SIGNAL_REQUEST})
_DUPLICATE_MEDIA = frozenset({Status.MEDIA_DATA_ALL_CONNECTION_EXIST, Status.DUPLICATE_MEDIA_DATA_CONNECTION})

_RESTARTABLE = frozenset(
    {
        StopReason.INTERNAL_EXCEPTION,
        StopReason.CONNECTION_TIMEOUT,
        StopReason.INSTANCE_CONNECTION_INTERRUPTED,
        StopReason.SIGNAL_CONNECTION_INTERRUPTED,
        StopReason.DATA_CONNECTION_INTERRUPTED,
        StopReason.SIGNAL_CONNECTION_CLOSED_ABNORMALLY,
        StopReason.DATA_CONNECTION_CLOSED_ABNORMALLY,
        StopReason.EXIT_SIGNAL,
        StopReason.AWAIT_RECONNECTION_TIMEOUT,
        StopReason.KEEP_ALIVE_TIMEOUT,
    }
)

_UNSUPPORTED = {
    Status.MEDIA_TYPE_AUDIO_NOT_SUPPORT: Medium.AUDIO,
    Status.MEDIA_TYPE_VIDEO_NOT_SUPPORT: Medium.VIDEO,
    Status.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT: Medium.SHARE,
    Status.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT: Medium.CAPTIONS,
    Status.MEDIA_TYPE_CHAT_NOT_SUPPORT: Medium.CHAT,
}

_SECONDARY = {
    Status.INVALID_MEDIA_DESKSHARE_PARAMS: Medium.SHARE,
    Status.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE: Medium.SHARE,
    Status.INVALID_MEDIA_DESKSHARE_CODEC: Medium.SHARE,
    Status.INVALID_MEDIA_DESKSHARE_RESOLUTION: Medium.SHARE,
    Status.INVALID_MEDIA_DESKSHARE_FPS: Medium.SHARE,
    Status.INVALID_MEDIA_TRANSCRIPT_PARAMS: Medium.CAPTIONS,
    Status.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE: Medium.CAPTIONS,
    Status.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE: Medium.CAPTIONS,
    Status.INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE: Medium.CAPTIONS,
    Status.INVALID_MEDIA_CHAT_PARAMS: Medium.CHAT,
    Status.INVALID_MEDIA_CHAT_CONTENT_TYPE: Medium.CHAT,
    Status.CHAT_SESSION_KEY_NOT_AVAILABLE: Medium.CHAT,
}


def after_loss(attempt: int, elapsed_ms: int, window_ms: int) -> int | None:
    """Milliseconds to wait before the next attempt, None when the window is over.

    `attempt` counts the failed attempts since the socket last worked, `elapsed_ms` is the time since then.
    """
    return _within(_BACKOFF_MS[min(attempt, len(_BACKOFF_MS) - 1)], elapsed_ms, window_ms)


def is_duplicate(code: int, reason: str, *, signaling: bool) -> bool:
    """Whether a handshake was refused because Zoom still has the socket before it.

    The numbers changed in 2026, and 15 to 17 meant other things before: Zoom's text, where it says something, counts
    more, and each number counts on its own kind of socket only.
    """
    words = reason.lower()
    if "duplicate" in words:
        return True
    return "signature" not in words and code in (_DUPLICATE_SIGNALING if signaling else _DUPLICATE_MEDIA)


def after_refusal(code: int, is_duplicate: bool, attempt: int, elapsed_ms: int, window_ms: int) -> int | None:
    """Milliseconds to wait before asking again after a refused handshake, None when Zoom means it."""
    if is_duplicate:
        return _within(_DUPLICATE_MS[min(attempt, len(_DUPLICATE_MS) - 1)], elapsed_ms, window_ms)
    if code == Status.INTERNAL_EXCEPTION:
        return after_loss(attempt, elapsed_ms, window_ms)
    return None


def _within(delay_ms: int, elapsed_ms: int, window_ms: int) -> int | None:
    left_ms = window_ms - elapsed_ms - _LAST_CHANCE_MS
    return min(delay_ms, left_ms) if left_ms > 0 else None


def is_restartable(stop_reason: int) -> bool:
    """Whether a stream that Zoom stopped for this reason may be started again in the same meeting."""
    return known(StopReason, stop_reason) in _RESTARTABLE


def dispensable_medium(code: int) -> Medium | None:
    """The medium to go on without after this refusal of a media handshake, None if the refusal is about all.

    A medium that the app may not have is left out; so are share, captions and chat when Zoom dislikes their
    parameters. Audio and video with refused parameters are a wrong request that somebody has to see.
    """
    status = known(Status, code)
    return None if status is None else _UNSUPPORTED.get(status) or _SECONDARY.get(status)
