"""`POST /v1/listen` of Deepgram for sound that is complete. Pure."""

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from connectors.speech.exchange import Failure, FileType, Heard, NoAnswer, Request, Word, answered, heard, text_option
from schemas.transcription_codes import Reason

PUBLIC_URL = "https://api.deepgram.com"
EU_URL = "https://api.eu.deepgram.com"
DEFAULT_LANGUAGE = "multi"

_LISTS = {"keyterms": "keyterm", "keywords": "keywords", "redact": "redact", "replace": "replace"}
_ONLY_OLDER = ("zh", "th")
"""Languages that the newest model does not know."""


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float
    punctuated_word: str | None = None


class Alternative(msgspec.Struct):
    """What may have been said, as both ways of asking tell it."""

    transcript: str
    words: list[_Word] = []

    def as_heard(self, language: str | None, model: str | None) -> Heard:
        """The same as every service's answer."""
        words = [Word(word.punctuated_word or word.word, word.start, word.end) for word in self.words]
        return heard(self.transcript, words, language, model)


class _Channel(msgspec.Struct):
    alternatives: list[Alternative]
    detected_language: str | None = None


class _Results(msgspec.Struct):
    channels: list[_Channel]


class _Answer(msgspec.Struct):
    results: _Results


_decoder = msgspec.json.Decoder(_Answer)


class Deepgram:
    """`base_url` without a path; the session's `use_eu_server` counts where it is Deepgram's public one."""

    file_type = FileType.WAV

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url, self._api_key = base_url.rstrip("/"), api_key

    @property
    def is_usable(self) -> bool:
        return bool(self._api_key)

    def keyed(self, api_key: str) -> "Deepgram":
        return Deepgram(self._base_url, api_key)

    def request(self, sound: bytes, options: Mapping[str, object]) -> Request | Failure:
        if not self.is_usable:
            return Failure(Reason.CREDENTIALS_NOT_FOUND, is_final=True)
        asked = language_of(options)
        language = ("detect_language", "true") if options.get("detect_language") is True else ("language", asked)
        url = f"{server_of(self._base_url, options)}/v1/listen?{urlencode([*query_of(options), language])}"
        return Request(url, sound, "audio/wav", {"Authorization": f"Token {self._api_key}"})

    def heard(self, body: bytes, options: Mapping[str, object]) -> Heard:
        results = answered(_decoder, body).results
        try:
            channel = results.channels[0]
            said = channel.alternatives[0]
        except IndexError as error:
            raise NoAnswer(f"no transcription ({type(error).__name__})") from None
        asked = None if options.get("detect_language") is True else language_of(options)
        language = channel.detected_language or (None if asked == DEFAULT_LANGUAGE else asked)
        return said.as_heard(language, model_of(options))


def server_of(base_url: str, options: Mapping[str, object]) -> str:
    """Where to ask: `base_url`, or Deepgram's European server where the session wants that and there is a choice."""
    return EU_URL if options.get("use_eu_server") is True and base_url == PUBLIC_URL else base_url


def language_of(options: Mapping[str, object]) -> str:
    """The language that is asked for."""
    return text_option(options, "language") or DEFAULT_LANGUAGE


def model_of(options: Mapping[str, object]) -> str:
    """The model that is asked for: the newest that knows the language, where the session does not say."""
    newest = "nova-2" if language_of(options).split("-")[0].lower() in _ONLY_OLDER else "nova-3"
    return text_option(options, "model") or newest


def query_of(options: Mapping[str, object]) -> list[tuple[str, str]]:
    """What is asked for beside the language, for sound that is complete and for sound that is not."""
    query = [("model", model_of(options)), ("smart_format", "true")]
    for name, parameter in _LISTS.items():
        values = options.get(name)
        if isinstance(values, list):
            query += [(parameter, value) for value in values if isinstance(value, str)]
    return query
