"""Keeps what goes over a stream's sockets in a file, for whoever wants to turn a real meeting into a test. Opt-in.

One JSON document a line. The first says what the file is, the others are one message each:

    {"rtms_capture": 1, "pseudonymised": true}
    {"at_ms": 1700000000123, "socket": 1, "from": "client", "text": "{\"msg_type\":1,…}"}
    {"at_ms": 1700000000150, "socket": 1, "from": "zoom", "binary": true, "text": "{\"msg_type\":2,…}"}

`at_ms` is Unix time here, `binary` says that it came in binary frames. A message that is no text is under `base64`.
Signatures, passphrases and the addresses in message 2 are taken out; with `pseudonymise`, names are replaced, the same
by the same as long as the worker lives. What was said and shown stays: such a file is as confidential as the meeting,
and only its owner may read it.

A line is written at once and whole: of a worker that is killed everything is there, and two workers of one machine, of
which one takes the stream over from the other, may write to one file.
"""

import base64
import contextlib
import errno
import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import MessageType
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.transport.sockets import Listener, Socket, Transport
from schemas.excerpts import Excerpt

log = get_logger(__name__)

VERSION = 1
ENDING = ".rtms.jsonl"

_SECRETS = frozenset({"signature", "srt_passphrase"})
_SUSPICIOUS = tuple(f'"{name}"'.encode() for name in (*_SECRETS, "server_urls"))
_REMOVED = "removed"
_NAMES = frozenset({"user_name", "display_name", "phone_number", "session_key"})
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")

Alias = Callable[[str], str]
"""What stands for a name."""


class CapturingTransport:
    """Opens sockets with `inner` and keeps what they carry in `folder`, one file a stream."""

    def __init__(self, inner: Transport, folder: Path, clock: Clock, *, pseudonymise: bool) -> None:
        self._inner = inner
        self._folder = folder
        self._clock = clock
        self._alias = _alias_with(secrets.token_bytes(16)) if pseudonymise else None
        self._open: dict[str, _File] = {}

    async def connect(self, url: str, listener: Listener) -> Socket:
        """See `Transport`."""
        ear = _Ear(listener)
        socket = await self._inner.connect(url, ear)
        return _Tapped(socket, ear, self._file)

    def _file(self, stream_id: str) -> "_File | None":
        """The stream's file; None where there can be none, which must not cost the stream."""
        self._open = {key: file for key, file in self._open.items() if not file.is_closed}
        if stream_id not in self._open:
            try:
                self._open[stream_id] = _File(self._folder, stream_id, self._clock, self._alias)
            except OSError as error:
                log.error("cannot capture: see RTMS_ZOOM_CAPTURE_FOLDER", stream_id=stream_id, errno=error.errno)
        return self._open.get(stream_id)


