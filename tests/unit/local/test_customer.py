"""The demo's customer in front of a real server: it forwards Zoom's webhook as the API wants to be asked."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from connectors.rtms.protocol.signature import webhook_signature
from deploy.local.demo.customer import Customer
from tests.support.processes import PATIENCE_S, wait_for
from tests.support.serving import serving

SECRET = "of-the-app"
BUSY = (503, {"error": "The request is recorded but not carried out yet. Try again."})


@contextmanager
def answering(*answers: tuple[int, dict[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """An API that gives these answers, the last one for ever; what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, document = answers[min(len(asked), len(answers)) - 1]
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}", asked


def tell(customer: Customer) -> None:
    body, now = json.dumps({"event": "meeting.rtms_started", "payload": {"a": "b"}}).encode(), str(int(time.time()))
    headers = {"x-zm-request-timestamp": now, "x-zm-signature": webhook_signature(SECRET, now, body)}
    assert httpx.post(customer.url, content=body, headers=headers, trust_env=False, verify=False).status_code == 200


def test_what_the_api_cannot_do_now_is_asked_for_again() -> None:
    with answering(BUSY, BUSY, (201, {"id": "app_1"})) as (url, asked):
        with closing(Customer(url, "key", SECRET, {"metadata": {"c": "d"}})) as customer:
            tell(customer)
            assert customer.session(PATIENCE_S) == {"id": "app_1"}
        assert asked == [{"zoom_rtms": {"a": "b"}, "metadata": {"c": "d"}}] * 3


def test_a_refusal_is_told_with_its_reason() -> None:
    with answering((400, {"error": "This project has no Zoom app."})) as (url, asked):
        with closing(Customer(url, "key", SECRET, {})) as customer:
            tell(customer)
            with pytest.raises(RuntimeError, match="the API refused the session: 400, .*no Zoom app"):
                customer.session(PATIENCE_S)
        assert len(asked) == 1


def test_an_api_that_never_can_is_told_as_well() -> None:
    with answering(BUSY) as (url, asked), closing(Customer(url, "key", SECRET, {})) as customer:
        tell(customer)
        wait_for(lambda: len(asked) > 1, PATIENCE_S, lambda: f"asked {len(asked)} times")
        with pytest.raises(RuntimeError, match="the API refused the session: 503, .*not carried out yet"):
            customer.session(0.0)
