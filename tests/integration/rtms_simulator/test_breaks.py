"""What is lost and what is kept when connections break: audio is buffered, everything else is gone."""

import asyncio
from collections.abc import Callable
from typing import Any

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.rules import Rules
from connectors.rtms.simulator.stream import Stream
from tests.integration.rtms_simulator.conftest import Endpoint, short
from tests.integration.rtms_simulator.strict_client import EVERYTHING, WAIT_S, Json, Socket, payload_of

SPEED = 3.0


def heard(messages: list[Json]) -> list[tuple[int, int, bytes]]:
    return [(m["content"]["timestamp"], m["content"]["user_id"], payload_of(m)) for m in messages]


def meant(stream: Stream) -> list[tuple[int, int, bytes]]:
    return [(frame.timestamp_ms, frame.user_id, frame.payload) for frame in stream.meeting.of_medium(Medium.AUDIO)]


async def connect_all(client: Any, media_type: int = 32) -> tuple[Socket, Socket]:
    signalling, answer = await client.signalling()
    assert answer["status_code"] == 0
    media, agreed = await client.media(answer["media_server"]["server_urls"]["all"], media_type, EVERYTHING)
    assert agreed["status_code"] == 0
    await client.ready(signalling)
    return signalling, media


async def cut(stream: Stream, media: Socket, what: FaultKind) -> None:
    """In the middle of the sound: at a time of the meeting, nobody might be connected yet."""
    await media.until(lambda: len(media.of(14)) > 50, "sound")
    stream.schedule(Fault(kind=what))


