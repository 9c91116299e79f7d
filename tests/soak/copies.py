"""Holds what customers find in their own buckets against what an undisturbed run puts there. Pure."""

from collections.abc import Mapping

from schemas.records import Stored as StoredState
from tests.soak.buckets import Body, Name
from tests.soak.expected import Expected


def differences(
    expected: Mapping[str, Expected],
    found: Mapping[str, Name],
    stated: Mapping[str, StoredState | None],
) -> list[str]:
    """By session: each copy is there once, whole, never was anything else there, and its session knows of it. `found`
    is by bucket and name, and has what belongs to these sessions only."""
    wanted = {one.copy: session for session, one in expected.items() if one.copy}
    lines = [
        f"{key.partition('/')[0]}: a copy that nobody asked for"
        for key in found.keys() - wanted.keys()
        if found[key].taken
    ]
    for key, session in wanted.items():
        lines += [f"{session}: {line}" for line in _copy(key, expected[session], found.get(key), stated.get(session))]
    return lines


def _copy(key: str, expected: Expected, name: Name | None, stated: StoredState | None) -> list[str]:
    """Of one session."""
    if name is None:
        return ["nobody tried to copy its recording"]
    if expected.failures:
        told = [] if stated is None else ["its state tells of a copy"]
        return [*(["there is a copy where none may be"] if name.taken else []), *told]
    whole, lines = Body.of(expected.stored.movie), list[str]()
    if not name.taken:
        lines.append("no copy of its recording")
    lines += [f"a copy of {body.size_bytes} bytes that is another file" for body in name.taken if body != whole]
    if stated is None or (stated.key, stated.size_bytes) != (key, whole.size_bytes):
        lines.append(f"its state has the copy as {stated}")
    return lines
