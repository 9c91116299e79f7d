"""Reads settings, and says of those that are wrong which, why and what to do: in words, and never with their value."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from connectors.host.environment import Variable, variable

Settings = TypeVar("Settings", bound=BaseSettings)


class NotConfigured(Exception):
    """Something that only an operator can set is missing or wrong; the text names it and says what to do."""


class Configured:
    """The settings that one program reads, each class once."""

    def __init__(self, read: Iterable[BaseSettings]) -> None:
        self._read = {type(settings): settings for settings in read}

    def of(self, settings: type[Settings]) -> Settings:
        """The settings of a class that the program says it reads; any other is a KeyError."""
        found = self._read[settings]
        assert isinstance(found, settings)
        return found


def read(classes: Iterable[type[BaseSettings]]) -> Configured:
    """All of these from the environment. Raises NotConfigured with everything that is wrong with any of them."""
    found: list[BaseSettings] = []
    problems: list[str] = []
    for settings in classes:
        try:
            found.append(settings())
        except ValidationError as error:
            problems += _problems(settings, error)
    if problems:
        raise NotConfigured("; ".join(problems))
    return Configured(found)


def _problems(settings: type[BaseSettings], error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_url=False):
        own_words = str(problem.get("ctx", {}).get("error", ""))
        if not problem["loc"]:  # several settings that do not go together: their validator names them
            yield own_words
            continue
        place = variable(settings, _field_name(settings, problem["loc"][0]))
        yield f"{place.name} is not set: {place.meaning}" if problem["type"] == "missing" else _wrong(place, own_words)


def _wrong(place: Variable, own_words: str) -> str:
    remedy = f", or leave it out for the default, {place.default}" if place.default else ""
    return f"{place.name} {own_words or f'must be {place.kind}'}: correct it{remedy}"


def _field_name(settings: type[BaseSettings], location: Any) -> str:
    """Pydantic names a field that has an alias by that."""
    return next(name for name, field in settings.model_fields.items() if location in (name, field.validation_alias))
