"""Until when whoever reads a whole partition waits for the rest of it."""

import pytest

from connectors.kafka import reader
from connectors.kafka.errors import TimedOut
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings

PLACE = Place("t", 0)
COUNT = 20


class Slow:
    """A partition of which a record comes every 5 s, but for those that never come; its directory and clock, too."""

    def __init__(self, there):
        self.there, self.at, self.now_s, self.rescues = there, 0, 0.0, 0

    def monotonic(self):
        return self.now_s

    def ends(self, places, timeout_s):
        return dict.fromkeys(places, COUNT)

    def assign(self, offsets):
        self.at = 0

    def positions(self):
        return {PLACE: self.at}

    def rescue(self):
        self.rescues += 1

    def consume(self):
        self.now_s += 5
        if self.at == self.there:
            return []
        self.at += 1
        return [Record(*PLACE, self.at - 1, 1, b"k", b"v")]


def loading(monkeypatch, there):
    slow = Slow(there)
    monkeypatch.setattr(reader, "Reader", lambda *_, **__: slow)
    monkeypatch.setattr(reader, "OffsetDirectory", lambda settings: slow)
    return PartitionLoader(KafkaSettings(), clock=slow), slow


def test_as_long_as_something_comes_all_of_it_is_waited_for(monkeypatch):
    loader, clock = loading(monkeypatch, COUNT)
    assert len(list(loader.load_all([PLACE], 30))) == COUNT
    assert clock.now_s >= 5 * COUNT
    assert clock.rescues == 0


def test_what_comes_no_more_is_waited_for_that_long(monkeypatch):
    loader, clock = loading(monkeypatch, 10)
    with pytest.raises(TimedOut):
        list(loader.load_all([PLACE], 30))
    assert 5 * 10 + 30 <= clock.now_s <= 5 * 10 + 40
    assert clock.rescues == 1, "its brokers may be why"


def test_where_the_whole_has_its_time_it_has_no_more(monkeypatch):
    loader, clock = loading(monkeypatch, COUNT)
    with pytest.raises(TimedOut):
        list(loader.load([PLACE], 30))
    assert clock.now_s <= 40
