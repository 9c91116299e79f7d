"""The shell's own corners, with a scripted transport. Whole streams run in the integration tests."""

import asyncio
from collections.abc import Callable

import pytest

from connectors.host.clock import SystemClock
from connectors.rtms.protocol import messages
from connectors.rtms.protocol.events import EndCause, FrameRejected, MediaReady, OwnerEvent, SocketLost, StreamEnded
from connectors.rtms.protocol.joining import StreamPolicy
from connectors.rtms.session import RtmsSession, SessionOutcome
from connectors.rtms.transport.sockets import ConnectFailed, Listener, Socket
from schemas.excerpts import excerpt_of
from tests.support.zoom_conversation import PARAMS, URLS, ZOOM

IMPATIENT = StreamPolicy(answer_ms=300)


class ScriptedSocket:
    """Answers each message as the script says, from the loop, like a real one."""

    def __init__(self, listener: Listener, answers: dict[int, bytes]) -> None:
        self.listener = listener
        self.answers = answers
        self.sent: list[bytes] = []
        self.aborted = False

    def send(self, message: bytes) -> None:
        self.sent.append(message)
        answer = self.answers.get(messages.message_type(messages.decode(message)))
        if answer is not None:
            asyncio.get_running_loop().call_soon(self.listener.on_message, answer)

    def ping(self) -> None:
        asyncio.get_running_loop().call_soon(self.listener.on_pong)

    def close(self) -> None:
        asyncio.get_running_loop().call_soon(self.listener.on_closed, 1000)

    def abort(self) -> None:
        self.aborted = True


class ScriptedTransport:
    """Opens scripted sockets; `before` may fail, or hang, or speak before the socket is handed out."""

    def __init__(self, before: Callable[[Listener], object] | None = None) -> None:
        self.before = before
        self.sockets: list[ScriptedSocket] = []
        self.answers = {
            1: messages.signaling_handshake_response(server_urls=URLS),
            3: messages.media_handshake_response(media_params={}),
            21: messages.stream_close_response("stream0001", ZOOM),
        }

    async def connect(self, _url: str, listener: Listener) -> Socket:
        if self.before is not None:
            result = self.before(listener)
            if asyncio.iscoroutine(result):
                await result
        self.sockets.append(ScriptedSocket(listener, self.answers))
        return self.sockets[-1]


def session(
    transport: ScriptedTransport, on_event: Callable[[OwnerEvent], None], policy: StreamPolicy | None = None
) -> RtmsSession:
    policy = policy or StreamPolicy()
    return RtmsSession(PARAMS, on_event, transport=transport, clock=SystemClock(), policy=policy)


async def finished(running: RtmsSession) -> SessionOutcome:
    return await asyncio.wait_for(running.run(), 60)


async def test_closing_from_within_the_callback() -> None:
    heard: list[OwnerEvent] = []

    def on_event(event: OwnerEvent) -> None:
        heard.append(event)
        if isinstance(event, MediaReady):
            made.close()

    made = session(ScriptedTransport(), on_event)
    outcome = await finished(made)
    assert (outcome.cause, outcome.confirmed, outcome.connected_once) == (EndCause.CLOSED, True, True)
    assert isinstance(heard[-1], StreamEnded)
    assert outcome.messages >= 3
    assert outcome.bytes_received > 100


async def test_what_the_owner_raises_is_what_run_raises() -> None:
    def on_event(event: OwnerEvent) -> None:
        if isinstance(event, MediaReady):
            raise ZeroDivisionError

    transport = ScriptedTransport()
    with pytest.raises(ZeroDivisionError):
        await finished(session(transport, on_event))
    assert all(socket.aborted for socket in transport.sockets)


async def test_a_bug_while_connecting_does_not_look_like_a_silent_server() -> None:
    def broken(_listener: Listener) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await finished(session(ScriptedTransport(broken), lambda _event: None))


async def test_a_socket_that_cannot_be_opened_is_a_loss() -> None:
    def refused(_listener: Listener) -> None:
        raise ConnectFailed("connection_refused")

    def on_event(event: OwnerEvent) -> None:
        if isinstance(event, SocketLost):
            made.hand_over()

    made = session(ScriptedTransport(refused), on_event)
    assert (await finished(made)).cause is EndCause.HANDED_OVER


async def test_a_socket_that_closed_before_it_was_handed_out_is_a_loss() -> None:
    lost: list[int | None] = []

    def on_event(event: OwnerEvent) -> None:
        if isinstance(event, SocketLost):
            lost.append(event.close_code)
            made.hand_over()

    made = session(ScriptedTransport(lambda listener: listener.on_closed(1013)), on_event)
    assert (await finished(made)).cause is EndCause.HANDED_OVER
    assert lost == [1013]


async def test_an_attempt_that_hangs_is_broken_off() -> None:
    broken_off = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            broken_off.set()
            raise

    def on_event(event: OwnerEvent) -> None:
        if isinstance(event, SocketLost):
            made.hand_over()

    made = session(ScriptedTransport(lambda _listener: hang()), on_event, IMPATIENT)
    await finished(made)
    assert broken_off.is_set()


async def test_a_new_address_is_tried_at_once_while_the_old_one_does_not_answer() -> None:
    """Zoom has moved the stream: the end of our knocking at the old door concerns nobody."""
    heard: list[OwnerEvent] = []
    attempts = 0

    async def dead_at_first() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            asyncio.get_running_loop().call_soon(made.reconnect, ("wss://rtms.zoom.us/elsewhere",))
            await asyncio.Event().wait()

    def on_event(event: OwnerEvent) -> None:
        heard.append(event)
        if isinstance(event, MediaReady | SocketLost):
            made.hand_over()

    made = session(ScriptedTransport(lambda _listener: dead_at_first()), on_event)
    await finished(made)
    assert [event for event in heard if isinstance(event, SocketLost)] == []
    assert any(isinstance(event, MediaReady) for event in heard)


async def test_cancelling_cuts_the_sockets_and_hears_nothing_more() -> None:
    heard: list[OwnerEvent] = []
    ready = asyncio.Event()

    def on_event(event: OwnerEvent) -> None:
        heard.append(event)
        if isinstance(event, MediaReady):
            ready.set()

    transport = ScriptedTransport()
    running = asyncio.create_task(session(transport, on_event).run())
    await asyncio.wait_for(ready.wait(), 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    count = len(heard)
    for socket in transport.sockets:
        assert socket.aborted
        socket.listener.on_message(b"late")
        socket.listener.on_pong()
        socket.listener.on_closed(None)
    assert len(heard) == count


async def test_rejected_messages_reach_the_owner_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[FrameRejected] = []

    def on_event(event: OwnerEvent) -> None:
        if isinstance(event, MediaReady):
            asyncio.get_running_loop().call_soon(transport.sockets[-1].listener.on_message, b"secret words")
        elif isinstance(event, FrameRejected):
            heard.append(event)
            made.close()

    transport = ScriptedTransport()
    made = session(transport, on_event)
    await finished(made)
    assert heard == [FrameRejected("media", "not_a_json_object", excerpt_of(b"secret words"))]
    assert "secret" not in caplog.text
    assert PARAMS.client_secret not in caplog.text
