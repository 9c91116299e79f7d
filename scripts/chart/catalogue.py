"""Every setting there is, read off the settings classes: what the chart's values and the reference are made from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("connectors", "ingest", "processors", "sinks", "api")
NOT_DEPLOYED = ("simulator",)


class Setting(NamedTuple):
    """One environment variable; `schema` is JSON schema of its value."""

    name: str
    variable: str
    schema: dict[str, Any]
    default: object
    description: str
    is_secret: bool


class Group(NamedTuple):
    """One settings class; `name` is its prefix without RTMS_, the key of its values in the chart."""

    name: str
    settings_class: type[BaseSettings]
    settings: list[Setting]

    @property
    def description(self) -> str:
        """The class's docstring."""
        return inspect.cleandoc(self.settings_class.__doc__ or "")

    @property
    def module(self) -> str:
        """Where the class lies."""
        return self.settings_class.__module__


def groups() -> list[Group]:
    """All groups, sorted by name, without those that only tests and demonstrations read."""
    found = [_group(settings_class) for settings_class in _classes()]
    return sorted((group for group in found if not group.name.endswith(NOT_DEPLOYED)), key=lambda group: group.name)


def _classes() -> Iterator[type[BaseSettings]]:
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("settings.py")):
            module = import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module.__name__:
                    yield value


def _group(settings_class: type[BaseSettings]) -> Group:
    prefix = str(settings_class.model_config["env_prefix"])
    properties = settings_class.model_json_schema()["properties"]
    settings = [_setting(name, field, prefix, properties[name]) for name, field in settings_class.model_fields.items()]
    return Group(prefix.removeprefix("RTMS_").rstrip("_").lower(), settings_class, settings)


def _setting(name: str, field: FieldInfo, prefix: str, schema: dict[str, Any]) -> Setting:
    kept = {key: value for key, value in schema.items() if key not in ("title", "default", "writeOnly")}
    return Setting(
        name=name,
        variable=f"{prefix}{name}".upper(),
        schema=kept,
        default=None if field.default is PydanticUndefined else field.default,
        description=field.description or "",
        is_secret=field.annotation is SecretStr,
    )
