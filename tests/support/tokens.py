"""A token server as an identity provider runs one: the client-credentials grant, RS256, its keys as a JWKS file."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "rtms", "token-secret"
AUDIENCE = "kafka"


class TokenServer:
    """`.url` gives tokens to CLIENT; `.jwks` is the file that brokers check them by; `.given` counts them."""

    def __init__(self, folder: Path) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "tests", "use": "sig", "alg": "RS256"})
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [self._key.as_dict(private=False)]}))
        self.given = 0
        self.life_s = 300
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"

    def token(self) -> str:
        now = int(time.time())
        claims = {"sub": CLIENT, "aud": AUDIENCE, "iat": now, "exp": now + self.life_s, "scope": "kafka"}
        return jwt.encode({"alg": "RS256", "kid": "tests"}, claims, self._key)

    @contextmanager
    def serving(self) -> Iterator[TokenServer]:
        thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Authorization") != expected:
                    return self._answer(401, {"error": "invalid_client"})
                outer.given += 1
                self._answer(200, {"access_token": outer.token(), "token_type": "Bearer", "expires_in": outer.life_s})

            def _answer(self, status: int, body: dict[str, object]) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
