"""What a log line looks like, and what never gets into one."""

import json
import logging

import pytest
from websockets.server import ServerProtocol

from connectors.host.logs import configure, get_logger
from connectors.host.settings import LogSettings


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_our_lines_are_json_with_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("ingest", LogSettings(format="json"))
    get_logger("ingest.worker").info("session claimed", session_id="app_1", epoch=7)
    (line,) = lines(capsys)
    assert line["event"] == "session claimed"
    assert (line["service"], line["level"], line["logger"]) == ("ingest", "info", "ingest.worker")
    assert (line["session_id"], line["epoch"]) == ("app_1", 7)


def test_secrets_and_words_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    configure("api", LogSettings(format="json"))
    get_logger("api").warning("refused", client_secret="s3cret", text="what she said", token="t0ken", status=401)
    (line,) = lines(capsys)
    assert line["status"] == 401
    assert not {"s3cret", "what she said", "t0ken"} & set(map(str, line.values()))


def test_library_lines_have_the_same_shape_and_are_rate_limited(capsys: pytest.CaptureFixture[str]) -> None:
    configure("processors", LogSettings(format="json"))
    for _ in range(50):
        logging.getLogger("aiokafka.conn").error("Unable connect to node %s", 1)
    written = lines(capsys)
    assert len(written) == 3
    assert written[0]["event"] == "Unable connect to node 1"
    assert written[0]["service"] == "processors"


def test_an_exception_is_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    configure("api", LogSettings(format="json"))
    try:
        raise ValueError("odd")
    except ValueError:
        get_logger("api").exception("failed")
    (line,) = lines(capsys)
    assert "ValueError: odd" in str(line["exception"])


def test_console_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    configure("api", LogSettings(format="console"))
    get_logger("api").info("listening", port=8000)
    written = capsys.readouterr().err
    assert "listening" in written
    assert "port=8000" in written


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_says_where_but_not_what_it_was_working_on(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("processors", LogSettings.model_validate({"format": form}))
    words = "".join(["what ", "she ", "said"])
    try:
        int(words[0])
    except ValueError:
        logging.getLogger("processors").exception("failed")
    told = capsys.readouterr().err
    assert "test_logs.py" in told
    assert words not in told


HANDSHAKE = (
    b"GET /api/v1/app_sessions/app_1/transcript/stream HTTP/1.1\r\nHost: api\r\nAuthorization: Token k3y\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)


def test_what_libraries_say_of_keys_and_words_is_logged_at_no_level(capsys: pytest.CaptureFixture[str]) -> None:
    """An operator who looked for something with RTMS_LOG_LEVEL=DEBUG had the keys of those who read live in the log."""
    configure("api", LogSettings(format="json", level="DEBUG"))
    try:
        server = ServerProtocol(logger=logging.getLogger("uvicorn.error"))
        server.receive_data(HANDSHAKE)
        [request] = server.events_received()
        server.send_response(server.accept(request))  # type: ignore[arg-type]
        server.send_text(b"what she said")
        logging.getLogger("aiokafka.conn").debug("%s Response %d: %s", "conn", 1, b"what she said")
        get_logger("ingest.worker").debug("ours")
        written = lines(capsys)
        assert not [line for line in written if "k3y" in str(line) or "what she said" in str(line)]
        assert written[-1]["event"] == "ours"
    finally:
        configure("api", LogSettings())
