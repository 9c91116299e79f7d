"""Settings classes as an operator meets them: environment variables with their unit, default and meaning. Pure."""

import textwrap
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

_UNITS = {"_s": "seconds", "_ms": "milliseconds", "_kbytes": "KiB", "_bytes": "bytes", "_mib": "MiB"}
_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    SecretStr: "a secret",
    Path: "a path",
}
_WIDTH = 110


class Variable(NamedTuple):
    """One setting: `kind` says what values there are and in which unit, `default` is empty where there is none."""

    name: str
    kind: str
    default: str
    meaning: str
    is_required: bool


def variable(settings: type[BaseSettings], field_name: str) -> Variable:
    """The variable that a field is read from."""
    field = settings.model_fields[field_name]
    alias = field.validation_alias
    name = alias if isinstance(alias, str) else f"{settings.model_config['env_prefix']}{field_name}".upper()
    return Variable(name, _kind(field_name, field), _default(field), field.description or "", field.is_required())


def listing(classes: Iterable[type[BaseSettings]]) -> str:
    """What `--help` says below the options."""
    found = [variable(settings, name) for settings in classes for name in settings.model_fields]
    return "environment:\n" + "\n".join(_lines(each) for each in found)


def _lines(found: Variable) -> str:
    default = "must be set" if found.is_required else f"default {found.default}" if found.default else "not set"
    meaning = textwrap.fill(found.meaning, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {found.name}: {found.kind}; {default}\n{meaning}"


def _kind(name: str, field: FieldInfo) -> str:
    annotation = _without_none(field.annotation)
    if get_origin(annotation) is Literal:
        return " or ".join(get_args(annotation))
    kind = _KINDS[annotation]
    unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")
    if unit and annotation in (int, float):
        kind = f"{kind} of {unit}"
    return f"{kind} {' and '.join(_limits(field))}".rstrip()


def _limits(field: FieldInfo) -> Iterable[str]:
    for limit in field.metadata:
        if isinstance(limit, Ge):
            yield f"≥ {limit.ge}"
        elif isinstance(limit, Gt):
            yield f"> {limit.gt}"
        elif isinstance(limit, Le):
            yield f"≤ {limit.le}"


def _default(field: FieldInfo) -> str:
    value = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _without_none(annotation: Any) -> Any:
    """The type of a setting that may be left out."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(each for each in get_args(annotation) if each is not types.NoneType)
    return annotation
