"""What an operator reads about a setting."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.environment import Variable, listing, variable


class Sample(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RTMS_SAMPLE_")

    port: int = Field(default=80, ge=1, le=65535, description="to listen on")
    wait_s: float = Field(default=2.5, gt=0, description="between two tries")
    held_bytes: int | None = Field(default=None, description="at most")
    mode: Literal["fast", "safe"] = Field(default="safe", description="how")
    is_on: bool = Field(default=False, description="at all")
    key: SecretStr = Field(description="opens it")
    folder: Path = Field(default_factory=lambda: Path("/tmp/x"), description="for scratch")
    home: str = Field(default="", validation_alias="SAMPLE_HOME", description="elsewhere")


def test_kind_unit_limits_and_default() -> None:
    assert variable(Sample, "port") == Variable(
        "RTMS_SAMPLE_PORT", "a whole number ≥ 1 and ≤ 65535", "80", "to listen on", False
    )
    assert variable(Sample, "wait_s")[:3] == ("RTMS_SAMPLE_WAIT_S", "a number of seconds > 0", "2.5")
    assert variable(Sample, "held_bytes")[1:3] == ("a whole number of bytes", "")
    assert variable(Sample, "mode")[1:3] == ("fast or safe", "safe")
    assert variable(Sample, "is_on")[1:3] == ("true or false", "false")
    assert variable(Sample, "key")[1:] == ("a secret", "", "opens it", True)
    assert variable(Sample, "folder")[1:3] == ("a path", "/tmp/x")


def test_a_variable_may_have_a_name_that_others_know_it_by() -> None:
    assert variable(Sample, "home").name == "SAMPLE_HOME"


def test_the_listing_has_all_of_them() -> None:
    listed = listing([Sample])
    assert "  RTMS_SAMPLE_KEY: a secret; must be set\n      opens it" in listed
    assert "  SAMPLE_HOME: text; not set\n      elsewhere" in listed
    assert "  RTMS_SAMPLE_MODE: fast or safe; default safe\n      how" in listed
    assert listed.count("RTMS_SAMPLE_") == 7
