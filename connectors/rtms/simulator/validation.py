"""Reads plain values (from TOML or JSON) into typed ones, strictly, with errors that say where and what is allowed."""

import re
from enum import Enum
from typing import Annotated, Any, TypeVar

import msgspec

_T = TypeVar("_T")
_AT = re.compile(r" - at `(?P<path>\$[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+|\.\.\.)\]")

Path = tuple[str | int, ...]

LONGEST_S = 172_800
"""No meeting lasts two days."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]
SomeSeconds = Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)]


class Invalid(ValueError):
    """A value that cannot be; `path` leads to it, keys and positions from 0."""

    def __init__(self, what: str, path: Path = ()) -> None:
        super().__init__(f"{dotted(path)}: {what}" if path else what)
        self.what = what
        self.path = path


def dotted(path: Path) -> str:
    """`faults[2].at_s`, counting from 1 as people do."""
    text = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".")


def convert(value: Any, wanted: type[_T], *, strict: bool = True) -> _T:
    """`value` as that type; without `strict`, texts are read as numbers where numbers are wanted.

    Raises:
        Invalid: it is none.
    """
    try:
        return msgspec.convert(value, wanted, strict=strict)
    except msgspec.ValidationError as error:
        raise _explained(str(error), wanted) from None


def _explained(text: str, wanted: Any) -> Invalid:
    at = _AT.search(text)
    path = _path(at["path"]) if at else ()
    what = text[: at.start()] if at else text
    kind = _type_at(wanted, path)
    unknown = _UNKNOWN.search(what)
    if unknown:
        known = ", ".join(_fields(kind))
        return Invalid(f"there is no such key; known here: {known}", (*path, unknown["field"]))
    if isinstance(kind, type) and issubclass(kind, Enum):
        allowed = ", ".join(str(member.value) for member in kind)
        return Invalid(f"{what[:1].lower()}{what[1:]}; allowed: {allowed}", path)
    return Invalid(what[:1].lower() + what[1:], path)


def _path(text: str) -> Path:
    steps = (match.groupdict() for match in _STEP.finditer(text))
    return tuple(step["key"] if step["key"] else int(step["index"]) for step in steps if step["index"] != "...")


def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))


def _type_at(kind: Any, path: Path) -> Any:
    """The type that belongs at a path below a struct; None where it cannot be told."""
    for step in path:
        if isinstance(step, int):
            kind = next(iter(_arguments(_plain(kind))), None)
        else:
            plain = _plain(kind)
            named = {f.encode_name: f.type for f in msgspec.structs.fields(plain)} if _is_struct(plain) else {}
            kind = named.get(step)
    return _plain(kind)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _plain(kind: Any) -> Any:
    """`X | None` as X."""
    arguments = _arguments(kind)
    return arguments[0] if len(arguments) == 2 and arguments[1] is type(None) else kind


def _arguments(kind: Any) -> tuple[Any, ...]:
    found: tuple[Any, ...] = getattr(kind, "__args__", ())
    return found
