"""What is said between handshake and goodbye: subscriptions, acks, keep-alives, queries, closing, pauses."""

import asyncio
from collections.abc import Callable
from typing import Any

from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.people import Role
from connectors.rtms.simulator.rules import Rules
from tests.integration.rtms_simulator.conftest import Endpoint, short
from tests.integration.rtms_simulator.strict_client import EVERYTHING


async def test_subscribing_to_joins_tells_who_is_there_already(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate()
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, _ = await client.signalling()
    await client.subscribe(signalling, 3, 8)
    await signalling.until(lambda: signalling.events(8), "cameras")
    host, reader = (stream.meeting.script.cast.having(role) for role in (Role.HOST, Role.READER))
    joined = signalling.events(3)[0]["participants"]
    assert {"user_id": host.user_id, "user_name": host.name} in joined
    assert len(joined) == 3
    assert signalling.events(8)[0]["participants"] == [{"user_id": host.user_id}, {"user_id": reader.user_id}]


async def test_events_come_only_while_they_are_subscribed_to(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(speed=5.0)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, _ = await client.signalling()
    await client.subscribe(signalling, 2, 4)
    await signalling.say({"msg_type": 5, "events": [{"event_type": 4, "subscribe": False}]})
    assert await signalling.closing() == 1000
    assert {event["event_type"] for event in signalling.events()} == {1, 2}
    assert stream.truth.complaints == []


async def test_what_must_not_be_done_is_noted(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate()
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, _ = await client.signalling()
    await client.subscribe(signalling, 1, 7)
    await signalling.say({"msg_type": 5})
    await client.ready(signalling)
    await signalling.say({"msg_type": 7, "rtms_stream_id": "another"})
    await signalling.say({"msg_type": 13, "timestamp": 5})
    await signalling.say({"msg_type": 99})
    await signalling.connection.send("no message")
    await signalling.say({"msg_type": 19, "rtms_stream_id": client.stream_id})
    assert (await signalling.message(20))["state"] == 0
    assert len(stream.truth.complaints) == 8
    assert not signalling.is_closed


async def test_keep_alives_come_on_every_socket_and_silence_ends_it(
    simulate: Callable[..., Any], clients: Callable[..., Any], endpoint: Endpoint
) -> None:
    simulator = await simulate(rules=Rules(keep_alive_s=0.1), webhook_url=endpoint.url)
    stream = await simulator.start(short())
    good = clients(simulator, stream)
    signalling, answer = await good.signalling()
    media, _ = await good.media(answer["media_server"]["server_urls"]["audio"], 1, EVERYTHING)
    for socket in (signalling, media):
        await socket.until(lambda s=socket: len(s.of(12)) >= 6, "six keep-alives")
        numbers = [message["sequence"] for message in socket.of(12)]
        assert numbers == sorted(set(numbers))
    assert stream.truth.complaints == []

    signalling.answers = False
    assert await signalling.closing() == 1006
    assert await media.closing() == 1006, "media goes with signalling"
    ended_by = {story.kind: story.ended_by for story in stream.truth.connections}
    assert ended_by == {"signalling": "keep_alive", "media": "interrupted"}
    await endpoint.events("meeting.rtms_started", "meeting.rtms_interrupted")


async def test_an_answer_with_another_timestamp_is_no_answer(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(rules=Rules(keep_alive_s=0.05))
    stream = await simulator.start(short())
    client = clients(simulator, stream, answers=False)
    signalling, _ = await client.signalling()
    while not signalling.is_closed:
        await signalling.say({"msg_type": 13, "timestamp": 1_700_000_000_000})
        await asyncio.sleep(0.01)
    assert await signalling.closing() == 1006
    assert stream.truth.connections[0].ended_by == "keep_alive"


async def test_media_flows_only_after_an_ack_and_late_sockets_need_another(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(speed=4.0)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, answer = await client.signalling()
    urls = answer["media_server"]["server_urls"]
    audio, _ = await client.media(urls["audio"], 1, EVERYTHING)
    await simulator.clock.until(stream.meeting.start_ms + 3_000)
    assert not audio.of(14)
    await client.ready(signalling)
    await audio.until(lambda: audio.of(14), "audio")
    video, _ = await client.media(urls["video"], 2, EVERYTHING)
    await simulator.clock.until(simulator.clock.now_ms() + 2_000)
    assert not video.of(15)
    await client.ready(signalling)
    await video.until(lambda: video.of(15), "video")
    assert [(m["msg_type"], m["state"]) for m in signalling.of(8, 9)] == [(8, 1), (9, 2)]
    await signalling.say({"msg_type": 10, "rtms_session_id": stream.identity.session_id})
    assert (await signalling.message(11))["state"] == 2


async def test_asking_for_the_end_is_answered_and_granted(
    simulate: Callable[..., Any], clients: Callable[..., Any], endpoint: Endpoint
) -> None:
    simulator = await simulate(webhook_url=endpoint.url)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, answer = await client.signalling()
    media, _ = await client.media(answer["media_server"]["server_urls"]["all"], 32, EVERYTHING)
    await client.ready(signalling)
    await signalling.say({"msg_type": 21, "rtms_stream_id": "another"})
    assert (await signalling.message(22))["status_code"] == 2
    await signalling.say({"msg_type": 21, "rtms_stream_id": client.stream_id})
    assert (await signalling.message(22, status_code=0))["reason"] == "OK"
    assert (await signalling.message(8, state=4))["reason"] == 20
    assert await media.closing() == 1000
    assert await signalling.closing() == 1000
    _, stopped = await endpoint.events("meeting.rtms_started", "meeting.rtms_stopped")
    assert stopped["payload"]["stop_reason"] == 20


async def test_a_pause_is_announced_and_nothing_of_it_is_ever_sent(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(speed=2.0)
    pause = Fault(kind=FaultKind.PAUSE, at_s=6, for_s=4)
    stream = await simulator.start(short(faults=[pause]))
    client = clients(simulator, stream)
    signalling, answer = await client.signalling()
    media, _ = await client.media(answer["media_server"]["server_urls"]["all"], 1 | 2, EVERYTHING)
    await client.ready(signalling)
    assert await media.closing() == 1000
    assert [(m["msg_type"], m["state"]) for m in signalling.of(8, 9)] == [
        (8, 1), (9, 2), (9, 3), (8, 5), (9, 4), (8, 6), (9, 5), (8, 4),
    ]  # fmt: skip
    stamps = [m["content"]["timestamp"] - stream.meeting.start_ms for m in media.of(14, 15)]
    assert not [at for at in stamps if 6_000 <= at < 9_800]
    assert [at for at in stamps if at < 6_000]
    assert [at for at in stamps if at > 10_000]
