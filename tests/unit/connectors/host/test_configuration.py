"""What is said about settings that cannot be used: which, why, what to do; never the value."""

import pytest
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.configuration import NotConfigured, read


class Place(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RTMS_PLACE_")

    rooms: int = Field(default=3, ge=1, description="to let")
    url: str = Field(default="", description="on the web")

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        if url and not url.startswith("http"):
            raise ValueError("must begin with http")
        return url


class Door(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RTMS_DOOR_")

    key: SecretStr = Field(description="opens it")
    bolt: str = Field(default="", validation_alias="BOLT", description="holds it")

    @model_validator(mode="after")
    def _together(self) -> "Door":
        if self.bolt == "left":
            raise ValueError("BOLT is not set to right, where the key is: turn one of them")
        return self


def refusal(*classes: type[BaseSettings]) -> str:
    with pytest.raises(NotConfigured) as error:
        read(classes)
    return str(error.value)


def test_what_can_be_used_is_there_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTMS_PLACE_ROOMS", "7")
    configured = read([Place])
    assert configured.of(Place).rooms == 7
    with pytest.raises(KeyError):
        configured.of(Door)


def test_everything_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTMS_PLACE_ROOMS", "none-of-your-business")
    monkeypatch.setenv("RTMS_PLACE_URL", "none-of-your-business")
    assert refusal(Place, Door) == (
        "RTMS_PLACE_ROOMS must be a whole number ≥ 1: correct it, or leave it out for the default, 3; "
        "RTMS_PLACE_URL must begin with http: correct it; "
        "RTMS_DOOR_KEY is not set: opens it"
    )


def test_a_limit_is_named_and_not_what_was_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTMS_PLACE_ROOMS", "-12345")
    assert refusal(Place).startswith("RTMS_PLACE_ROOMS must be a whole number ≥ 1")
    assert "12345" not in refusal(Place)


def test_what_does_not_go_together_is_said_in_the_words_of_whoever_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTMS_DOOR_KEY", "hush")
    monkeypatch.setenv("BOLT", "left")
    assert refusal(Door) == "BOLT is not set to right, where the key is: turn one of them"
