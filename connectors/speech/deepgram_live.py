"""The WebSocket `/v1/listen` of Deepgram: it hears an utterance while it is spoken. Pure.

It ends utterances by ways of its own unless it is told not to (`endpointing=false`): ours are ended by the sound alone.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from connectors.speech.deepgram import DEFAULT_LANGUAGE, Alternative, language_of, model_of, query_of, server_of
from connectors.speech.dictation import Counted, Opening, Said
from connectors.speech.exchange import Failure, NoAnswer, answered
from schemas.transcription_codes import Reason

_CLOSE_STREAM = '{"type":"CloseStream"}'
"""All that it has heard is told, then how much that was; then it closes. What follows a `Finalize` has no such end."""

_AS_IT_COMES = (("encoding", "linear16"), ("channels", "1"), ("interim_results", "true"), ("endpointing", "false"))


_Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class _Channel(msgspec.Struct):
    alternatives: list[Alternative]


class _Kind(msgspec.Struct):
    type: str


class _Results(msgspec.Struct):
    channel: _Channel
    start: _Seconds
    duration: _Seconds
    is_final: bool = False


class _Metadata(msgspec.Struct):
    duration: _Seconds


_kind = msgspec.json.Decoder(_Kind)
_results = msgspec.json.Decoder(_Results)
_metadata = msgspec.json.Decoder(_Metadata)


class DeepgramLive:
    """`base_url` is that of `Deepgram`; see there."""

    farewell = _CLOSE_STREAM

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base_url, self._api_key = base_url.rstrip("/"), api_key

    @property
    def is_usable(self) -> bool:
        return bool(self._api_key)

    def keyed(self, api_key: str) -> "DeepgramLive":
        return DeepgramLive(self._base_url, api_key)

    def opening(self, sample_rate_hz: int, options: Mapping[str, object]) -> Opening | Failure:
        if not self.is_usable:
            return Failure(Reason.CREDENTIALS_NOT_FOUND, is_final=True)
        if not (self._api_key.isascii() and self._api_key.isprintable()):  # no header can hold it
            return Failure(Reason.CREDENTIALS_INVALID, is_final=True)
        asked = language_of(options)
        query = [*query_of(options), ("language", asked), *_AS_IT_COMES, ("sample_rate", str(sample_rate_hz))]
        scheme, _, rest = server_of(self._base_url, options).partition("://")
        url = f"{'ws' if scheme == 'http' else 'wss'}://{rest}/v1/listen?{urlencode(query)}"
        language = None if asked == DEFAULT_LANGUAGE else asked
        return Opening(url, {"Authorization": f"Token {self._api_key}"}, language, model_of(options))

    def told(self, message: str | bytes) -> Said | Counted | None:
        if isinstance(message, bytes):
            raise NoAnswer("no text")
        body = message.encode()
        match answered(_kind, body).type:
            case "Results":
                return _said(answered(_results, body))
            case "Metadata":
                return Counted(answered(_metadata, body).duration)
            case "Error":
                raise NoAnswer("an error")
        return None


def _said(results: _Results) -> Said:
    if not results.channel.alternatives:
        raise NoAnswer("no transcription")
    found = results.channel.alternatives[0].as_heard(None, None)
    return Said(found.text, found.words, results.start, results.start + results.duration, results.is_final)
