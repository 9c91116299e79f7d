"""What a meeting left behind, fetched from an API that answers as it should, or not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.local.demo.results import Results, ResultsMissing, fetch
from tests.support.serving import serving

SESSION = "/api/v1/app_sessions/app_1"


@contextmanager
def answering(*, busy: int = 0, refuses: str = "", retry_after: str = "0") -> Iterator[str]:
    """An API that cannot answer the first `busy` times that something is asked for, and has nothing at `refuses`."""
    asked: dict[str, int] = {}

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] = asked.get(self.path, 0) + 1
            path = urlsplit(self.path).path
            status, body = (503, b"busy") if asked[self.path] <= busy else (200, self._body(path))
            if path == refuses:
                status, body = 404, b"no such thing"
            self.send_response(status)
            self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self, path: str) -> bytes:
            if path == "/recording":
                assert "authorization" not in self.headers, "the link is signed"
                return b"mp4"
            assert self.headers["authorization"] == "Token key"
            found: dict[str, Any] = {
                "/media": {"url": f"http://{self.headers['host']}/recording"},
                "/transcript": [{"text": "said"}],
                "/participant_events": {"results": [1], "next": f"{SESSION}/participant_events?cursor=2"},
                "/chat_messages": {"results": [], "next": None},
            }
            if "cursor" in self.path:
                return json.dumps({"results": [2], "next": None}).encode()
            return json.dumps(found[path.removeprefix(SESSION)]).encode()

        def log_message(self, *_: object) -> None:
            return

    with serving(Api) as port:
        yield f"http://127.0.0.1:{port}"


def fetched(url: str, folder: Path) -> Results:
    return fetch(url, "key", "app_1", folder)


@pytest.mark.parametrize("busy", [0, 2])
def test_everything_is_fetched_however_often_it_is_put_off(busy: int, tmp_path: Path) -> None:
    with answering(busy=busy) as url:
        found = fetched(url, tmp_path)
    assert found.recording.read_bytes() == b"mp4"
    assert json.loads(found.transcript.read_text()) == [{"text": "said"}]
    assert json.loads(found.events.read_text()) == found.participant_events == [1, 2]
    assert found.chat_messages == []


def test_what_stays_busy_is_missing(tmp_path: Path) -> None:
    with answering(busy=1, retry_after="3600") as url, pytest.raises(ResultsMissing, match="media answered 503: busy"):
        fetched(url, tmp_path)


@pytest.mark.parametrize("path", [f"{SESSION}/transcript", "/recording"])
def test_what_is_not_there_is_not_asked_for_again(path: str, tmp_path: Path) -> None:
    with answering(refuses=path) as url, pytest.raises(ResultsMissing, match="answered 404"):
        fetched(url, tmp_path)
