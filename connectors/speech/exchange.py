"""What is asked of a speech service over HTTP, and what its answer amounts to, whoever it is. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from connectors.speech import languages
from schemas.transcription_codes import Reason

_Answer = TypeVar("_Answer")

MAX_CHARACTERS = 20_000
"""An utterance is seconds long: what is longer was not said in it."""

MAX_WORDS = 4_000
MAX_RETRY_AFTER_S = 60.0
"""A pause is everybody's, so one answer must not be able to silence a service for long."""

MAX_MODEL_CHARACTERS = 200

_OK = 200
_TOO_LARGE = 413
_TOO_MANY = 429
_REFUSED = (401, 403)
_AGAIN = (408, 409, 425, _TOO_MANY)
_SERVER_ERRORS = range(500, 600)


class FileType(StrEnum):
    """What a service takes the sound as."""

    WAV = "wav"
    MP3 = "mp3"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST: `content` as the file `field_name` of a form with `fields`, or as the body where that is empty."""

    url: str
    content: bytes = field(repr=False)
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    field_name: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """Times in seconds from the sound's beginning."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """`language` is a tag where the service says one, `model` the one that heard it."""

    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """No words. `is_final`: another attempt would find the same. `retry_after_s` is the service's wish."""

    reason: Reason
    is_final: bool
    retry_after_s: float = 0.0


class NoAnswer(ValueError):
    """The answer says nothing that can be used; the message holds nothing of it."""


class Service(Protocol):
    """One vendor's way to say these things."""

    @property
    def file_type(self) -> FileType: ...

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked at all: whether there is a key, where one is needed."""

    def keyed(self, api_key: str) -> "Service":
        """The same service, asked with another key."""

    def request(self, sound: bytes, options: Mapping[str, object]) -> Request | Failure:
        """How to ask what is said in `sound`; a Failure where that is known without asking."""

    def heard(self, body: bytes, options: Mapping[str, object]) -> Heard:
        """What the body of a good answer says. Raises NoAnswer."""


def failure(status: int, headers: Mapping[str, str]) -> Failure | None:
    """What an answer without words means, None where it is a good one. Redirects are not followed: they fail."""
    if status == _OK:
        return None
    if status in _REFUSED:
        return Failure(Reason.CREDENTIALS_INVALID, is_final=True)
    if status == _TOO_LARGE:
        return Failure(Reason.AUDIO_UPLOAD_FAILED, is_final=True)
    reason = Reason.RATE_LIMIT_EXCEEDED if status == _TOO_MANY else Reason.TRANSCRIPTION_REQUEST_FAILED
    is_passing = status in _AGAIN or status in _SERVER_ERRORS
    again_s = wait_s(headers.get("Retry-After"), headers.get("Date")) if is_passing else 0.0
    return Failure(reason, not is_passing, again_s)


def wait_s(retry_after: str | None, date: str | None) -> float:
    """The wait that a `Retry-After` header asks for, 0 for nonsense: then our own pauses do.

    It may be a date (RFC 9110, 10.2.3), which is by the service's clock, so it counts from the answer's own `Date`.
    """
    try:
        wished = float(retry_after or 0)
    except ValueError:
        wished = _between(date, retry_after)
    return min(max(wished, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(wished) else 0.0


def _between(begin: str | None, end: str | None) -> float:
    try:
        return (parsedate_to_datetime(end or "") - parsedate_to_datetime(begin or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, one with and one without a time zone, one of no calendar
        return 0.0


def answered(decoder: msgspec.json.Decoder[_Answer], body: bytes) -> _Answer:
    """The answer in `body`. Raises NoAnswer."""
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:
        raise NoAnswer(f"no transcription ({type(error).__name__})") from None


def heard(text: str, words: Iterable[Word], language: str | None, model: str | None) -> Heard:
    """An answer within what an utterance can be. Words with impossible times are left out. Raises NoAnswer."""
    found = tuple(word for word in words if _is_sane(word))
    if len(text) > MAX_CHARACTERS or len(found) > MAX_WORDS or sum(len(word.text) for word in found) > MAX_CHARACTERS:
        raise NoAnswer("more words than an utterance can have")
    is_name = model is not None and len(model) <= MAX_MODEL_CHARACTERS
    return Heard(text.strip(), found, languages.tag(language), model if is_name else None)


def _is_sane(word: Word) -> bool:
    return bool(word.text.strip()) and 0 <= word.start_s <= word.end_s < math.inf


def text_option(options: Mapping[str, object], name: str) -> str | None:
    """An option that is to be a text; None where it is missing or something else."""
    value = options.get(name)
    return value if isinstance(value, str) and value else None
