"""Deepgram's WebSocket `/v1/listen` as its public reference describes it, beside `speech_service`'s POST.

It hears a word every 400 ms, whatever it is sent, tells them about every second, changes its mind about the last one
until a stretch is final, ends by itself after 10 s of nothing, and charges for every second that it was sent.
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

WORD_S = 0.4
FINAL_S = 3.2
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_ENCODINGS = ("linear16", "linear32", "mulaw", "alaw", "flac", "opus", "speex", "g729", "amr-nb", "amr-wb")
_KNOWN = frozenset(
    ("model", "language", "smart_format", "encoding", "sample_rate", "channels", "interim_results", "endpointing",
     "keyterm", "keywords", "redact", "replace", "punctuate", "no_delay", "vad_events", "utterance_end_ms")
)  # fmt: skip


@dataclass
class Refusal:
    """An answer to the handshake out of turn. `held`: it comes when that is set."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    held: threading.Event | None = None


@dataclass
class Trouble:
    """What a connection suffers once it has been sent `after_s` of sound.

    `how`: it is `cut`, `closed` (1011), falls `silent`, tells `garbage`, `bytes` or an `error`, is `deaf` (reads no
    more until the patience is over, or `held` is set); or at its end it `lingers`, or is `short` of a second that it
    never heard.
    """

    how: str
    after_s: float = 0.0
    held: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


@dataclass
class Call:
    """One connection: who asked how, what it was sent, and how it ended (None: it was cut)."""

    headers: Mapping[str, str]
    query: dict[str, list[str]]
    trouble: Trouble | None = None
    pcm: bytes = b""
    sizes: list[int] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    told: int = 0
    closed: int | None = None

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / int(self.query["sample_rate"][0])


