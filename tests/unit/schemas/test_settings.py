"""Settings as they were written by this release, by a newer one, and by nobody."""

import json
from typing import Any

import pytest

from schemas import settings
from schemas.settings import Engine, PictureCodec, RecordingFormat, SessionSettings

OURS = SessionSettings(engines=(Engine.OPENAI, Engine.ZOOM), recording_format=RecordingFormat.NONE, language="de")


def changed(**values: Any) -> str:
    return json.dumps(json.loads(settings.dumps(OURS)) | values)


def test_what_was_written_is_read() -> None:
    assert settings.loads(settings.dumps(OURS)) == settings.readable(settings.dumps(OURS)) == OURS
    assert settings.loads("{}") == SessionSettings()


@pytest.mark.parametrize("read", [settings.loads, settings.readable])
def test_engines_and_keys_of_a_newer_release_are_passed_over(read: Any) -> None:
    assert read(changed(engines=["one-of-tomorrow", "openai", "zoom"], tomorrow=1)) == OURS
    assert read(changed(engines=["one-of-tomorrow"])).engines == (Engine.ZOOM,)
    assert read(changed(engines=["one-of-tomorrow"])).recording_format is RecordingFormat.NONE


def test_a_value_that_is_none_of_its_fields_changes_no_other() -> None:
    text = changed(video_codec="av1", grid_ms="often", split_sockets=None)
    with pytest.raises(ValueError, match="at `[$]"):
        settings.loads(text)
    assert settings.readable(text) == OURS
    assert settings.readable(changed(video_codec="jpg", audio_codec=7)).video_codec is PictureCodec.JPG


DEEP = "[" * 100_000
NO_DOCUMENTS = ["", "{", "[]", "7", "null", '"engines"', '{"engines": 7}', '{"engines": [[]]}', DEEP, '{"x": ' + DEEP]


@pytest.mark.parametrize("text", NO_DOCUMENTS, ids=[text[:18] for text in NO_DOCUMENTS])
def test_what_is_no_document_at_all_stands_for_the_defaults(text: str) -> None:
    assert settings.readable(text) == SessionSettings()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [('{"moonshine":{"partials":true}}', True), ('{"moonshine":{"partials":1}}', False), ('{"moonshine":[]}', False),
     ('{"deepgram":{"partials":true}}', False), ("{}", False), ("[]", False), ("", False), (DEEP, False)],
)  # fmt: skip
def test_partials_are_asked_for_in_so_many_words(options: str, wanted: bool) -> None:
    assert SessionSettings(engines=(Engine.MOONSHINE, Engine.ZOOM), engine_options=options).partials is wanted


@pytest.mark.parametrize(
    ("engines", "wanted"),
    [((Engine.MOONSHINE,), True), ((Engine.DEEPGRAM, Engine.MOONSHINE), True),
     ((Engine.OPENAI, Engine.MOONSHINE), False), ((Engine.ZOOM,), False), ((), False)],
)  # fmt: skip
def test_partials_are_of_whoever_is_asked_first(engines: tuple[Engine, ...], wanted: bool) -> None:
    options = json.dumps({engine: {"partials": True} for engine in Engine})
    assert SessionSettings(engines=engines, engine_options=options).partials is wanted


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (SessionSettings(), None),
        (SessionSettings(identify_language=False, caption_language="pt"), "pt"),
        (SessionSettings(engines=(Engine.MOONSHINE, Engine.ZOOM)), "en"),
        (SessionSettings(engines=(Engine.DEEPGRAM,), engine_options='{"deepgram": {"language": "de-CH"}}'), "de-CH"),
        (SessionSettings(engines=(Engine.DEEPGRAM,), engine_options='{"deepgram": {"language": "multi"}}'), None),
        (SessionSettings(engines=(Engine.OPENAI,), engine_options='{"openai": {"language": "en\\"\\n"}}'), None),
        (SessionSettings(engines=(Engine.CUSTOM_ASYNC,)), None),
    ],
)
def test_the_language_is_told_where_the_session_names_one(wanted: SessionSettings, language: str | None) -> None:
    assert wanted.spoken_language == language
