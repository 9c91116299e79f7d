"""A child process that says over HTTP whether it is ready."""

from __future__ import annotations

import http.client
from http import HTTPStatus

from deploy.local.ports import LOOPBACK
from deploy.local.unit import Program, Unit

_PROBE_TIMEOUT_S = 2.0
_REASON_LIMIT = 300


class Server(Unit):
    """A program that answers GET `probe_path` on its port with 200 when it is ready."""

    def __init__(self, program: Program, probe_path: str) -> None:
        super().__init__(program, lambda: unready(program.port, probe_path))

    @property
    def url(self) -> str:
        """Base address on the loopback interface."""
        return f"http://{LOOPBACK}:{self.program.port}"


def unready(port: int, path: str) -> str:
    """Empty when GET answers 200 on the loopback port, else what it answers instead."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(_REASON_LIMIT).decode(errors="replace")
        return "" if answer.status == HTTPStatus.OK else f"{answer.status} {body}"
    except (OSError, http.client.HTTPException) as problem:
        return str(problem) or type(problem).__name__
    finally:
        connection.close()
