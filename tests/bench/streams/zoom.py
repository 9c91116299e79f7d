"""`python -m tests.bench.streams.zoom CERTIFICATE KEY`: the load. Handshakes as Zoom does them, then frames as fast as
they are read or at Zoom's pace, with plain sockets and no event loop: what sends must never be what is measured.

It obeys lines on its standard input and answers each with a line of JSON:

    await N               when N media sockets have been accepted
    burst KIND SIZE N     N frames of one kind (audio, video) on the one media socket there is, without a pause
    pace RATE             frames at Zoom's pace for all streams, RATE being the audio's send_rate, until "stop"
    stop                  what was sent, and how late
    forget                the media sockets are gone
"""

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from connectors.rtms.protocol import messages as zoom_messages
from connectors.rtms.protocol.codes import MediaType, MessageType
from connectors.rtms.simulator.certificates import server_context
from tests.bench.quantiles import quantile
from tests.bench.streams import messages
from tests.bench.streams.pacing import SPEAKERS, Load

_READ = 1 << 16
_SEND_BUFFER = 1 << 21
_ACCEPTING_S = 60.0
_MEDIA = "/media/"

T = TypeVar("T")


class Sealed:
    """A TLS connection that seals before it sends: many frames can leave in one go, each in TLS records of its own.

    What is sealed first must be sent first. `send` and `send_all` see to that for any thread; who seals without sending
    sets `is_paced`, and then sends alone.
    """

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self.is_paced = False
        self._connection = connection
        self._sending, self._sealing = threading.Lock(), threading.Lock()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def seal(self, data: bytes) -> bytes:
        """What goes over the wire for it."""
        with self._sealing:
            self._tls.write(data)
            return self._outgoing.read()

    def shake_hands(self) -> None:
        self._patiently(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        self.send_all((data,))

    def send_all(self, frames: Iterable[bytes]) -> None:
        """All of them in one go, sealed beforehand."""
        with self._sending:
            self._connection.sendall(b"".join(map(self.seal, frames)))

    def receive(self) -> bytes:
        """What has come, at least a byte; nothing at the end."""
        return self._patiently(lambda: self._tls.read(_READ)) or b""

    @property
    def raw(self) -> socket.socket:
        """Where sealed bytes go."""
        return self._connection

    def _patiently(self, step: Callable[[], T]) -> T | None:
        while True:
            with self._sealing:
                try:
                    done, is_done = step(), True
                except ssl.SSLWantReadError:
                    done, is_done = None, False
                said = self._outgoing.read()
            if said:
                self._connection.sendall(said)
            if is_done:
                return done
            if not (data := self._connection.recv(_READ)):
                return None
            self._incoming.write(data)


class MediaSocket(NamedTuple):
    """Accepted for a stream; `media_type` says which media it carries, as in the handshake."""

    connection: Sealed
    stream: str
    media_type: int


class Stream(NamedTuple):
    """Where the frames of one stream go; both are the same unless the client splits its sockets."""

    audio: Sealed
    video: Sealed


def streams_of(sockets: Iterable[MediaSocket]) -> list[Stream]:
    """The streams in the order in which their first socket was accepted. Pure."""
    found: dict[str, dict[MediaType, Sealed]] = {}
    for socket_ in sockets:
        carried = [kind for kind in (MediaType.AUDIO, MediaType.VIDEO) if socket_.media_type & (kind | MediaType.ALL)]
        found.setdefault(socket_.stream, {}).update(dict.fromkeys(carried, socket_.connection))
    return [Stream(stream[MediaType.AUDIO], stream[MediaType.VIDEO]) for stream in found.values()]


class Conversation:
    """The server's half of one socket: the answers to its handshakes, and to pings."""

    def __init__(self, connection: Sealed, media_url: str) -> None:
        self._connection = connection
        self._protocol = ServerProtocol()
        self._media_url = media_url

    def hold(self) -> MediaSocket | None:
        """The media socket that was accepted; None when a socket of another kind has ended."""
        path = ""
        while data := self._connection.receive():
            self._protocol.receive_data(data)
            for event in self._protocol.events_received():
                if isinstance(event, Request):
                    self._protocol.send_response(self._protocol.accept(event))
                    path = urlsplit(event.path).path
                elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    message = msgspec.json.decode(event.data)
                    self._answer(message, path)
                    if path.startswith(_MEDIA):
                        return MediaSocket(self._connection, path, message.get("media_type", MediaType.ALL))
            self._flush()
        return None

    def listen(self) -> None:
        """After `hold`: answer pings for as long as nothing is sent at a pace. Then no client has to ask for any."""
        while data := self._connection.receive():
            self._protocol.receive_data(data)
            if not self._connection.is_paced:
                self._flush()

    def _answer(self, message: dict[str, Any], path: str) -> None:
        if message["msg_type"] == MessageType.SIGNALING_HAND_SHAKE_REQ:
            url = self._media_url + path.rpartition("/")[2]
            names = ("audio", "video", "deskshare", "transcript", "chat", "all")
            answer = zoom_messages.signaling_handshake_response(server_urls=dict.fromkeys(names, url))
        elif message["msg_type"] == MessageType.DATA_HAND_SHAKE_REQ:
            answer = zoom_messages.media_handshake_response(media_params=message.get("media_params"))
        else:
            return
        self._protocol.send_text(answer)
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._connection.send(data)


class Zoom:
    """Accepts for as long as the process lives; `media` are the sockets that frames go to, in order of acceptance."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._tls = server_context(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"wss://127.0.0.1:{self._listener.getsockname()[1]}"
        self.media: list[MediaSocket] = []
        self._accepted = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def wait_for(self, count: int, timeout_s: float) -> int:
        """How many media sockets there are, at once when they are enough."""
        with self._accepted:
            self._accepted.wait_for(lambda: len(self.media) >= count, timeout_s)
            return len(self.media)

    def forget(self) -> None:
        for accepted in self.media:
            accepted.connection.raw.close()
        self.media.clear()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        sealed = Sealed(connection, self._tls)
        conversation = Conversation(sealed, self.url + _MEDIA)
        try:
            sealed.shake_hands()
            accepted = conversation.hold()
            if accepted is not None:
                with self._accepted:
                    self.media.append(accepted)
                    self._accepted.notify_all()
                conversation.listen()
        except OSError:
            return  # a client that was ended in the middle of it, or a socket that is sent to at a pace


def burst(connection: Sealed, kind: str, size: int, count: int) -> None:
    """All frames in one go, sealed beforehand."""
    turns = cycle([messages.audio(1, size)] if kind == "audio" else messages.pictures(1, size))
    stamp_ms = time.time_ns() // 1_000_000
    connection.send_all(next(turns).at(stamp_ms) for _ in range(count))


class Pacer(threading.Thread):
    """Sends what is due when it is due. A socket that takes no more keeps what waits for it; nothing is dropped."""

    def __init__(self, streams: list[Stream], send_rate_ms: int) -> None:
        super().__init__(daemon=True)
        self._streams = streams
        self._load = Load(len(streams), send_rate_ms)
        self._waiting: dict[Sealed, bytearray] = {}
        self._stopped = threading.Event()
        self.sent = 0
        self.late_ms: list[float] = []

    def run(self) -> None:
        period_ms, due = self._load.round()
        tracks = [cycle(self._load.track(track)) for track in range(SPEAKERS + 1)]
        for connection in {connection for stream in self._streams for connection in stream}:
            connection.is_paced = True
            connection.raw.setblocking(False)
        began = time.monotonic()
        while not self._stopped.is_set():
            for at_ms, session, track in due:
                self._wait_until(began + at_ms / 1000)
                stream = self._streams[session]
                connection = stream.audio if track < SPEAKERS else stream.video
                self._send(connection, next(tracks[track]).at(time.time_ns() // 1_000_000))
            began += period_ms / 1000

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _wait_until(self, at_s: float) -> None:
        ahead_s = at_s - time.monotonic()
        self.late_ms.append(max(0.0, -ahead_s * 1000))
        if ahead_s > 0:
            self._retry()
            time.sleep(max(0.0, at_s - time.monotonic()))

    def _send(self, connection: Sealed, data: bytes) -> None:
        self.sent += 1
        rest = connection.seal(data)
        if connection not in self._waiting:
            rest = _unsent(connection, rest)
        if rest:
            self._waiting.setdefault(connection, bytearray()).extend(rest)

    def _retry(self) -> None:
        for connection in list(self._waiting):
            rest = _unsent(connection, bytes(self._waiting.pop(connection)))
            if rest:
                self._waiting[connection] = bytearray(rest)


def _unsent(connection: Sealed, data: bytes) -> bytes:
    """What the socket did not take."""
    try:
        return data[connection.raw.send(data) :]
    except BlockingIOError:
        return data


class Commands:
    """What the lines on standard input ask for."""

    def __init__(self, zoom: Zoom) -> None:
        self._zoom = zoom
        self._pacer: Pacer | None = None

    def obey(self, line: str) -> dict[str, object]:
        verb, *arguments = line.split()
        match verb:
            case "await":
                return {"media": self._zoom.wait_for(int(arguments[0]), _ACCEPTING_S)}
            case "burst":
                kind, size, count = arguments
                burst(self._zoom.media[-1].connection, kind, int(size), int(count))
                return {"sent": int(count)}
            case "pace":
                streams = streams_of(self._zoom.media)
                self._pacer = Pacer(streams, int(arguments[0]))
                self._pacer.start()
                return {"pacing": len(streams)}
            case "stop":
                assert self._pacer is not None, "nothing was begun"
                self._pacer.stop()
                return {"sent": self._pacer.sent, "late_ms": quantile(self._pacer.late_ms, 0.99)}
        self._zoom.forget()
        return {"media": 0}


def main() -> int:
    zoom = Zoom(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"url": zoom.url}), flush=True)
    commands = Commands(zoom)
    for line in sys.stdin:
        print(json.dumps(commands.obey(line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
