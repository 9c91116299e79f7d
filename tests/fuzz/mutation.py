"""Changes JSON as JSON: a fuzzer that only flips bits rarely gets past the parser."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

INTERESTING: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 7, 8, 2**31, 2**63, 2**80, 10**11, 10**14, 1_700_000_000_000, "", "0", "Ada",
    "data:image/png;base64,QUJD", "wss://a.zoom.us,wss://b.zoom.us", "{}", '{"operation_type":9,"data":1}', "\ud800",
    [], {}, [[]], {"a": {"b": []}},
)  # fmt: skip

LARGEST_CODE = 64
"""Zoom numbers almost everything, and no number of it is larger."""

Place = tuple[Any, Any]
"""A container and the key or index of one of its values."""


def mutate_json(data: bytes, dice: random.Random, otherwise: Callable[[bytes], bytes]) -> bytes:
    """One line of `data` with one value or key changed; `otherwise` for what is no JSON object, and now and then."""
    lines = data.split(b"\n")
    number = dice.randrange(len(lines))
    try:
        message = json.loads(lines[number])
    except (ValueError, RecursionError):
        return otherwise(data)
    places = list(_places(message))
    if not places or dice.random() < 0.2:
        return otherwise(data)
    _change(*dice.choice(places), dice, places)
    lines[number] = json.dumps(message, separators=(",", ":")).encode()
    return b"\n".join(lines)


def _places(value: Any) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _change(container: Any, key: Any, dice: random.Random, places: list[Place]) -> None:
    what = dice.randrange(5)
    if what == 0 and isinstance(container, dict):
        del container[key]
    elif what == 1 and isinstance(container, dict):
        container[dice.choice([str(other) for _, other in places] + ["object", "all"])] = container[key]
    elif what == 2:
        holder, other = dice.choice(places)
        container[key] = json.loads(json.dumps(holder[other]))  # a copy: nothing may contain itself
    elif what == 3:
        container[key] = dice.randrange(LARGEST_CODE)
    else:
        container[key] = dice.choice(INTERESTING)
