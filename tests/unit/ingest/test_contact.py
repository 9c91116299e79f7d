import asyncio
from types import SimpleNamespace

import pytest

from connectors.rtms.transport.sockets import ConnectFailed
from ingest.caution import CautiousTransport
from ingest.contact import Contact


def noted(contact, *notes):
    found = []
    for note in notes:
        contact.note(*note)
        found.append(contact.silent_s)
    return found


def test_silence_is_counted_from_the_last_acknowledgement_while_something_waits():
    notes = [(0, 5, 100.0), (0, 5, 130.0), (1, 5, 140.0), (1, 9, 215.5)]
    assert noted(Contact(), *notes) == [0, 30, 0, 75.5]


def test_who_has_nothing_on_the_way_misses_nobody():
    notes = [(7, 0, 100.0), (7, 0, 500.0), (7, 1, 500.5), (7, 0, 501.0), (7, 1, 510.0)]
    assert noted(Contact(), *notes) == [0, 0, 0.5, 0, 9]


class Refusing:
    """A transport that counts who asks."""

    def __init__(self):
        self.asked = []

    async def connect(self, url, listener):
        self.asked.append((url, listener))
        raise ConnectFailed("refused")


async def test_no_socket_is_opened_before_kafka_answers_again(monkeypatch):
    monkeypatch.setattr("ingest.caution.LOOK_S", 0)
    contact, network = Contact(), Refusing()
    noted(contact, (1, 1, 100.0), (1, 2, 103.0))
    opening = asyncio.create_task(CautiousTransport(network, contact).connect("wss://x", listener := SimpleNamespace()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert network.asked == []
    contact.note(2, 2, 104.0)
    with pytest.raises(ConnectFailed):
        await opening
    assert network.asked == [("wss://x", listener)]
