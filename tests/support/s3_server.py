"""A real S3 server as a process, which starts without any bucket."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local.process import Process
from tests.support.processes import PATIENCE_S, wait_for


@contextmanager
def s3_server(port: int, log: Path, *buckets: str) -> Iterator[str]:
    """Its URL, once it has these buckets; what was in it is forgotten with it."""
    url = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("moto_server")
    server = Process([sys.executable, str(program), "-H", "127.0.0.1", "-p", str(port)], log)
    try:
        wait_for(lambda: status("get", url) == 200 or server.exit_code() is not None, PATIENCE_S, log.read_text)
        assert server.exit_code() is None, log.read_text()
        for bucket in buckets:
            assert status("put", f"{url}/{bucket}") == 200
        yield url
    finally:
        server.kill()


def status(method: str, url: str) -> int:
    """The status a server answers with, 0 where none answers."""
    try:
        return httpx.request(method.upper(), url, timeout=PATIENCE_S, trust_env=False, verify=False).status_code
    except httpx.TransportError:
        return 0
