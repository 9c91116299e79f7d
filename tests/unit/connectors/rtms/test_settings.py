"""What the environment says becomes how sockets are opened."""

import pytest
from pydantic import ValidationError

from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.choice import create_transport
from connectors.rtms.transport.picows_transport import PicowsTransport
from connectors.rtms.transport.websockets_transport import WebsocketsTransport


def test_only_zoom_and_only_tls_by_default() -> None:
    addresses = ZoomSettings().addresses()
    assert addresses.hosts == ("*.zoom.us",)
    assert not addresses.plaintext


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ALLOWED_HOSTS": " *.Zoom.us, 127.0.0.1,,", "ALLOW_PLAINTEXT": "true", "TRANSPORT": "websockets",
        "UNIFIED_MEDIA": "false", "PROBE_SILENCE": "false", "ANSWER_TIMEOUT_S": "2.5", "WATCHDOG_S": "30",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"RTMS_ZOOM_{name}", value)
    settings = ZoomSettings()
    policy = settings.policy(buffer_data=False)
    assert policy.addresses.hosts == ("*.zoom.us", "127.0.0.1")
    assert policy.addresses.plaintext
    assert (policy.unified, policy.probing, policy.buffer_data) == (False, False, False)
    assert (policy.answer_ms, policy.watchdog_ms) == (2_500, 30_000)
    assert isinstance(create_transport(settings), WebsocketsTransport)


def test_the_fast_transport_is_the_default() -> None:
    assert isinstance(create_transport(ZoomSettings()), PicowsTransport)


@pytest.mark.parametrize("wrong", [{"transport": "carrier pigeon"}, {"watchdog_s": 0}, {"max_message_bytes": 1}])
def test_settings_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ZoomSettings.model_validate(wrong)
