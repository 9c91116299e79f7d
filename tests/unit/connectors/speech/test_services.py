"""What each service is asked, and what of its answers is believed."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.speech.custom_async import CustomAsync
from connectors.speech.deepgram import Deepgram
from connectors.speech.exchange import Failure, Heard, NoAnswer, Request, Service, Word
from connectors.speech.openai import PUBLIC_URL, OpenAI
from schemas.transcription_codes import Reason

SOUND = b"RIFF"
OWN = OpenAI("http://whisper:8000/v1/", "")
DEEPGRAM = Deepgram("https://api.deepgram.com", "k")
CUSTOM = CustomAsync("https://own/transcribe")


def asked(service: Service, options: dict[str, object]) -> Request:
    request = service.request(SOUND, options)
    assert isinstance(request, Request)
    assert request.content == SOUND
    return request


@pytest.mark.parametrize("service", [OpenAI(PUBLIC_URL, ""), Deepgram("https://api.deepgram.com", ""), CustomAsync("")])
def test_who_has_no_credentials_says_so_without_asking(service: Service) -> None:
    assert service.request(SOUND, {}) == Failure(Reason.CREDENTIALS_NOT_FOUND, is_final=True)


def test_openai_is_asked_for_words_where_the_model_has_them() -> None:
    request = asked(OpenAI(PUBLIC_URL, "k"), {"model": "whisper-1", "language": "de", "prompt": "Åse"})
    assert request.url == "https://api.openai.com/v1/audio/transcriptions"
    assert request.headers == {"Authorization": "Bearer k"}
    assert (request.field_name, request.content_type) == ("file", "audio/wav")
    assert request.fields == (
        ("model", "whisper-1"), ("response_format", "verbose_json"), ("timestamp_granularities[]", "word"),
        ("language", "de"), ("prompt", "Åse"),
    )  # fmt: skip


def test_openais_newer_models_are_asked_in_their_own_way() -> None:
    assert asked(OpenAI(PUBLIC_URL, "k"), {"model": "gpt-4o-transcribe"}).fields == (
        ("model", "gpt-4o-transcribe"), ("response_format", "json"),
    )  # fmt: skip
    diarizing = dict(asked(OpenAI(PUBLIC_URL, "k"), {"model": "gpt-4o-transcribe-diarize"}).fields)
    assert diarizing["chunking_strategy"] == "auto"
    chunked = {"model": "gpt-4o-transcribe", "chunking_strategy": {"type": "server_vad", "threshold": 0.5}}
    fields = dict(asked(OpenAI(PUBLIC_URL, "k"), chunked).fields)
    assert json.loads(fields["chunking_strategy"]) == chunked["chunking_strategy"]


def test_a_server_that_knows_no_times_is_not_asked_for_them() -> None:
    fields = asked(OWN, {"model": "whisper-large-v3", "response_format": "json"}).fields
    assert fields == (("model", "whisper-large-v3"), ("response_format", "json"))


def test_a_server_of_ones_own_needs_no_key() -> None:
    request = asked(OWN, {"model": "x"})
    assert (request.url, request.headers) == ("http://whisper:8000/v1/audio/transcriptions", {})


def test_nothing_secret_is_shown() -> None:
    assert "k3y" not in repr(asked(OpenAI(PUBLIC_URL, "k3y"), {}))
    assert "RIFF" not in repr(asked(OWN, {}))


def test_what_openai_says() -> None:
    body = {"text": " Hello, you. ", "language": "english", "words": [{"word": "Hello", "start": 0, "end": 0.4}]}
    found = OWN.heard(json.dumps(body).encode(), {"model": "m"})
    assert found == Heard("Hello, you.", (Word("Hello", 0, 0.4),), "en", "m")
    assert OWN.heard(b'{"text": "x", "words": null}', {"language": "de"}) == Heard("x", (), "de", "whisper-1")


def test_deepgram_is_asked_in_the_sessions_words() -> None:
    options = {"keyterms": ["a b", "c"], "redact": ["pci"], "replace": ["x:y"], "language": "de", "use_eu_server": True}
    url = urlsplit(asked(DEEPGRAM, options).url)
    assert (url.netloc, url.path) == ("api.eu.deepgram.com", "/v1/listen")
    assert parse_qs(url.query) == {
        "model": ["nova-3"], "smart_format": ["true"], "language": ["de"], "keyterm": ["a b", "c"], "redact": ["pci"],
        "replace": ["x:y"],
    }  # fmt: skip
    own = Deepgram("http://deepgram:8080", "k")
    assert asked(own, {"use_eu_server": True}).url.startswith("http://deepgram:8080/v1/listen?")


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, {"model": ["nova-3"], "language": ["multi"]}), ({"language": "zh-TW"}, {"model": ["nova-2"]}),
     ({"detect_language": True}, {"detect_language": ["true"]}), ({"model": "base"}, {"model": ["base"]})],
)  # fmt: skip
def test_deepgrams_defaults(options: dict[str, object], expected: dict[str, list[str]]) -> None:
    query = parse_qs(urlsplit(asked(DEEPGRAM, options).url).query)
    assert expected.items() <= query.items()
    assert ("language" in query) is not ("detect_language" in query)


def test_what_deepgram_says() -> None:
    word = {"word": "hello", "punctuated_word": "Hello.", "start": 0.1, "end": 0.4, "confidence": 1}
    channel = {"alternatives": [{"transcript": "Hello.", "words": [word]}], "detected_language": "en"}
    body = json.dumps({"results": {"channels": [channel]}}).encode()
    assert DEEPGRAM.heard(body, {"detect_language": True}) == Heard(
        "Hello.", (Word("Hello.", 0.1, 0.4),), "en", "nova-3"
    )
    del channel["detected_language"]
    body = json.dumps({"results": {"channels": [channel]}}).encode()
    assert DEEPGRAM.heard(body, {}).language is None
    assert DEEPGRAM.heard(body, {"language": "de"}).language == "de"


def test_a_transcriber_of_ones_own_gets_the_sessions_settings_as_a_form() -> None:
    request = asked(CUSTOM, {"language": "de", "beam": 5, "more": {"a": [1]}})
    assert (request.url, request.field_name, request.content_type) == ("https://own/transcribe", "audio", "audio/mpeg")
    assert request.fields == (("language", "de"), ("beam", "5"), ("more", '{"a": [1]}'))


def test_what_a_transcriber_of_ones_own_says() -> None:
    said = {"full_transcript": "Hello.", "utterances": [{"words": [{"word": "Hello.", "start": 0, "end": 1}]}, {}]}
    body = {"status": "done", "result": {"transcription": said}}
    assert CUSTOM.heard(json.dumps(body).encode(), {}) == Heard("Hello.", (Word("Hello.", 0, 1),))


@pytest.mark.parametrize("service", [OWN, DEEPGRAM, CUSTOM], ids=["openai", "deepgram", "custom"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b'{"text": 3}', b"<html>oops</html>", b"\xff\xfe", b"[" * 100_000,
        b'{"text": "x", "words": [{"word": "y", "start": NaN, "end": 1}]}',
        b'{"text": "x", "words": [{"word": "y", "start": 0, "end": 1e999}]}',
        b'{"text": "\\ud800"}', b'{"text": "x", "words": {}}',
        b'{"results": {"channels": []}}', b'{"results": {"channels": [{"alternatives": []}]}}',
        b'{"status": "done"}', b'{"status": "processing", "result": {"transcription": {"full_transcript": "x"}}}',
    ],
    ids=range(16),
)  # fmt: skip
def test_nonsense_is_unusable_and_not_quoted(service: Service, body: bytes) -> None:
    with pytest.raises(NoAnswer) as caught:
        service.heard(body, {})
    assert "oops" not in str(caught.value)
