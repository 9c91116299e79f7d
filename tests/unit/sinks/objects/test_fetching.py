"""Many small objects are read several at a time, and arrive in order."""

import threading
from contextlib import closing

import pytest

from connectors.objects.errors import NotFound
from sinks.objects.fetching import in_order

AT_ONCE = 4
KEYS = [str(number) for number in range(20)]


class Shelf:
    """Gives an object only when `AT_ONCE` of them are asked for together."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._together = threading.Barrier(AT_ONCE)

    def get(self, key: str) -> bytes:
        self.asked.append(key)
        self._together.wait(60)
        return key.encode()


def test_objects_are_asked_for_together_and_come_in_order() -> None:
    assert list(in_order(KEYS, Shelf().get, AT_ONCE)) == [key.encode() for key in KEYS]


def test_no_more_are_held_than_are_asked_for_at_once() -> None:
    shelf = Shelf()
    with closing(in_order(KEYS, shelf.get, AT_ONCE)) as pieces:
        assert next(pieces) == b"0"
        assert sorted(shelf.asked) == KEYS[:AT_ONCE]
    assert sorted(shelf.asked) == KEYS[:AT_ONCE]


def test_what_is_not_there_is_said_in_its_place() -> None:
    def get(key: str) -> bytes:
        if key == "3":
            raise NotFound(key)
        return key.encode()

    pieces = in_order(KEYS, get, AT_ONCE)
    assert [next(pieces) for _ in range(3)] == [b"0", b"1", b"2"]
    with pytest.raises(NotFound):
        next(pieces)


def test_one_at_a_time_will_do() -> None:
    assert list(in_order(KEYS, str.encode, 1)) == [key.encode() for key in KEYS]
