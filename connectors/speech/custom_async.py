"""A transcriber of the operator's own, as the App Session API asks one: an MP3 and a form, answered when done. Pure.

The answer is `{"status": "done", "result": {"transcription": {"full_transcript": …, "utterances": [{"words": […]}]}}}`.
"""

import json
from collections.abc import Mapping

import msgspec

from connectors.speech.exchange import Failure, FileType, Heard, NoAnswer, Request, Word, answered, heard, text_option
from schemas.transcription_codes import Reason

DONE = "done"


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Utterance(msgspec.Struct):
    words: list[_Word] = []


class _Transcription(msgspec.Struct):
    full_transcript: str
    utterances: list[_Utterance] = []


class _Result(msgspec.Struct):
    transcription: _Transcription


class _Answer(msgspec.Struct):
    status: str
    result: _Result | None = None


_decoder = msgspec.json.Decoder(_Answer)


class CustomAsync:
    """`url` is the operator's; without one nobody can be asked."""

    file_type = FileType.MP3

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def is_usable(self) -> bool:
        return bool(self._url)

    def keyed(self, api_key: str) -> "CustomAsync":
        """It has no keys."""
        return self

    def request(self, sound: bytes, options: Mapping[str, object]) -> Request | Failure:
        if not self.is_usable:
            return Failure(Reason.CREDENTIALS_NOT_FOUND, is_final=True)
        fields = tuple((name, _text(value)) for name, value in options.items())
        return Request(self._url, sound, "audio/mpeg", field_name="audio", fields=fields)

    def heard(self, body: bytes, options: Mapping[str, object]) -> Heard:
        answer = answered(_decoder, body)
        if answer.status != DONE or answer.result is None:
            raise NoAnswer("not done")
        said = answer.result.transcription
        words = [Word(word.word.strip(), word.start, word.end) for one in said.utterances for word in one.words]
        return heard(said.full_transcript, words, text_option(options, "language"), text_option(options, "model"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
