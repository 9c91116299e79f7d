"""`POST {base}/audio/transcriptions` as OpenAI describes it and many servers of speech models imitate it. Pure.

Models whose name begins with `gpt-` answer in plain `json`; all others (`whisper-1`, what servers of one's own have)
know `verbose_json`, which has the times of words. Of a server that does not, the session says so: its word counts.
"""

import json
from collections.abc import Mapping

import msgspec

from connectors.speech.exchange import Failure, FileType, Heard, Request, Word, answered, heard, text_option
from schemas.transcription_codes import Reason

PUBLIC_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "whisper-1"

_WITHOUT_WORDS = "gpt-"
_DIARIZING = "-diarize"


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    words: list[_Word] | None = None


_decoder = msgspec.json.Decoder(_Answer)


class OpenAI:
    """`base_url` includes the version (`…/v1`). A server of one's own may do without a key."""

    file_type = FileType.WAV

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url, self._api_key = base_url.rstrip("/"), api_key
        self._url = f"{self._base_url}/audio/transcriptions"
        self._needs_key = self._base_url == PUBLIC_URL

    @property
    def is_usable(self) -> bool:
        return bool(self._api_key) or not self._needs_key

    def keyed(self, api_key: str) -> "OpenAI":
        return OpenAI(self._base_url, api_key)

    def request(self, sound: bytes, options: Mapping[str, object]) -> Request | Failure:
        if not self.is_usable:
            return Failure(Reason.CREDENTIALS_NOT_FOUND, is_final=True)
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        return Request(self._url, sound, "audio/wav", headers, "file", _fields(options))

    def heard(self, body: bytes, options: Mapping[str, object]) -> Heard:
        answer = answered(_decoder, body)
        words = [Word(word.word.strip(), word.start, word.end) for word in answer.words or ()]
        language = text_option(options, "language") or answer.language
        return heard(answer.text, words, language, _model(options))


def _model(options: Mapping[str, object]) -> str:
    return text_option(options, "model") or DEFAULT_MODEL


def _fields(options: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    model, wanted = _model(options), text_option(options, "response_format")
    fields = [("model", model)]
    if wanted or model.startswith(_WITHOUT_WORDS):
        fields.append(("response_format", wanted or "json"))
    else:
        fields += [("response_format", "verbose_json"), ("timestamp_granularities[]", "word")]
    fields += [(name, value) for name in ("language", "prompt") if (value := text_option(options, name))]
    chunking = options.get("chunking_strategy", "auto" if model.endswith(_DIARIZING) else None)
    if chunking is not None:
        fields.append(("chunking_strategy", chunking if isinstance(chunking, str) else json.dumps(chunking)))
    return tuple(fields)
