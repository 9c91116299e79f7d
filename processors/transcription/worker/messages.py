"""What the processor and a recogniser process say to each other over the process's stdin and stdout.

A message is its length (4 bytes, big endian) and its MessagePack. Each request has exactly one answer, in order.
"""

from typing import BinaryIO

import msgspec

LENGTH_BYTES = 4


class Request(msgspec.Struct, frozen=True):
    """Recognise this mono 16-bit PCM within `limit_s`."""

    pcm: bytes
    sample_rate_hz: int
    limit_s: int


class Text(msgspec.Struct, frozen=True, tag=True):
    """Per segment: text, start and end in ms."""

    segments: tuple[tuple[str, int, int], ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The recogniser does not take this audio, now or later."""

    reason: str


class Broken(msgspec.Struct, frozen=True, tag=True):
    """The attempt died or took too long; another may succeed."""

    reason: str


class Missing(msgspec.Struct, frozen=True, tag=True):
    """There is no recogniser in this installation."""

    reason: str


Answer = Text | Refused | Broken | Missing

_request = msgspec.msgpack.Decoder(Request)
_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def packed(message: Request | Answer) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def request(body: bytes) -> Request:
    return _request.decode(body)


def answer(body: bytes) -> Answer:
    return _answer.decode(body)


def read(stream: BinaryIO) -> bytes | None:
    """The next message's body; None when the other side is gone."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    body = stream.read(length)
    return body if len(body) == length else None
