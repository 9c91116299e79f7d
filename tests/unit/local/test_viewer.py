"""How far behind a live playlist is, told from what it lists and when."""

import json
from http.server import BaseHTTPRequestHandler

import pytest

from deploy.local.demo.results import ResultsMissing
from deploy.local.demo.viewer import Viewer, starts_ms
from tests.support.serving import serving
from tests.unit.api.media.test_playlists import T, stored, text


def test_segments_begin_where_the_one_before_ends_or_where_the_playlist_says() -> None:
    assert starts_ms(text(stored(0, 4, 8, 20, 24), is_over=True)) == [T + at for at in (0, 4000, 8000, 20_000, 24_000)]
    assert starts_ms("") == []


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = T

    def now_ms(self) -> int:
        return self.ms

    def now_us(self) -> int:
        return self.ms * 1000

    def monotonic(self) -> float:
        return self.ms / 1000


class Api(BaseHTTPRequestHandler):
    """The three answers that a player needs; `recording` is the playlist as of now, or the status to answer with."""

    recording: str | int = 404

    def do_GET(self) -> None:
        address = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.path.endswith("/playlist"):
            assert self.headers["authorization"] == "Token key"
            said: str | int = json.dumps({"url": f"{address}/index"})
        else:
            said = f"#EXTM3U\n{address}/recording" if self.path == "/index" else self.recording
        if isinstance(self.recording, int):
            said = self.recording
        self.send_response(said if isinstance(said, int) else 200)
        self.end_headers()
        self.wfile.write(said.encode() if isinstance(said, str) else b"")

    def log_message(self, *_: object) -> None:
        pass


def test_what_counts_is_how_old_new_segments_are_when_they_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Now()
    with serving(Api) as port:
        viewer = Viewer(f"http://127.0.0.1:{port}", "key", "app_1", clock)

        def look(at_s: float, recording: str | int) -> float | None:
            monkeypatch.setattr(Api, "recording", recording)
            clock.ms = T + round(at_s * 1000)
            viewer.look()
            return viewer.behind_s

        assert look(1, 404) is None
        assert look(17, text(stored(0, 4, 8))) == 9
        assert look(18, text(stored(0, 4, 8))) == 9
        assert look(20, 503) == 9
        assert look(23, text(stored(0, 4, 8, 12))) == 11
        assert look(24, text(stored(0, 4, 8, 12, 16))) == 11
        with pytest.raises(ResultsMissing):
            look(25, 500)
        viewer.close()
