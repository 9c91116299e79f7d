"""What the fuzzer starts from and what it ever found is read without a fault, and its mutations are JSON."""

import json
import random
from pathlib import Path

import pytest

from tests.fuzz import target
from tests.fuzz.mutation import mutate_json
from tests.fuzz.seeds import seeds
from tests.fuzz.target import try_everything
from tests.support.goldens import GOLDENS

FINDINGS = Path(target.__file__).with_name("findings")
INPUTS = seeds() | {path.name: path.read_bytes() for path in FINDINGS.glob("*")}


def unchanged(data: bytes) -> bytes:
    return data


@pytest.mark.parametrize("name", INPUTS)
def test_nothing_but_the_documented_errors_comes_out(name: str) -> None:
    try_everything(INPUTS[name])


def test_mutations_are_json_and_reach_everywhere() -> None:
    dice, data = random.Random(1), GOLDENS["06-event-update.03-participant-join"]
    made = {mutate_json(data, dice, unchanged) for _ in range(500)}
    assert len(made) > 100
    assert all(isinstance(json.loads(text), dict) for text in made)
    for text in made:
        try_everything(text)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[", b"12", b"{}"])
def test_what_is_no_json_object_is_left_to_the_fuzzer(data: bytes) -> None:
    assert mutate_json(data, random.Random(1), lambda old: old + b"!") == data + b"!"
