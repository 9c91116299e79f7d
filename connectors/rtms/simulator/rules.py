"""How strict the simulated Zoom is and how long it waits; the defaults are those of Zoom's documents."""

from dataclasses import dataclass
from enum import StrEnum

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.channel import Framing

EVERY_MEDIUM = frozenset(Medium) - {Medium.EVENTS}


class Duplicate(StrEnum):
    """What happens to a second signalling connection of a stream: documents and samples disagree."""

    REPLACE = "replace"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The app's, as the Marketplace would show them."""

    client_id: str = "simulated-client"
    client_secret: str = "simulated-secret"  # noqa: S105 - it opens nothing but a simulator
    webhook_secret: str = "simulated-webhook-secret"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One set for all streams of a server.

    A picture that could not be sent for `stale_picture_s`, because the client does not read, is not sent any more:
    only audio is buffered. At the end a client is told why, and for `farewell_s` its sockets are its own to close.
    """

    offered: frozenset[Medium] = EVERY_MEDIUM
    duplicate: Duplicate = Duplicate.REPLACE
    framing: Framing = Framing.TEXT
    keep_alive_s: float = 10.0
    handshake_s: float = 10.0
    audio_buffer_s: float = 60.0
    signalling_window_s: float = 60.0
    media_window_s: float = 65.0
    stale_picture_s: float = 5.0
    farewell_s: float = 0.0
