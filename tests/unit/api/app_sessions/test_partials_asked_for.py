"""Who may ask for what is being said while it is, and of whom."""

from typing import Any

import pytest

from api.app_sessions.transcription_settings import transcription
from api.shapes import Invalid
from schemas.settings import Engine, SessionSettings


def settings_of(**sections: Any) -> SessionSettings:
    engines, language, options = transcription(sections)
    return SessionSettings(engines=engines, language=language, engine_options=options)


@pytest.mark.parametrize("engine", ["moonshine", "deepgram"])
@pytest.mark.parametrize("asked", [True, False])
def test_partials_are_made_for_those_who_ask(engine: str, asked: bool) -> None:
    assert settings_of(**{engine: {"partials": asked}}, meeting_closed_captions={}).partials is asked
    assert settings_of(**{engine: {}}).partials is False


def test_partials_are_of_whoever_is_asked_first() -> None:
    asked = settings_of(deepgram={"partials": True, "language": "de"}, moonshine={})
    assert (asked.partials, asked.recognisers) == (True, (Engine.DEEPGRAM, Engine.MOONSHINE))
    assert asked.engine_options == '{"deepgram":{"language":"de","partials":true}}'


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"moonshine": {"partials": "yes"}}, "'yes' is not of type 'boolean'"),
        ({"deepgram": {"partials": 1}}, "1 is not of type 'boolean'"),
        ({"openai": {"model": "x", "partials": True}}, "('partials' was unexpected)"),
        ({"moonshine": {"partials": True}, "openai": {"model": "x"}}, "openai is asked before it. Name one of"),
        ({"moonshine": {"partials": True}, "deepgram": {"partials": True}}, "deepgram is asked before it. Name one of"),
        (
            {"deepgram": {"partials": True, "detect_language": True}},
            "Deepgram cannot detect the language while somebody speaks. Leave out detect_language",
        ),
    ],
)
def test_who_cannot_have_any_is_told_why(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        settings_of(**sections)
    assert message in str(refused.value)
