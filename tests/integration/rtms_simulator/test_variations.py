"""What real servers are suspected of doing, on request: framing, string ids, microseconds, refusals, silence, TLS."""

import asyncio
import datetime
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.certificates import make_certificate, server_context
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.rules import Rules
from connectors.rtms.simulator.webhooks import Shape
from tests.integration.rtms_simulator.conftest import Endpoint, short
from tests.integration.rtms_simulator.strict_client import EVERYTHING


async def play(simulator: Any, client: Any, media_type: int = 32) -> tuple[Any, Any]:
    signalling, answer = await client.signalling()
    await client.subscribe(signalling, 2, 3)
    media, _ = await client.media(answer["media_server"]["server_urls"]["all"], media_type, EVERYTHING)
    await client.ready(signalling)
    assert await media.closing() == 1000
    return signalling, media


@pytest.mark.parametrize(
    ("kind", "types"), [(FaultKind.BINARY, {bytes}), (FaultKind.MIXED_FRAMING, {bytes, str}), (None, {str})]
)
async def test_framing(
    simulate: Callable[..., Any], clients: Callable[..., Any], kind: FaultKind | None, types: set[type]
) -> None:
    simulator = await simulate(speed=4.0)
    faults = [] if kind is None else [Fault(kind=kind)]
    client = clients(simulator, await simulator.start(short(seconds=10, faults=faults)))
    for socket in await play(simulator, client, 1):
        assert {type(data) for data in socket.raw} == types


async def test_ids_as_strings_and_captions_in_microseconds(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(speed=5.0)
    faults = [Fault(kind=FaultKind.STRING_IDS), Fault(kind=FaultKind.CAPTIONS_IN_US)]
    stream = await simulator.start(short(faults=faults))
    signalling, media = await play(simulator, clients(simulator, stream, lenient=True))
    ids = {str(person.user_id) for person in stream.meeting.participants}
    assert {m["content"]["user_id"] for m in media.of(14, 15, 16, 17)} <= ids
    assert {m["content"]["sender"]["user_id"] for m in media.of(18)} <= ids
    assert all(event["user_id"] in ids for event in signalling.events(2))
    listed = [person["user_id"] for event in signalling.events(3, 4, 8, 9) for person in event["participants"]]
    assert set(listed) == ids, "those present before the subscription as well"
    times = [m["content"]["start_time"] // 1000 for m in media.of(17)]
    assert times == [frame.timestamp_ms for frame in stream.meeting.of_medium(Medium.CAPTIONS)][-len(times) :]


async def test_a_message_from_the_future(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate(speed=3.0)
    fault = Fault(kind=FaultKind.UNKNOWN_MESSAGE, at_s=8)
    stream = await simulator.start(short(seconds=12, faults=[fault]))
    signalling, media = await play(simulator, clients(simulator, stream, lenient=True), 1)
    assert len(signalling.of(9_999)) == len(media.of(9_999)) == 1


async def test_a_refusal_as_often_as_asked(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate()
    faults = [
        Fault(kind=FaultKind.REFUSE_SIGNALLING, status=8, times=2),
        Fault(kind=FaultKind.REFUSE_MEDIA, status=45, medium=Medium.VIDEO),
    ]
    stream = await simulator.start(short(faults=faults))
    client = clients(simulator, stream)
    statuses = [(await client.signalling())[1]["status_code"] for _ in range(3)]
    assert statuses == [8, 8, 0]
    url = f"{simulator.url}/media"
    assert (await client.media(url, 1, EVERYTHING))[1]["status_code"] == 0
    assert (await client.media(url, 2, EVERYTHING))[1]["status_code"] == 45
    assert (await client.media(url, 2, EVERYTHING))[1]["status_code"] == 0
    assert [story.status for story in stream.truth.connections] == [8, 8, 0, 0, 45, 0]


async def test_silence_and_slammed_doors(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate()
    faults = [
        Fault(kind=FaultKind.CLOSE_SIGNALLING), Fault(kind=FaultKind.IGNORE_SIGNALLING),
        Fault(kind=FaultKind.CLOSE_MEDIA), Fault(kind=FaultKind.IGNORE_MEDIA),
    ]  # fmt: skip
    client = clients(simulator, await simulator.start(short(faults=faults)))
    hello = {"msg_type": 1, "protocol_version": 1, **client.identify()}
    for say, number in ((hello, 2), ({**hello, "msg_type": 3, "media_type": 1}, 4)):
        closed = await client.open(client.url, "either")
        await closed.say(say)
        assert await closed.closing() == 1000
        assert closed.seen == []
        silent = await client.open(client.url, "either")
        await silent.say(say)
        answered = await client.open(client.url, "signalling" if number == 2 else "media")
        await answered.say(say)
        assert (await answered.message(number))["status_code"] == 0
        assert silent.seen == []


async def test_no_keep_alives(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate(speed=4.0, rules=Rules(keep_alive_s=0.05))
    stream = await simulator.start(short(seconds=10, faults=[Fault(kind=FaultKind.NO_KEEP_ALIVES)]))
    signalling, media = await play(simulator, clients(simulator, stream), 1)
    assert not signalling.of(12)
    assert not media.of(12)


async def test_the_other_shape_of_webhooks(simulate: Callable[..., Any], endpoint: Endpoint) -> None:
    simulator = await simulate(speed=50.0, webhook_url=endpoint.url, webhook_shape=Shape.OBJECT)
    stream = await simulator.start(short(seconds=10))
    started, stopped = await endpoint.events("meeting.rtms_started", "meeting.rtms_stopped")
    assert started["payload"]["account_id"]
    assert started["payload"]["object"]["rtms_stream_id"] == stream.identity.stream_id
    assert stopped["payload"]["object"]["stop_reason"] == 6


async def test_tls(simulate: Callable[..., Any], clients: Callable[..., Any], tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, datetime.datetime.now(datetime.UTC))
    simulator = await simulate(speed=4.0, tls=server_context(certificate, key), public_host="localhost")
    stream = await simulator.start(short(seconds=10))
    assert simulator.url.startswith("wss://localhost:")
    trusting = ssl.create_default_context(cafile=str(certificate))
    _, media = await play(simulator, clients(simulator, stream, tls=trusting), 1)
    assert media.of(14)
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "localhost", int(simulator.url.rpartition(":")[2]), ssl=ssl.create_default_context()
        )
    assert key.stat().st_mode & 0o077 == 0
