"""Draws docs/rtms-states.md from the tables that the RTMS client runs by: `python -m scripts.diagrams`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from connectors.rtms.protocol import media, signaling
from connectors.rtms.protocol.codes import MessageType
from connectors.rtms.protocol.life import LIFE, Phase
from connectors.rtms.protocol.links import STEPS, LinkState

TARGET = Path(__file__).parents[1] / "docs" / "rtms-states.md"
READING = (LinkState.GREETING, LinkState.UP, LinkState.DRAINING)

INTRODUCTION = """\
# States of an RTMS stream

Drawn by `python -m scripts.diagrams` from the tables that `connectors/rtms/protocol/` runs by; a test fails when it is
out of date.
"""


def diagram(table: Mapping[Any, Mapping[Any, StrEnum]], first: StrEnum, last: StrEnum) -> Iterator[str]:
    """A Mermaid state diagram; what leads from a state to itself is left out."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {first}"
    for state, moves in table.items():
        labels: dict[StrEnum, list[str]] = {}
        for cause, following in moves.items():
            labels.setdefault(following, []).append(str(cause))
        for following, causes in labels.items():
            if following is not state:
                yield f"    {state} --> {following}: {', '.join(causes)}"
    if last is not first:
        yield f"    {last} --> [*]"
    yield "```"


def messages(socket: Any) -> Iterator[str]:
    """A Markdown table: what each message means in each state that has an accepted or greeted socket."""
    yield f"| message | {' | '.join(READING)} |"
    yield "|---|" + "---|" * len(READING)
    for kind in MessageType:
        meanings = [_meaning(socket, state, kind) for state in READING]
        yield f"| {kind.value} {kind.name} | {' | '.join(meanings)} |"


def _meaning(socket: Any, state: LinkState, kind: MessageType) -> str:
    reader = socket.TABLE[state].get(kind)
    if reader is not None:
        return str(reader.__name__.strip("_").replace("_", " "))
    return "rejected" if kind in socket.MISPLACED else "–"


def document() -> str:
    """The whole file."""
    return "\n".join(
        [
            INTRODUCTION,
            "## A stream, from `start` to its last event",
            "",
            *diagram(LIFE, Phase.NEW, Phase.OVER),
            "",
            "## A socket, the same for signalling and media",
            "",
            "`failed`: lost, refused or unanswered, to be tried again. `draining`: closing, what still comes counts.",
            "",
            *diagram(STEPS, LinkState.IDLE, LinkState.IDLE),
            "",
            "## What a message means on the signalling socket",
            "",
            "`–`: without consequence, as are numbers that are not here. `rejected`: kept as a dead letter.",
            "",
            *messages(signaling),
            "",
            "## What a message means on a media socket",
            "",
            *messages(media),
            "",
        ]
    )


if __name__ == "__main__":
    TARGET.write_text(document())
