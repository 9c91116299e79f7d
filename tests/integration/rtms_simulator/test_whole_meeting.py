"""Meetings from announcement to goodbye: everything sent arrives, is what was meant, and adds up."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.meeting import Meeting
from tests.integration.rtms_simulator.conftest import Endpoint, short
from tests.integration.rtms_simulator.strict_client import EVERYTHING, WAIT_S, Json, payload_of, sign, tally

SPEED = 4.0


def truth_tally(truth: Json) -> dict[tuple[str, int], tuple[int, int, str]]:
    return {
        (medium, track["user_id"]): (track["frames"], track["bytes"], track["sha256"])
        for medium, facts in truth["media"].items()
        if medium != "events"
        for track in facts["tracks"]
    }


def stamp_of(message: Json) -> int:
    return int(message["content"]["timestamp"])


async def test_a_whole_meeting_over_one_media_socket(
    simulate: Callable[..., Any], clients: Callable[..., Any], endpoint: Endpoint
) -> None:
    simulator = await simulate(speed=SPEED, webhook_url=endpoint.url)
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    signalling, answer = await client.signalling()
    assert answer["status_code"] == 0
    await client.subscribe(signalling, 2, 3, 4, 5, 6, 8, 9)
    media, agreed = await client.media(answer["media_server"]["server_urls"]["all"], 32, EVERYTHING)
    wanted = EVERYTHING | {"deskshare": EVERYTHING["deskshare"] | {"resolution": 2}}
    assert agreed["media_params"] == wanted
    await client.ready(signalling)
    assert await media.closing() == 1000
    assert await signalling.closing() == 1000
    await asyncio.wait_for(stream.ended.wait(), WAIT_S)

    truth = stream.truth.to_json()
    assert tally(media.seen) == truth_tally(truth)
    assert truth["complaints"] == []
    meant = list(stream.meeting.of_medium(Medium.AUDIO))
    assert [(f.timestamp_ms, f.user_id, f.payload) for f in meant] == [
        (stamp_of(m), m["content"]["user_id"], payload_of(m)) for m in media.of(14)
    ], "audio is complete from the first millisecond on, although nobody was connected then"
    ready_ms = next(story.ready_ms for story in stream.truth.connections if story.ready_ms)
    for number, medium in ((15, Medium.VIDEO), (16, Medium.SHARE), (17, Medium.CAPTIONS)):
        sent_from = [frame.due_ms for frame in stream.meeting.of_medium(medium)]
        got = [(stamp_of(m), payload_of(m)) for m in media.of(number)]
        everything = [(frame.timestamp_ms, frame.payload) for frame in stream.meeting.of_medium(medium)]
        assert got == everything[len(everything) - len(got) :], "nothing but the beginning is missing"
        assert len(got) >= sum(1 for due_ms in sent_from if due_ms > ready_ms + 1_000 * SPEED)
    assert signalling.events()[0]["event_type"] == 1
    ends = [(m["msg_type"], m["state"], m["reason"]) for m in signalling.of(8, 9)]
    assert ends == [(8, 1, 0), (9, 2, 0), (9, 5, 6), (8, 4, 6)]
    assert signalling.seen[-1]["msg_type"] == 8
    left = {p["user_id"] for event in signalling.events(4) for p in event["participants"]}
    assert left == {person.user_id for person in stream.meeting.participants}

    started, stopped = await endpoint.events("meeting.rtms_started", "meeting.rtms_stopped")
    assert started["payload"]["server_urls"] == client.url
    assert stopped["payload"] == {
        "meeting_uuid": client.meeting_uuid,
        "rtms_stream_id": client.stream_id,
        "stop_reason": 6,
    }
    assert endpoint.forged == 0


async def test_split_sockets_spoken_like_zooms_own_library(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    """Binary frames, pretty-printed JSON with sorted keys, a sub-protocol, and one ack after the last socket."""
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(short(seconds=12))
    client = clients(simulator, stream)
    signalling, answer = await client.signalling(rtms_client_agent="rtms_sdk_cpp-.0.20260319-python-rtms")
    urls = answer["media_server"]["server_urls"]
    sockets = []
    for name, number in (("audio", 1), ("video", 2), ("deskshare", 4), ("transcript", 8)):
        params = {name: EVERYTHING[name]} if name != "transcript" else None
        connection = await connect(
            urls[name], subprotocols=["websocket"], user_agent_header="Mozilla/5.0 Zoom.App", compression=None,
            additional_headers={"X-WebSocket-Token": "QQ==,QQ==,QQ=="}, max_size=None,
        )  # fmt: skip
        assert connection.subprotocol == "websocket"
        request = {
            "media_params": params, "media_type": number, "meeting_uuid": client.meeting_uuid, "msg_type": 3,
            "protocol_version": 1, "rtms_stream_id": client.stream_id, "sequence": 123456789,
            "signature": sign(client.meeting_uuid, client.stream_id),
        }  # fmt: skip
        await connection.send(json.dumps(request, indent="\t", sort_keys=True).encode() + b"\n")
        sockets.append((connection, json.loads(await connection.recv())))
    assert [answer["status_code"] for _, answer in sockets] == [0, 0, 0, 0]
    assert all(list(answer["media_params"]) for _, answer in sockets)
    await signalling.say({"msg_type": 7, "rtms_stream_id": client.stream_id})
    received: list[Json] = []
    for connection, _ in sockets:
        async for data in connection:
            message = json.loads(data)
            if message["msg_type"] == 12:
                reply = {"msg_type": 13, "timestamp": message["timestamp"], "sequence": message["sequence"]}
                await connection.send(json.dumps(reply))
            received.append(message)
        assert connection.close_code == 1000
    assert await signalling.closing() == 1000
    assert tally(received) == truth_tally(stream.truth.to_json())
    assert {message["msg_type"] for message in received} >= {14, 15, 16, 17}


async def test_two_meetings_at_once_do_not_meet(
    simulate: Callable[..., Any], clients: Callable[..., Any], films: Path
) -> None:
    simulator = await simulate(speed=SPEED)
    for seed in (1, 2):  # or the first is over before the second one's pictures are made
        Meeting.build(seed, 12, cache=films).prepare()
    streams = [await simulator.start(short(seconds=12, seed=seed)) for seed in (1, 2)]
    rooms = []
    for stream in streams:
        client = clients(simulator, stream)
        signalling, answer = await client.signalling()
        media, _ = await client.media(answer["media_server"]["server_urls"]["all"], 1 | 2 | 8, EVERYTHING)
        await client.ready(signalling)
        rooms.append(media)
    for stream, media in zip(streams, rooms, strict=True):
        assert await media.closing() == 1000
        assert tally(media.seen) == truth_tally(stream.truth.to_json())
        people = {person.user_id for person in stream.meeting.participants}
        assert {m["content"]["user_id"] for m in media.of(14, 15, 17)} <= people
        assert not media.of(16, 18)


@pytest.mark.parametrize("send_rate", [20, 200, 1000])
async def test_audio_comes_in_chunks_of_what_was_agreed(
    simulate: Callable[..., Any], clients: Callable[..., Any], send_rate: int
) -> None:
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(short(seconds=12))
    client = clients(simulator, stream)
    signalling, answer = await client.signalling()
    params = {"audio": EVERYTHING["audio"] | {"send_rate": send_rate, "data_opt": 1}}
    media, _ = await client.media(answer["media_server"]["server_urls"]["audio"], 1, params)
    await client.ready(signalling)
    assert await media.closing() == 1000
    chunks = media.of(14)
    assert {m["content"]["length"] for m in chunks} == {32 * send_rate}
    assert {m["content"]["user_id"] for m in chunks} == {0}
    start_ms = stream.meeting.start_ms
    assert [stamp_of(m) for m in chunks] == list(range(start_ms, start_ms + 12_000, send_rate))
    assert stream.truth.to_json()["media"]["audio"]["audio_seconds"] == 12.0
