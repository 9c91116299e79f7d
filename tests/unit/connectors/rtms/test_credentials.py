"""Credentials are judged by what Zoom's token endpoint answers, in the words of its documents."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.rtms.credentials import Verdict, ZoomOAuth, verdict
from connectors.rtms.simulator import oauth
from deploy.local.ports import free_ports

KNOWN = ("client", "s3:cret/ü")


@pytest.fixture
def zoom():
    """A server that answers as the simulator does; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, document = oauth.answer(self.path, body, self.headers.get("Authorization", ""), KNOWN)
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_zoom_is_asked_as_its_documents_say(zoom):
    assert await ZoomOAuth(zoom + "/").check(*KNOWN) is Verdict.GOOD
    assert await ZoomOAuth(zoom).check("client", "wrong") is Verdict.BAD
    assert await ZoomOAuth(zoom).check("other", KNOWN[1]) is Verdict.BAD


async def test_who_does_not_answer_says_nothing():
    assert await ZoomOAuth(f"http://127.0.0.1:{free_ports(1)[0]}", 1.0).check(*KNOWN) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [(200, {"access_token": "x"}, Verdict.GOOD), (200, {}, Verdict.UNKNOWN), (200, [], Verdict.UNKNOWN),
     (400, {"error": "invalid_client"}, Verdict.BAD), (401, {"error": "invalid_client"}, Verdict.BAD),
     (400, {"error": "unsupported_grant_type"}, Verdict.UNKNOWN), (429, {"error": "invalid_client"}, Verdict.UNKNOWN),
     (500, {}, Verdict.UNKNOWN)],
)  # fmt: skip
def test_verdicts(status, document, expected):
    assert verdict(status, document) is expected
