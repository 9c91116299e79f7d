"""What the fuzzer calls: anything at all, as a frame, as a message in every state, as a webhook and as a conversation.

Only the documented errors may come out of it, and the fast way of reading frames must agree with the plain one.
"""

from types import ModuleType

from connectors.rtms.protocol import media, messages, signaling
from connectors.rtms.protocol.errors import Refused, RemoteError, Unusable
from connectors.rtms.protocol.events import SIGNALING, FrameReceived
from connectors.rtms.protocol.frames import read_frame, read_frame_plain
from connectors.rtms.protocol.happenings import Context
from connectors.rtms.protocol.joining import StreamPolicy
from connectors.rtms.protocol.life import Phase
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.messages import ID_FIELDS
from connectors.rtms.protocol.webhooks import product_of_payload, read_stream_webhook
from tests.support.zoom_conversation import MEDIA, ZOOM, Conversation

SEPARATOR = b"\n"
CONTEXTS = [Context(product, ZOOM) for product in ID_FIELDS]
STATES = (LinkState.GREETING, LinkState.UP, LinkState.DRAINING)
TABLES: tuple[ModuleType, ModuleType] = (signaling, media)


def try_everything(data: bytes) -> None:
    """Raises whatever should never be raised; says nothing otherwise."""
    _as_frame(data)
    try:
        message = messages.decode(data)
    except Unusable:
        pass
    else:
        _as_message(message)
        _as_webhook(message)
    _as_webhook(data)
    _as_conversation(data)


def _as_frame(data: bytes) -> None:
    fast = read_frame(data)
    assert fast is None or fast == _plain(data), "the fast way reads something else"


def _plain(data: bytes) -> FrameReceived | None:
    try:
        return read_frame_plain(messages.decode(data))
    except Unusable:
        return None


def _as_message(message: dict[str, object]) -> None:
    for table in TABLES:
        for state in STATES:
            for context in CONTEXTS:
                try:
                    table.read(state, message, context)
                except (Refused, RemoteError, Unusable):
                    pass


def _as_webhook(body: object) -> None:
    product_of_payload(body)
    try:
        read_stream_webhook(body)
    except Unusable:
        pass


def _as_conversation(data: bytes) -> None:
    """Line by line on alternating sockets, with the end that every stream must come to."""
    talk = Conversation(policy=StreamPolicy(unified=len(data) % 2 == 0)).start()
    talk.opened()
    for number, line in enumerate(data.split(SEPARATOR)):
        talk.say(line, (SIGNALING, MEDIA)[number % 2])
        for wish in talk.wanted[-5:]:
            talk.opened(wish.channel)
        talk.wait(100)
    talk.stream.hand_over(talk.now)
    talk.collect()
    talk.wait(10_000)
    assert talk.stream.phase is Phase.OVER
    assert talk.events[-1] is talk.ended