@dataclass
class LiveDeepgram:
    """`plan`: what the next connections meet, None for nothing. `most` at a time, others are refused. `forgets`: no
    call is kept."""

    key: str
    plan: deque[Refusal | Trouble | None] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    most: int = 50
    every_s: float = 1.0
    patience_s: float = 10.0
    forgets: bool = False
    open: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seconds(self) -> float:
        """What is charged for."""
        return sum(call.seconds for call in self.calls)

    def converse(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a handshake and all that follows, in the thread that took it."""
        with self.lock:
            met = self.plan.popleft() if self.plan else None
        query = parse_qs(urlsplit(handler.path).query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        if refusal := (met if isinstance(met, Refusal) else self._refusal(headers, query)):
            if refusal.held is not None:
                refusal.held.wait(30)
            self._refuse(handler, refusal)
            return
        call = Call(headers, query, met if isinstance(met, Trouble) else None)
        with self.lock:
            if not self.forgets:
                self.calls.append(call)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            _Conversation(self, call, handler).hold()
        finally:
            with self.lock:
                self.open -= 1

    def _refusal(self, headers: Mapping[str, str], query: Mapping[str, list[str]]) -> Refusal | None:
        if headers.get("authorization") != f"Token {self.key}":
            return Refusal(401)
        if not _KNOWN.issuperset(query) or query.get("encoding", ["linear16"])[0] not in _ENCODINGS:
            return Refusal(400)
        if "encoding" in query and not query.get("sample_rate", [""])[0].isdecimal():
            return Refusal(400)
        if "keyterm" in query and not query.get("model", [""])[0].startswith("nova-3"):
            return Refusal(400)
        return Refusal(429) if self.open >= self.most else None

    def _refuse(self, handler: BaseHTTPRequestHandler, refusal: Refusal) -> None:
        self.refused.append(refusal.status)
        message = {401: "Invalid credentials.", 429: "Too many requests."}.get(refusal.status, "Bad Request")
        body = json.dumps({"err_code": "REFUSED", "err_msg": message, "request_id": str(uuid.uuid4())}).encode()
        handler.close_connection = True
        handler.send_response(refusal.status)
        for name, value in ({"dg-error": message, "Content-Length": str(len(body))} | refusal.headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


class _Conversation:
    def __init__(self, live: LiveDeepgram, call: Call, handler: BaseHTTPRequestHandler) -> None:
        self._live, self._call, self._socket = live, call, handler.connection
        self._protocol = ServerProtocol()
        self._request = f"GET {handler.path} HTTP/1.1\r\n{handler.headers}".encode()
        self._told_s = self._final_s = 0.0
        handler.close_connection = True

    def hold(self) -> None:
        """Until one of the two has gone."""
        self._protocol.receive_data(self._request.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        [request] = self._protocol.events_received()
        assert isinstance(request, Request)
        self._protocol.send_response(self._protocol.accept(request))
        self._flush()
        try:
            for frame in self._frames():
                self._take(frame)
                if self._protocol.state is not State.OPEN:
                    break
        except OSError:
            return
        self._socket.settimeout(2.0)  # for the other one to hang up, too
        try:
            while data := self._socket.recv(65536):
                self._protocol.receive_data(data)
                self._flush()
        except OSError:
            return

    def _frames(self) -> Iterator[Frame]:
        while True:
            self._socket.settimeout(self._live.patience_s)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                self._count()
                self._close(1011, "Deepgram did not receive audio data or a text message within the timeout window.")
                return
            if not data:
                return
            self._protocol.receive_data(data)
            yield from (event for event in self._protocol.events_received() if isinstance(event, Frame))
            self._flush()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self._hear(bytes(frame.data))
        elif frame.opcode is Opcode.TEXT:
            self._obey(bytes(frame.data))

    def _hear(self, sound: bytes) -> None:
        call = self._call
        call.pcm += sound
        call.sizes.append(len(sound))
        if not sound:
            self._close(1008, "DATA-0000")
        elif call.trouble is not None and call.seconds > call.trouble.after_s:
            self._suffer(call.trouble)
        elif call.seconds - self._told_s >= self._live.every_s:
            self._tell(is_final=call.seconds - self._final_s >= FINAL_S)

    def _obey(self, message: bytes) -> None:
        try:
            kind = json.loads(message)["type"]
        except (ValueError, KeyError, TypeError):
            kind = ""
        self._call.controls.append(kind)
        how = self._call.trouble.how if self._call.trouble else ""
        if kind == "Finalize":
            self._tell(is_final=True, from_finalize=True)
        elif kind == "CloseStream" and how not in ("lingers", "silent"):
            self._tell(is_final=True)
            self._call.closed = 1000  # whoever was told all may have gone before it is
            self._count(1.0 if how == "short" else 0.0)
            self._close(1000)
        elif kind not in ("CloseStream", "KeepAlive"):
            self._close(1008, "DATA-0000")

    def _suffer(self, trouble: Trouble) -> None:
        how = trouble.how
        if how == "cut":
            self._socket.shutdown(socket.SHUT_RDWR)
        elif how == "closed":
            self._count()
            self._close(1011, "NET-0000")
        elif how == "garbage":
            self._send_text("{")
        elif how == "error":
            self._send({"type": "Error", "description": "DATA-0000", "message": "no", "variant": "x"})
        elif how == "bytes":
            self._protocol.send_binary(b"{}")
            self._flush()
        elif how == "deaf":
            trouble.held.wait(self._live.patience_s)
            self._socket.shutdown(socket.SHUT_RDWR)

    def _tell(self, *, is_final: bool, from_finalize: bool = False) -> None:
        self._call.told += 1
        until_s = self._call.seconds
        words = words_between(self._final_s, until_s, guess=not is_final)
        text = " ".join(word["punctuated_word"] for word in words)
        self._send(
            {
                "type": "Results",
                "channel_index": [0, 1],
                "start": self._final_s,
                "duration": until_s - self._final_s,
                "is_final": is_final,
                "speech_final": False,
                "from_finalize": from_finalize,
                "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]},
                "metadata": {"request_id": str(uuid.uuid4()), "model_info": {"name": "3-general-nova"}},
            }
        )
        self._told_s = until_s
        if is_final:
            self._final_s = until_s

    def _count(self, missing_s: float = 0.0) -> None:
        self._send(
            {"type": "Metadata", "transaction_key": "deprecated", "request_id": str(uuid.uuid4()), "channels": 1,
             "sha256": "incomplete", "created": "2026-01-01T00:00:00.000Z", "duration": self._call.seconds - missing_s}
        )  # fmt: skip

    def _send(self, document: Mapping[str, Any]) -> None:
        self._send_text(json.dumps(document))

    def _send_text(self, text: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text.encode())
            self._flush()

    def _close(self, code: int, reason: str = "") -> None:
        self._call.closed = code
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)
            else:
                self._socket.shutdown(socket.SHUT_WR)


def words_between(from_s: float, until_s: float, *, guess: bool = False) -> list[dict[str, Any]]:
    """The words that begin in that stretch of the sound; of a `guess` the last one is another one."""
    first, end = -int(-from_s // WORD_S), -int(-until_s // WORD_S)
    words = []
    for place in range(first, end):
        word = "um" if guess and place == end - 1 else NUMBERS[place % len(NUMBERS)]
        start_s, end_s = round(place * WORD_S, 3), round(min((place + 1) * WORD_S, until_s), 3)
        words.append({"word": word, "start": start_s, "end": end_s, "confidence": 0.9, "punctuated_word": word})
    return words


def counted(seconds: float) -> str:
    """What it hears in so much sound."""
    return " ".join(word["word"] for word in words_between(0.0, seconds))
