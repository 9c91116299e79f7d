"""Speech services as their public references describe them, strict where a lenient one would flatter us: OpenAI's
`POST /v1/audio/transcriptions`, Deepgram's `/v1/listen` (POST, and live: `deepgram_live`), and a `custom_async`
transcriber.

What is heard is the caller's to say (`hear`); what goes wrong, too (`plan`: replies that are given first).
"""

from __future__ import annotations

import email
import email.policy
import io
import json
import threading
import wave
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av

from deploy.local.ports import free_ports
from tests.support.deepgram_live import LiveDeepgram
from tests.support.processes import ANSWER_S
from tests.support.serving import serving

KEY = "sk-test"
JSON = "application/json"
DEEPGRAM_PATH = "/v1/listen"


@dataclass
class Asked:
    """One request: whom, with what; `fields` are the form's or the query's, `seconds` of sound."""

    path: str
    headers: dict[str, str]
    fields: dict[str, list[str]]
    file: bytes
    seconds: float
    pcm: bytes


@dataclass
class Reply:
    """An answer out of turn. `drop`: the connection ends without one. `held`: it comes when that is set."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    held: threading.Event | None = None


def _length(asked: Asked) -> str:
    return f"heard {asked.seconds:.2f} seconds"


@dataclass
class SpeechServer:
    """`is_down`: every connection ends without an answer. `forgets`: nothing is kept of who asked what."""

    hear: Callable[[Asked], str] = _length
    port: int = 0
    plan: deque[Reply] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    is_down: bool = False
    forgets: bool = False
    busy: int = 0
    busiest: int = 0
    live: LiveDeepgram = field(default_factory=lambda: LiveDeepgram(KEY))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.live.forgets = self.forgets

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            if not self.forgets:
                self.asked.append(asked)
            if self.plan:
                return self.plan.popleft()
        path = urlsplit(asked.path).path
        if path == "/v1/audio/transcriptions":
            return _openai(self, asked)
        if path == DEEPGRAM_PATH:
            return _deepgram(self, asked)
        if path == "/transcribe":
            return _custom(self, asked)
        return Reply(404, b'{"error": "no such path"}')


def words_of(text: str, seconds: float) -> list[dict[str, Any]]:
    """The words, each as long as the others."""
    found = text.split()
    step = seconds / max(1, len(found))
    return [{"word": w, "start": round(n * step, 3), "end": round((n + 1) * step, 3)} for n, w in enumerate(found)]


def _json(document: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode())


def _refused(message: str, status: int = 400) -> Reply:
    return _json({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}, status)


def _openai(server: SpeechServer, asked: Asked) -> Reply:
    if asked.headers.get("authorization") != f"Bearer {KEY}":
        return _refused("Incorrect API key provided", 401)
    given = {name: values[0] for name, values in asked.fields.items()}
    model, form = given.get("model"), given.get("response_format", "json")
    if not model or not asked.file:
        return _refused("file and model are required")
    if model.startswith("gpt-") and form not in ("json", "diarized_json", "text"):
        return _refused(f"response_format '{form}' is not compatible with model '{model}'")
    text = server.hear(asked)
    if form != "verbose_json":
        return _json({"text": text})
    document = {"task": "transcribe", "language": "english", "duration": asked.seconds, "text": text, "segments": []}
    if asked.fields.get("timestamp_granularities[]") == ["word"]:
        document["words"] = words_of(text, asked.seconds)
    return _json(document)


def _deepgram(server: SpeechServer, asked: Asked) -> Reply:
    if asked.headers.get("authorization") != f"Token {KEY}":
        return _json({"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}, 401)
    if not asked.headers.get("content-type", "").startswith("audio/"):
        return _json({"err_code": "Bad Request", "err_msg": "no audio"}, 400)
    text = server.hear(asked)
    words = [one | {"confidence": 0.9, "punctuated_word": one["word"]} for one in words_of(text, asked.seconds)]
    channel: dict[str, Any] = {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]}
    if "detect_language" in asked.fields:
        channel["detected_language"] = "en"
    return _json({"metadata": {"duration": asked.seconds, "channels": 1}, "results": {"channels": [channel]}})


def _custom(server: SpeechServer, asked: Asked) -> Reply:
    text = server.hear(asked)
    said = {"full_transcript": text, "utterances": [{"words": words_of(text, asked.seconds)}]}
    return _json({"status": "done", "result": {"transcription": said}})


@contextmanager
def speech_server(server: SpeechServer | None = None) -> Iterator[SpeechServer]:
    """A service that listens: on any port, or on the one it had before, which nobody of ours was given meanwhile."""
    server = server or SpeechServer()

    class Handler(_Handler):
        speech = server

    with serving(Handler, server.port or free_ports(1)[0]) as server.port:
        yield server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    speech: SpeechServer

    def do_POST(self) -> None:
        length, speech = int(self.headers["Content-Length"]), self.speech
        body = self.rfile.read(length)
        if speech.is_down or len(body) < length:  # who asks may be killed in the middle of it
            self.close_connection = True
            return
        with speech.lock:
            speech.busy += 1
            speech.busiest = max(speech.busiest, speech.busy)
        try:
            reply = speech.answer(_asked(self.path, dict(self.headers), body))
            if reply.held is not None:
                reply.held.wait(ANSWER_S)
        finally:
            with speech.lock:
                speech.busy -= 1
        with suppress(ConnectionError):
            self._give(reply)

    def do_GET(self) -> None:
        if urlsplit(self.path).path != DEEPGRAM_PATH or self.speech.is_down:
            self.close_connection = True
            return
        self.speech.live.converse(self)

    def _give(self, reply: Reply) -> None:
        if reply.drop:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in ({"Content-Type": JSON, "Content-Length": str(len(reply.body))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        return


def _asked(path: str, headers: dict[str, str], body: bytes) -> Asked:
    headers = {name.lower(): value for name, value in headers.items()}
    kind = headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return _heard(path, headers, parse_qs(urlsplit(path).query), body)
    whole = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=email.policy.HTTP)
    fields: dict[str, list[str]] = {}
    file = b""
    for part in whole.iter_parts():  # type: ignore[attr-defined]  # a message with parts has them
        content = part.get_payload(decode=True)
        if part.get_filename():
            file = content
        else:
            name = part.get_param("name", header="content-disposition")
            fields.setdefault(str(name), []).append(content.decode())
    return _heard(path, headers, fields, file)


def _heard(path: str, headers: dict[str, str], fields: dict[str, list[str]], file: bytes) -> Asked:
    """With the sound in the file, which must be what it says."""
    if file.startswith(b"RIFF"):
        with wave.open(io.BytesIO(file)) as sound:
            assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16_000)
            pcm = sound.readframes(sound.getnframes())
        return Asked(path, headers, fields, file, len(pcm) / 32_000, pcm)
    with av.open(io.BytesIO(file), format="mp3") as sound:
        samples = sum(frame.samples for frame in sound.decode(audio=0))
    return Asked(path, headers, fields, file, samples / 16_000, b"")
