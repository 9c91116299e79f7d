"""A client written from the protocol's documents alone, by hand: nothing of the project's own protocol code in it.

It checks every message of the simulator against what the documents promise (types included), answers keep-alives and
keeps everything it received in order.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

CLIENT_ID, CLIENT_SECRET = "simulated-client", "simulated-secret"
WAIT_S = 60.0
Json = dict[str, Any]


def sign(meeting_uuid: str, stream_id: str, secret: str = CLIENT_SECRET) -> str:
    return hmac.new(secret.encode(), f"{CLIENT_ID},{meeting_uuid},{stream_id}".encode(), hashlib.sha256).hexdigest()


def is_ms(value: Any) -> bool:
    return type(value) is int and 10**11 < value < 10**14


def check_2(m: Json) -> None:
    assert m["protocol_version"] == 1
    assert type(m["sequence"]) is int
    assert type(m["status_code"]) is int
    assert type(m["reason"]) is str
    if m["status_code"] == 0:
        urls = m["media_server"]["server_urls"]
        assert "all" in urls
        assert len(urls) > 1, "Zoom's library hangs when there is only 'all'"
        assert set(urls) <= {"audio", "video", "deskshare", "transcript", "chat", "all"}
        assert all(type(url) is str and url.startswith(("ws://", "wss://")) for url in urls.values())


FIELDS = {
    "audio": {"content_type", "sample_rate", "channel", "codec", "data_opt", "send_rate"},
    "video": {"content_type", "codec", "resolution", "data_opt", "fps"},
    "deskshare": {"content_type", "codec", "resolution", "fps"},
    "transcript": {"content_type", "src_language", "enable_lid"},
    "chat": {"content_type"},
}


def check_4(m: Json) -> None:
    assert type(m["status_code"]) is int
    assert m["payload_encrypted"] is False
    if m["status_code"] == 0:
        for name, values in m["media_params"].items():
            assert set(values) == FIELDS[name]
            assert all(type(v) is (bool if k == "enable_lid" else int) for k, v in values.items())


def check_6(m: Json) -> None:
    event = m["event"]
    assert is_ms(event["timestamp"])
    assert type(event["event_type"]) is int
    if event["event_type"] in (3, 4, 8, 9):
        assert event["participants"]
        assert all(type(p["user_id"]) is int and 0 < p["user_id"] < 2**31 for p in event["participants"])
    if event["event_type"] == 3:
        assert all(type(p["user_name"]) is str for p in event["participants"])
    if event["event_type"] in (2, 5):
        assert type(event["user_id"]) is int
        assert type(event["user_name"]) is str


def check_8(m: Json) -> None:
    assert 0 <= m["state"] <= 6
    assert type(m["reason"]) is int
    assert is_ms(m["timestamp"])


def check_9(m: Json) -> None:
    assert 0 <= m["state"] <= 5
    assert type(m["rtms_session_id"]) is str
    assert m["reason"] == m["stop_reason"]
    assert is_ms(m["timestamp"])


def check_12(m: Json) -> None:
    assert is_ms(m["timestamp"])
    assert type(m["sequence"]) is int
    assert 0 <= m["sequence"] < 2**31


def check_frame(m: Json) -> None:
    content = m["content"]
    assert type(content["user_id"]) is int
    assert 0 <= content["user_id"] < 2**31
    assert ("user_name" in content) == (content["user_id"] != 0)
    assert is_ms(content["timestamp"])
    payload = base64.b64decode(content["data"], validate=True)
    assert len(payload) == content["length"] > 0


def check_17(m: Json) -> None:
    content = m["content"]
    assert type(content["user_id"]) is int
    assert type(content["user_name"]) is str
    assert type(content["data"]) is str
    assert is_ms(content["timestamp"])
    assert content["start_time"] <= content["end_time"]
    assert type(content["language"]) is int


def check_18(m: Json) -> None:
    content = m["content"]
    assert content["chat_session"]["type"] == 1
    assert content["operation_type"] in (1, 2, 3, 4, 5)
    assert type(content["sender"]["user_id"]) is int
    assert content["message_id"]
    assert is_ms(content["timestamp"])


CHECKS: dict[int, Callable[[Json], None]] = {
    2: check_2, 4: check_4, 6: check_6, 8: check_8, 9: check_9, 12: check_12,
    14: check_frame, 15: check_frame, 16: check_frame, 17: check_17, 18: check_18,
}  # fmt: skip
ALLOWED_ON_SIGNALLING = {2, 6, 8, 9, 11, 12, 20, 22, 29}
ALLOWED_ON_MEDIA = {4, 12, 14, 15, 16, 17, 18, 23}


@dataclass
class Socket:
    """One connection; `seen` is everything received on it in order, `closed` how it ended."""

    connection: ClientConnection
    kind: str
    lenient: bool = False
    answers: bool = True
    seen: list[Json] = field(default_factory=list)
    failure: BaseException | None = None
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    raw: list[str | bytes] = field(default_factory=list)
    reader: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                data = await self.connection.recv()
                await self._take(data)
        except ConnectionClosed:
            pass
        except AssertionError as failure:
            self.failure = failure
            raise
        finally:
            async with self.news:
                self.news.notify_all()

    async def _take(self, data: str | bytes) -> None:
        self.raw.append(data[:1] if len(data) > 1000 else data)
        message = json.loads(data)
        number = message["msg_type"]
        if not self.lenient:
            allowed = ALLOWED_ON_SIGNALLING if self.kind == "signalling" else ALLOWED_ON_MEDIA
            assert number in allowed, f"message {number} on {self.kind}"
            CHECKS.get(number, lambda _: None)(message)
        if number == 12 and self.answers:
            await self.say({"msg_type": 13, "timestamp": message["timestamp"], "sequence": message["sequence"]})
        async with self.news:
            self.seen.append(message)
            self.news.notify_all()

    async def say(self, message: Json) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.connection.send(json.dumps(message))

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(lambda: condition() or self._over()), WAIT_S)
            except TimeoutError:
                raise AssertionError(f"never: {what}; have {Counter(m['msg_type'] for m in self.seen)}") from None
        if self.failure is not None:
            raise self.failure
        assert condition(), f"the connection ended before: {what}"

    def _over(self) -> bool:
        return self.reader is not None and (self.reader.done() or self.failure is not None or self.is_closed)

    @property
    def is_closed(self) -> bool:
        return self.connection.close_code is not None

    async def message(self, number: int, **wanted: Any) -> Json:
        """The first message of that number with those fields."""

        def found() -> Json | None:
            return next((m for m in self.seen if m["msg_type"] == number and wanted.items() <= m.items()), None)

        await self.until(lambda: found() is not None, f"message {number} {wanted}")
        result = found()
        assert result is not None
        return result

    async def closing(self) -> int | None:
        """How the server ended it: the close code, 1006 for a cut."""
        await asyncio.wait_for(self.connection.wait_closed(), WAIT_S)
        if self.reader is not None:
            await asyncio.wait_for(asyncio.gather(self.reader, return_exceptions=True), WAIT_S)
        if self.failure is not None:
            raise self.failure
        return self.connection.close_code

    def of(self, *numbers: int) -> list[Json]:
        return [m for m in self.seen if m["msg_type"] in numbers]

    def events(self, *types: int) -> list[Json]:
        return [m["event"] for m in self.of(6) if not types or m["event"]["event_type"] in types]


@dataclass
class StrictClient:
    """One client of one stream."""

    url: str
    meeting_uuid: str
    stream_id: str
    secret: str = CLIENT_SECRET
    tls: ssl.SSLContext | None = None
    lenient: bool = False
    answers: bool = True
    sockets: list[Socket] = field(default_factory=list)

    async def open(self, url: str, kind: str) -> Socket:
        options: Json = {"ssl": self.tls} if self.tls else {}
        connection = await connect(
            url, max_size=32 * 2**20, compression=None, ping_interval=None, open_timeout=WAIT_S, **options
        )
        socket = Socket(connection, kind, self.lenient, self.answers)
        self.sockets.append(socket)
        socket.start()
        return socket

    def identify(self) -> Json:
        return {
            "meeting_uuid": self.meeting_uuid,
            "rtms_stream_id": self.stream_id,
            "signature": sign(self.meeting_uuid, self.stream_id, self.secret),
        }

    async def signalling(self, **extra: Any) -> tuple[Socket, Json]:
        socket = await self.open(self.url, "signalling")
        await socket.say({"msg_type": 1, "protocol_version": 1, "sequence": 77, **self.identify(), **extra})
        return socket, await socket.message(2)

    async def media(self, url: str, media_type: Any, params: Any = None, **extra: Any) -> tuple[Socket, Json]:
        socket = await self.open(url, "media")
        request = {"msg_type": 3, "protocol_version": 1, **self.identify(), "media_type": media_type}
        await socket.say(request | ({} if params is None else {"media_params": params}) | extra)
        return socket, await socket.message(4)

    async def ready(self, signalling: Socket) -> None:
        await signalling.say({"msg_type": 7, "rtms_stream_id": self.stream_id})

    async def subscribe(self, signalling: Socket, *types: int) -> None:
        events = [{"event_type": number, "subscribe": True} for number in types]
        await signalling.say({"msg_type": 5, "events": events})

    async def close(self) -> None:
        for socket in self.sockets:
            await socket.connection.close()
            if socket.reader is not None:
                await asyncio.gather(socket.reader, return_exceptions=True)


EVERYTHING = {
    "audio": {"content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 2, "send_rate": 100},
    "video": {"content_type": 3, "codec": 7, "resolution": 2, "data_opt": 3, "fps": 25},
    "deskshare": {"content_type": 3, "codec": 7, "resolution": 3, "fps": 5},
    "transcript": {"content_type": 5, "src_language": 9, "enable_lid": True},
    "chat": {"content_type": 5},
}
MEDIUM_OF = {14: "audio", 15: "video", 16: "share", 17: "captions", 18: "chat"}


def payload_of(message: Json) -> bytes:
    data = message["content"]["data"]
    return base64.b64decode(data) if message["msg_type"] <= 16 else data.encode()


def tally(messages: list[Json]) -> dict[tuple[str, int], tuple[int, int, str]]:
    """Frames, bytes and SHA-256 per medium and user, as received."""
    digests: dict[tuple[str, int], Any] = defaultdict(hashlib.sha256)
    counts: Counter[tuple[str, int]] = Counter()
    sizes: Counter[tuple[str, int]] = Counter()
    for message in messages:
        medium = MEDIUM_OF.get(message["msg_type"])
        if medium is None:
            continue
        content = message["content"]
        user = content["sender"]["user_id"] if medium == "chat" else content["user_id"]
        payload = payload_of(message)
        counts[medium, user] += 1
        sizes[medium, user] += len(payload)
        digests[medium, user].update(payload)
    return {key: (counts[key], sizes[key], digests[key].hexdigest()) for key in counts}
