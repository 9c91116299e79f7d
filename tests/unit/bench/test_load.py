"""The load is a Zoom that lives: it answers pings on a media socket as long as it sends nothing at a pace."""

import datetime
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from connectors.rtms.protocol.codes import MediaType, MessageType
from connectors.rtms.simulator.certificates import make_certificate
from tests.bench.streams import messages
from tests.bench.streams.pacing import SPEAKERS
from tests.bench.streams.zoom import Pacer, Zoom, burst, streams_of
from tests.support.processes import PATIENCE_S

HELLO = {"msg_type": MessageType.DATA_HAND_SHAKE_REQ, "media_type": MediaType.ALL, "media_params": {}}


@pytest.fixture
def load(tmp_path: Path) -> Iterator[tuple[Zoom, ClientConnection]]:
    """The load and a client whose media handshake it has answered."""
    certificate, key = make_certificate(tmp_path, datetime.datetime.now(datetime.UTC))
    zoom = Zoom(certificate, key)
    tls = ssl.create_default_context(cafile=certificate)
    with connect(f"{zoom.url}/media/0", ssl=tls, compression=None, ping_interval=None, close_timeout=0) as client:
        client.send(json.dumps(HELLO))
        assert json.loads(client.recv(PATIENCE_S))["msg_type"] == MessageType.DATA_HAND_SHAKE_RESP
        assert zoom.wait_for(1, PATIENCE_S) == 1
        yield zoom, client
    zoom.forget()


def test_pings_are_answered_before_and_between_bursts(load: tuple[Zoom, ClientConnection]) -> None:
    zoom, client = load
    for _ in range(3):
        assert client.ping().wait(PATIENCE_S)
        burst(zoom.media[0].connection, "audio", messages.AUDIO_20_MS, 4)
        kinds = [json.loads(client.recv(PATIENCE_S))["msg_type"] for _ in range(4)]
        assert kinds == [MessageType.MEDIA_DATA_AUDIO] * 4


def test_frames_at_a_pace_arrive_whole_although_the_client_asks(load: tuple[Zoom, ClientConnection]) -> None:
    zoom, client = load
    pacer = Pacer(streams_of(zoom.media), 20)
    pacer.start()
    heard = set()
    for _ in range(3 * (SPEAKERS + 1)):
        client.ping()
        heard.add(json.loads(client.recv(PATIENCE_S))["msg_type"])
    pacer.stop()
    assert heard == {MessageType.MEDIA_DATA_AUDIO, MessageType.MEDIA_DATA_VIDEO}
