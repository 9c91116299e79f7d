"""Many requests at a time, and none of them at another receiver's expense."""

import socket
import threading
from typing import Any

import pytest

from connectors.webhooks.targets import TargetPolicy
from sinks.webhooks.posting import Posting
from sinks.webhooks.settings import SinkWebhooksSettings
from tests.support.receiver import receiving


def test_a_name_that_nobody_resolves_holds_up_no_other_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up holds a thread for as long as the resolver tries, and cannot be broken off."""
    resolve, over = socket.getaddrinfo, threading.Event()

    def slowly(host: str, *more: Any, **named: Any) -> Any:
        if host == "slow.test":
            assert over.wait(60)
            raise socket.gaierror
        return resolve(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    patient = SinkWebhooksSettings(timeout_s=60.0)
    others, gives_up = (Posting(TargetPolicy(allow_loopback=True), patient) for _ in range(2))
    gives_up._sender._timeout_s = 0.5  # of its requests alone: opening and closing it may take longer
    try:
        with receiving() as receiver:
            slow = [others.post("http://slow.test/", "{}", {}) for _ in range(patient.in_flight_per_host)]
            assert others.post(receiver.url, "{}", {}).result(60).status_code == 200
            assert not any(one.done() for one in slow)
        assert gives_up.post("http://slow.test/", "{}", {}).result(60).error == "timeout"
    finally:
        over.set()
        for posting in (others, gives_up):
            posting.close()
