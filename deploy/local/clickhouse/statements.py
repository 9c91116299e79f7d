"""What kind of statement a request carries, and where its text ends and its data begin."""

from __future__ import annotations

import re
from typing import NamedTuple

# Quoted names, quoted strings and comments are stepped over as a whole.
_STEP = rb"(?:`(?:\\.|[^`\\])*`|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|--[^\n]*\n|/\*.*?\*/|-(?!-)|/(?!\*)|[^-/`\"'])"
_INSERT = re.compile(rb"\s*INSERT\s+INTO\b", re.IGNORECASE)
_INSERT_DATA = re.compile(
    rb"(?P<head>\s*INSERT\s+INTO\b" + _STEP + rb"*?)\bFORMAT\s+(?P<format>\w+)[ \t]*(?:;)?\r?\n?",
    re.IGNORECASE | re.DOTALL,
)
_OUTPUT_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^()]*)?;?\s*$", re.IGNORECASE)
_HEAD_LIMIT_BYTES = 64 * 1024


class Insert(NamedTuple):
    """An insert whose data follow in the named format. `head` is the statement before FORMAT."""

    head: str
    data_format: str
    data: bytes


def parse_insert(statement: bytes, data: bytes) -> Insert | None:
    """The insert with its data, which follow the statement directly or came separately; None for all else."""
    if not _INSERT.match(statement[:_HEAD_LIMIT_BYTES]):
        return None
    found = _INSERT_DATA.match(statement[:_HEAD_LIMIT_BYTES])
    if found is None:
        return None
    return Insert(found["head"].decode(), found["format"].decode(), statement[found.end() :] + data)


def output_format(sql: str, default: str) -> str:
    """The format that the statement itself asks for, else the default."""
    found = _OUTPUT_FORMAT.search(sql)
    return found[1] if found else default
