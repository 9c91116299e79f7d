"""The projects of a run folder: one for each Zoom app, made once."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.asking import PATIENCE_S
from deploy.local.project import Project, Refused, zoom_project
from deploy.local.settings import LocalSettings


class Api(ThreadingHTTPServer):
    """As much of the control plane as is asked for: a client id belongs to one project."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.numbers = itertools.count(1)
        self.holders: dict[str, str] = {}
        self.unready, self.retry_after_s = 0, 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = 201, {"id": f"prj_{next(self.server.numbers)}", "key": f"key of {self.path.split('/')[4:5]}"}
        if self.server.unready:
            self.server.unready -= 1
            status, answer = 503, {"error": "The answer is not known yet. Try again."}
        elif self.path.endswith("/zoom_apps"):
            project = self.path.split("/")[4]
            if self.server.holders.setdefault(given["client_id"], project) != project:
                status, answer = 400, {"client_id": ["This client id belongs to another project."]}
        self.send_response(status)
        self.send_header("Retry-After", str(self.server.retry_after_s))
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def project_for(client_id: str, api: Api, folder: Path) -> Project | None:
    settings = LocalSettings(run_dir=folder).model_copy(
        update={"zoom_client_id": client_id, "zoom_client_secret": SecretStr("s")}
    )
    return zoom_project(api.url, "admin", settings)


def test_each_app_has_a_project_of_its_own_and_keeps_it(api: Api, tmp_path: Path) -> None:
    first = project_for("aaa", api, tmp_path)
    second = project_for("../b/ b", api, tmp_path)

    assert first != second
    assert api.holders == {"aaa": first.project_id, "../b/ b": second.project_id} if first and second else False
    assert project_for("aaa", api, tmp_path) == first
    assert project_for("../b/ b", api, tmp_path) == second
    assert len(list(tmp_path.iterdir())) == 2


def test_a_refusal_is_in_the_apis_words(api: Api, tmp_path: Path) -> None:
    api.holders["aaa"] = "prj_of_somebody_else"
    with pytest.raises(Refused, match="client_id: This client id belongs to another project"):
        project_for("aaa", api, tmp_path)


def test_an_api_that_does_not_know_yet_is_asked_again(api: Api, tmp_path: Path) -> None:
    api.unready = 3
    assert project_for("aaa", api, tmp_path) is not None
    api.unready, api.retry_after_s = 2, 2 * PATIENCE_S
    with pytest.raises(Refused, match="not known yet"):
        project_for("bbb", api, tmp_path)
    assert api.unready == 1


def test_without_an_app_there_is_no_project(api: Api, tmp_path: Path) -> None:
    assert project_for("", api, tmp_path) is None