async def test_a_late_client_gets_the_audio_as_a_burst_and_no_old_pictures(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate()
    late = Fault(kind=FaultKind.LATE_START, for_s=16)
    stream = await simulator.start(short(faults=[late]))
    connected_ms = simulator.clock.now_ms()
    _, media = await connect_all(clients(simulator, stream))
    assert await media.closing() == 1000
    assert heard(media.of(14)) == meant(stream)
    assert min(m["content"]["timestamp"] for m in media.of(15)) >= connected_ms - 1
    assert not [m for m in media.of(17) if m["content"]["end_time"] + 700 < connected_ms]


async def test_no_more_than_the_buffer_holds(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate(rules=Rules(audio_buffer_s=5))
    stream = await simulator.start(short(faults=[Fault(kind=FaultKind.LATE_START, for_s=16)]))
    connected_ms = simulator.clock.now_ms()
    _, media = await connect_all(clients(simulator, stream), 1)
    assert await media.closing() == 1000
    sent = heard(media.of(14))
    assert sent == meant(stream)[-len(sent) :]
    assert connected_ms - 5_200 <= sent[0][0] <= connected_ms - 2_000


async def test_the_first_buffer_can_be_declined(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate()
    stream = await simulator.start(short(faults=[Fault(kind=FaultKind.LATE_START, for_s=16)]))
    connected_ms = simulator.clock.now_ms()
    client = clients(simulator, stream)
    signalling, answer = await client.signalling(buffer_data=False)
    media, _ = await client.media(answer["media_server"]["server_urls"]["all"], 1, EVERYTHING)
    await client.ready(signalling)
    assert await media.closing() == 1000
    assert heard(media.of(14))[0][0] >= connected_ms - 150


async def test_a_broken_media_socket_is_announced_and_loses_no_audio(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, media = await connect_all(client, 1 | 2)
    await cut(stream, media, FaultKind.CUT_MEDIA)
    assert await media.closing() == 1006
    interrupted = await signalling.message(8, state=2)
    assert interrupted["reason"] == 14
    assert signalling.events(7)[0]["media_type"] == 3
    await simulator.clock.until(simulator.clock.now_ms() + 2_000)
    again, agreed = await client.media(f"{simulator.url}/media", 1 | 2, EVERYTHING)
    assert agreed["status_code"] == 0
    await client.ready(signalling)
    assert await again.closing() == 1000
    before, after = heard(media.of(14)), heard(again.of(14))
    everything = meant(stream)
    assert before == everything[: len(before)]
    assert after == everything[len(everything) - len(after) :], "the rest comes once, in order"
    in_flight = len(everything) - len(before) - len(after)
    assert 0 <= in_flight <= 12, "only what the cut connection swallowed is missing"
    assert (await signalling.message(8, state=4))["reason"] == 6


async def test_a_broken_signalling_socket_takes_media_along_and_may_come_back(
    simulate: Callable[..., Any], clients: Callable[..., Any], endpoint: Endpoint
) -> None:
    simulator = await simulate(speed=SPEED, webhook_url=endpoint.url)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, media = await connect_all(client, 1)
    await cut(stream, media, FaultKind.CUT_SIGNALLING)
    assert await signalling.closing() == 1006
    assert await media.closing() == 1006
    await endpoint.events("meeting.rtms_started", "meeting.rtms_interrupted")
    second, rest = await connect_all(client, 1)
    assert await rest.closing() == 1000
    assert await second.closing() == 1000
    before, after, everything = heard(media.of(14)), heard(rest.of(14)), meant(stream)
    assert before == everything[: len(before)]
    assert after == everything[len(everything) - len(after) :]
    assert [(m["msg_type"], m["state"]) for m in second.of(8, 9)][:2] == [(8, 1), (9, 2)]
    names = ("meeting.rtms_started", "meeting.rtms_interrupted", "meeting.rtms_stopped")
    assert (await endpoint.events(*names))[1]["payload"] == {
        "meeting_uuid": client.meeting_uuid,
        "rtms_stream_id": client.stream_id,
    }


async def test_a_client_that_lets_go_and_stays_away_loses_the_stream(
    simulate: Callable[..., Any], clients: Callable[..., Any], endpoint: Endpoint
) -> None:
    simulator = await simulate(rules=Rules(signalling_window_s=0.2), webhook_url=endpoint.url)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, _ = await connect_all(client, 1)
    await signalling.connection.close()
    names = ("meeting.rtms_started", "meeting.rtms_interrupted", "meeting.rtms_stopped")
    assert (await endpoint.events(*names))[2]["payload"]["stop_reason"] == 19
    _, refusal = await client.signalling()
    assert refusal["status_code"] == 2


async def test_a_medium_that_stays_away_ends_the_stream(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(rules=Rules(media_window_s=0.2))
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, media = await connect_all(client, 1)
    await media.connection.close()
    assert (await signalling.message(8, state=4))["reason"] == 16


async def test_a_client_that_does_not_read_for_a_while_gets_all_audio_in_the_end(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(speed=4.0)
    stream = await simulator.start(short(seconds=24))
    client = clients(simulator, stream)
    _, media = await connect_all(client, 1 | 2)
    await media.until(lambda: len(media.of(15)) > 10, "pictures")
    media.connection.transport.pause_reading()
    await simulator.clock.until(stream.meeting.start_ms + 21_000)
    media.connection.transport.resume_reading()
    assert await media.closing() == 1000
    assert heard(media.of(14)) == meant(stream)
    assert len(media.of(15)) == stream.truth.to_json()["media"]["video"]["frames"]


async def test_webhooks_are_sent_again_until_they_are_taken(
    simulate: Callable[..., Any], endpoint: Endpoint, monkeypatch: Any
) -> None:
    monkeypatch.setattr("connectors.rtms.simulator.webhooks._RETRY_AFTER_S", (0.02, 0.02, 0.02))
    endpoint.refusals = 2
    simulator = await simulate(speed=50.0, webhook_url=endpoint.url)
    twice = Fault(kind=FaultKind.DUPLICATE_WEBHOOK)
    stream = await simulator.start(short(seconds=10, faults=[twice]))
    await asyncio.wait_for(stream.ended.wait(), WAIT_S)
    await endpoint.events("meeting.rtms_started", "meeting.rtms_started", "meeting.rtms_stopped")
    assert [(hook["event"], hook["attempts"], hook["status"]) for hook in stream.truth.webhooks] == [
        ("meeting.rtms_started", 3, 200), ("meeting.rtms_started", 1, 200), ("meeting.rtms_stopped", 1, 200),
    ]  # fmt: skip
