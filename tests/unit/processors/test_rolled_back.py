"""What a newer release keeps of a session is read by an older one, which a rollback puts in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processors.checkpoint.folds import Fold
from processors.checkpoint.states import Mark, State
from processors.checkpoint.windows import Progress
from processors.muxing.chains import Chain
from processors.muxing.recordings import Frame
from processors.participants.chat import Conversation
from processors.participants.roster import Roster

NEWER = {"known_later": [1]}
PARTS = (
    Fold(epoch=4, sequence=9, part={"a": 1}),
    Chain(sequence=3, parameters=(b"\x67", b"\x68")),
    Frame.from_json(None),
    Conversation(messages={"m": [1, "said", False]}, count=1),
    Roster(present={"7": "somebody"}, unseen=("7",), count=1),
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_a_part_with_something_new_in_it(part: Any) -> None:
    assert type(part).from_json(part.to_json() | NEWER) == part


def test_a_state_with_something_new_in_it() -> None:
    state = State({"rtms.audio": Mark(7, Fold(epoch=1))}, {"7": Progress(10, 5, {"a": 1})}, finished=True)
    value = json.loads(state.to_json())
    value["marks"]["rtms.audio"]["fold"] |= NEWER
    value["progress"]["7"].append("known later")
    assert State.from_json(json.dumps(value | NEWER)) == state