class _File:
    """One stream's file; closed when its last socket is. Another one opens it again, and writes behind the rest."""

    def __init__(self, folder: Path, stream_id: str, clock: Clock, alias: Alias | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (_UNSAFE.sub("_", stream_id)[:100] + ENDING)
        self._clock = clock
        self._alias = alias
        self._file = io.FileIO(path, "a+", opener=_for_its_owner)
        self._sockets = 0
        self._standing = 0
        if self._file.tell() == 0:
            self._write({"rtms_capture": VERSION, "pseudonymised": alias is not None})
            log.warning("keeping everything that a stream carries", stream_id=stream_id)
        elif not self._ends_with_a_line():  # the disk was full, or the machine died
            self._file.write(b"\n")

    @property
    def is_closed(self) -> bool:
        return self._file.closed

    def join(self) -> int:
        """One more socket; its number."""
        self._sockets += 1
        self._standing += 1
        return self._sockets

    def leave(self) -> None:
        """A socket is gone."""
        self._standing -= 1
        if self._standing == 0:
            with contextlib.suppress(OSError):
                self._file.close()

    def keep(self, socket: int, sender: str, data: bytes, *, is_binary: bool = False) -> None:
        """One message; the stream matters more than its capture, which ends when the disk is full."""
        if self._file.closed:
            return
        line: dict[str, Any] = {"at_ms": self._clock.now_us() // 1000, "socket": socket, "from": sender}
        if is_binary:
            line["binary"] = True
        cleaned = without_secrets(data, self._alias)
        try:
            line["text"] = cleaned.decode()
        except UnicodeDecodeError:
            line["base64"] = base64.b64encode(cleaned).decode()
        try:
            self._write(line)
        except OSError as error:
            log.warning("capture ended early", errno=error.errno)
            with contextlib.suppress(OSError):
                self._file.close()

    def _ends_with_a_line(self) -> bool:
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1) == b"\n"

    def _write(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Ear:
    """Listens for somebody else and keeps what it hears, once it is known which stream it belongs to."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.keep: Callable[[bytes], None] | None = None
        self.left: Callable[[], None] | None = None

    def on_message(self, data: bytes) -> None:
        if self.keep is not None:
            self.keep(data)
        self._listener.on_message(data)

    def on_oversized(self, excerpt: Excerpt) -> None:
        self._listener.on_oversized(excerpt)

    def on_part(self) -> None:
        self._listener.on_part()

    def on_pong(self) -> None:
        self._listener.on_pong()

    def on_closed(self, close_code: int | None) -> None:
        self.leave()
        self._listener.on_closed(close_code)

    def leave(self) -> None:
        """Keep no more."""
        left, self.keep, self.left = self.left, None, None
        if left is not None:
            left()


class _Tapped:
    """A socket whose first message says which stream it belongs to: both handshakes name it."""

    def __init__(self, socket: Socket, ear: _Ear, file_of: Callable[[str], _File | None]) -> None:
        self._socket = socket
        self._ear = ear
        self._file_of = file_of
        self._keep: Callable[..., None] | None = None

    @property
    def is_binary(self) -> bool:
        return self._socket.is_binary

    def send(self, message: bytes) -> None:
        if self._keep is None and (stream_id := _stream_of(message)) is not None:
            if (file := self._file_of(stream_id)) is not None:
                self._keep = partial(file.keep, file.join())
                self._ear.keep, self._ear.left = self._heard, file.leave
        if self._keep is not None and self._ear.keep is not None:
            self._keep("client", message)
        self._socket.send(message)

    def _heard(self, message: bytes) -> None:
        assert self._keep is not None
        self._keep("zoom", message, is_binary=self._socket.is_binary)

    def ping(self) -> None:
        self._socket.ping()

    def close(self) -> None:
        self._socket.close()

    def abort(self) -> None:
        self._ear.leave()
        self._socket.abort()


def _stream_of(message: bytes) -> str | None:
    """The stream that a handshake names; None for any other message."""
    try:
        decoded = messages.decode(message)
    except Unusable:
        return None
    number = messages.message_type(decoded)
    if number not in (MessageType.SIGNALING_HAND_SHAKE_REQ, MessageType.DATA_HAND_SHAKE_REQ):
        return None
    stream_id = decoded.get("rtms_stream_id")
    return stream_id if isinstance(stream_id, str) else None


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _alias_with(salt: bytes) -> Alias:
    """Aliases that follow from the names, so that nothing has to be remembered; without the salt nobody can guess."""
    return lambda name: f"Participant {hashlib.blake2b(name.encode(), digest_size=3, key=salt).hexdigest()}"


def without_secrets(message: bytes, alias: Alias | None) -> bytes:
    """The message as it may be kept; unchanged, byte for byte, where there is nothing to take out.

    `alias` None leaves names.
    """
    suspicious = any(mark in message for mark in _SUSPICIOUS)
    if not suspicious and (alias is None or not any(name.encode() in message for name in _NAMES)):
        return message
    try:
        decoded = messages.decode(message)
        return msgspec.json.encode(_cleaned(decoded, alias))
    except (Unusable, RecursionError):
        return b""


def _cleaned(value: Any, alias: Alias | None) -> Any:
    if isinstance(value, list):
        return [_cleaned(item, alias) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _clean_field(key, item, alias) for key, item in value.items()}


def _clean_field(key: str, value: Any, alias: Alias | None) -> Any:
    if key in _SECRETS:
        return _REMOVED
    if key == "server_urls":
        return {medium: _REMOVED for medium in value} if isinstance(value, dict) else _REMOVED
    if alias is not None and key in _NAMES and isinstance(value, str):
        return alias(value)
    if key == "data" and isinstance(value, str) and value.startswith("{"):  # chat may be a document in a text
        with contextlib.suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.encode(_cleaned(msgspec.json.decode(value), alias)).decode()
    return _cleaned(value, alias)
