"""Where the simulator keeps what is expensive to make twice."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_REPOSITORY = Path(__file__).resolve().parents[3]


def _default_cache() -> Path:
    """Inside the project where this is one, else where the caller stands."""
    root = _REPOSITORY if (_REPOSITORY / "pyproject.toml").is_file() else Path.cwd()
    return root / ".cache" / "simulator"


class SimulatorSettings(BaseSettings):
    """`RTMS_SIMULATOR_CACHE`: a folder for encoded pictures; it may be deleted at any time."""

    model_config = SettingsConfigDict(env_prefix="RTMS_SIMULATOR_")

    cache: Path = Field(default_factory=_default_cache, description="a folder for encoded pictures; may be deleted")
