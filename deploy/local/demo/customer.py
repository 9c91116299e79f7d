"""The server that a customer of App Sessions runs: takes Zoom's webhook and asks for a session.

It forwards the payload of `meeting.rtms_started` as it came, which is all that such a server does.
"""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from connectors.host.clock import SystemClock
from connectors.rtms.protocol.signature import verify_webhook
from deploy.local.asking import answered
from deploy.local.ports import LOOPBACK
from deploy.local.project import said_in

CREATE_TIMEOUT_S = 15.0


class Customer:
    """Listens on a free loopback port; `session` waits for the session that came of the webhook."""

    def __init__(self, api_url: str, api_key: str, webhook_secret: str, settings: dict[str, Any]) -> None:
        self._clock = SystemClock()
        self._api = httpx.Client(
            base_url=api_url,
            headers={"Authorization": f"Token {api_key}"},
            timeout=CREATE_TIMEOUT_S,
            trust_env=False,
        )
        self._secret = webhook_secret
        self._settings = settings
        self._answered, self._closing = threading.Event(), threading.Event()
        self._session: dict[str, Any] | None = None
        self._failure = ""
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, name="customer", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where Zoom is to send its webhooks."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/zoom"

    def session(self, timeout_s: float) -> dict[str, Any]:
        """The App Session as the API answered it. Raises RuntimeError when it refused, or nothing came in time."""
        if not self._answered.wait(timeout_s) and not self._failure:
            raise RuntimeError(f"no meeting.rtms_started webhook within {timeout_s:.0f} s")
        if self._session is None:
            raise RuntimeError(f"the API refused the session: {self._failure}")
        return self._session

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._api.close()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """One webhook; the status to answer. Work that takes time is done after the answer."""
        timestamp, signature = headers.get("x-zm-request-timestamp", ""), headers.get("x-zm-signature", "")
        if not verify_webhook(self._secret, timestamp, body, signature, self._clock.now_ms() / 1000):
            return 401
        event = json.loads(body)
        if event.get("event") == "meeting.rtms_started" and not self._answered.is_set():
            threading.Thread(target=self._create, args=(event["payload"],), daemon=True).start()
        return 200

    def _create(self, payload: dict[str, Any]) -> None:
        """What the API cannot do now it is asked for again until this customer is closed: whoever waits for the session
        says how long that may take, and is told why it does."""
        body = {"zoom_rtms": payload, **self._settings}

        def ask() -> httpx.Response:
            answer = self._api.post("/api/v1/app_sessions", json=body)
            if answer.status_code != 201:
                self._failure = f"{answer.status_code}, {said_in(answer.text)}"
            return answer

        try:
            answer = answered(ask, math.inf, self._closing)
            if answer.status_code == 201:
                self._session = answer.json()
        except httpx.HTTPError as error:
            self._failure = type(error).__name__
        finally:
            self._answered.set()


def _handler(customer: Customer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = customer.take(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
