"""Who gets in and who does not: every refusal carries the documented status."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.rules import Duplicate, Rules
from tests.integration.rtms_simulator.conftest import short
from tests.integration.rtms_simulator.strict_client import EVERYTHING, Json, sign


async def say_first(url: str, message: Any) -> tuple[Json | None, int | None]:
    """The answer to a first message, and how the server ended the conversation."""
    async with connect(url, compression=None) as connection:
        await connection.send(message if isinstance(message, str | bytes) else json.dumps(message))
        answers = [json.loads(data) async for data in connection]
    return (answers[0] if answers else None), connection.close_code


def with_changes(client: Any, **changes: Any) -> Json:
    message = {"msg_type": 1, "protocol_version": 1, "sequence": 1, **client.identify(), **changes}
    return {key: value for key, value in message.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"signature": "0" * 64}, 3),
        ({"signature": ...}, 3),
        ({"signature": 5}, 3),
        ({"rtms_stream_id": "another"}, 2),
        ({"rtms_stream_id": ...}, 2),
        ({"meeting_uuid": "another=="}, 2),
        ({"meeting_uuid": ...}, 4),
        ({"protocol_version": ...}, 4),
        ({"protocol_version": 2}, 4),
        ({"buffer_data": "no"}, 4),
        ({"msg_type": 5}, 1),
        ({"msg_type": ...}, 1),
    ],
)
async def test_signalling_refusals(
    simulate: Callable[..., Any], clients: Callable[..., Any], changes: Json, status: int
) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    answer, code = await say_first(client.url, with_changes(client, **changes))
    assert answer is not None
    assert (answer["msg_type"], answer["status_code"], code) == (2, status, 1000)
    assert answer["reason"]
    assert "media_server" not in answer


@pytest.mark.parametrize("rubbish", ["", "hello", "[]", "\x00", b"\xff\xfe", '{"msg_type": "1"}'])
async def test_rubbish_is_refused_too(
    simulate: Callable[..., Any], clients: Callable[..., Any], rubbish: str | bytes
) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    answer, code = await say_first(client.url, rubbish)
    assert answer is not None
    assert answer["status_code"] in (1, 2)
    assert code == 1000


@pytest.mark.parametrize("key", ["meeting_uuid", "webinar_uuid", "session_id", "engagement_id", "call_id"])
async def test_any_of_the_id_keys_is_accepted(
    simulate: Callable[..., Any], clients: Callable[..., Any], key: str
) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    message = with_changes(client, meeting_uuid=..., sequence=..., unknown={"x": 1}) | {key: client.meeting_uuid}
    async with connect(client.url + "/any/path?and=query", compression=None) as connection:
        await connection.send(json.dumps(message).encode())
        answer = json.loads(await connection.recv())
        first_event = json.loads(await connection.recv())
    assert answer["status_code"] == 0
    assert set(answer["media_server"]["server_urls"]) == {"audio", "video", "deskshare", "transcript", "chat", "all"}
    assert (first_event["msg_type"], first_event["event"]["event_type"]) == (6, 1)


async def test_who_says_nothing_is_sent_away(simulate: Callable[..., Any]) -> None:
    simulator = await simulate(rules=Rules(handshake_s=0.05))
    async with connect(simulator.url) as connection:
        await connection.wait_closed()
        assert connection.close_code == 1000


async def test_media_needs_signalling_first(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate()
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    media, answer = await client.media(f"{simulator.url}/media", 1)
    assert answer["status_code"] == 2
    assert await media.closing() == 1000
    assert [story.status for story in stream.truth.connections] == [2]


@pytest.mark.parametrize(
    ("media_type", "params", "status"),
    [
        ("1", None, 7),
        (None, None, 7),
        (0, None, 14),
        (33, None, 14),
        (64, None, 14),
        (16, None, 13),
        (4, None, 11),
        (1, [], 17),
        (1, {"audio": []}, 18),
        (1, {"audio": {"codec": "L16"}}, 18),
        (1, {"audio": {"content_type": 3}}, 19),
        (1, {"audio": {"sample_rate": 4}}, 20),
        (1, {"audio": {"channel": 3}}, 21),
        (1, {"audio": {"codec": 7}}, 22),
        (1, {"audio": {"codec": 4, "sample_rate": 1}}, 20),
        (1, {"audio": {"data_opt": 3}}, 23),
        (1, {"audio": {"send_rate": 30}}, 24),
        (1, {"audio": {"send_rate": 0}}, 24),
        (2, {"video": {"content_type": 2}}, 26),
        (2, {"video": {"codec": 1}}, 27),
        (2, {"video": {"codec": 7, "fps": 5}}, 27),
        (2, {"video": {"codec": 5, "fps": 25}}, 30),
        (2, {"video": {"codec": 7, "fps": 31}}, 30),
        (2, {"video": {"codec": 7, "fps": 25, "resolution": 5}}, 28),
        (2, {"video": {"codec": 7, "fps": 25, "data_opt": 5}}, 29),
        (8, {"transcript": {"src_language": 99}}, 43),
        (8, {"transcript": {"enable_lid": 1}}, 36),
        (8, {"transcript": {"content_type": 2}}, 37),
    ],
)
async def test_media_refusals(
    simulate: Callable[..., Any], clients: Callable[..., Any], media_type: Any, params: Any, status: int
) -> None:
    offered = frozenset({Medium.AUDIO, Medium.VIDEO, Medium.CAPTIONS})
    simulator = await simulate(rules=Rules(offered=offered))
    client = clients(simulator, await simulator.start(short()))
    _, answer = await client.signalling()
    urls = answer["media_server"]["server_urls"]
    assert set(urls) == {"audio", "video", "transcript", "all"}
    media, refusal = await client.media(urls["all"], media_type, params)
    assert refusal["status_code"] == status
    assert refusal["payload_encrypted"] is False
    assert await media.closing() == 1000


@pytest.mark.parametrize("params", [None, {}, {"audio": None}, {"audio": {}}, {"audio": {"send_rate": None}}])
async def test_what_is_not_asked_for_comes_with_defaults(
    simulate: Callable[..., Any], clients: Callable[..., Any], params: Any
) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    _, answer = await client.signalling()
    _, agreed = await client.media(answer["media_server"]["server_urls"]["all"], 32, params)
    assert agreed["media_params"] == {
        "audio": {"content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 1, "send_rate": 20},
        "video": {"content_type": 3, "codec": 5, "resolution": 2, "data_opt": 3, "fps": 5},
        "deskshare": {"content_type": 3, "codec": 5, "resolution": 2, "fps": 1},
        "transcript": {"content_type": 5, "src_language": 9, "enable_lid": True},
        "chat": {"content_type": 5},
    }


async def test_more_than_allowed_is_clamped_or_falls_back(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    _, answer = await client.signalling()
    asked = {"audio": {"send_rate": 2_000}, "video": {"fps": 25}}
    _, agreed = await client.media(answer["media_server"]["server_urls"]["all"], 3, asked)
    assert agreed["media_params"]["audio"]["send_rate"] == 1_000
    assert (agreed["media_params"]["video"]["codec"], agreed["media_params"]["video"]["fps"]) == (5, 5)


async def test_one_socket_a_medium(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    _, answer = await client.signalling()
    urls = answer["media_server"]["server_urls"]
    assert (await client.media(urls["audio"], 1, EVERYTHING))[1]["status_code"] == 0
    assert (await client.media(urls["audio"], 1, EVERYTHING))[1]["status_code"] == 16
    assert (await client.media(urls["all"], 32, EVERYTHING))[1]["status_code"] == 16
    assert (await client.media(urls["video"], 2, EVERYTHING))[1]["status_code"] == 0


async def test_nothing_beside_a_socket_for_everything(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate()
    client = clients(simulator, await simulator.start(short()))
    _, answer = await client.signalling()
    urls = answer["media_server"]["server_urls"]
    assert (await client.media(urls["all"], 32, EVERYTHING))[1]["status_code"] == 0
    assert (await client.media(urls["chat"], 16, EVERYTHING))[1]["status_code"] == 15


async def test_a_second_signalling_connection_can_be_refused(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate(rules=Rules(duplicate=Duplicate.REFUSE))
    client = clients(simulator, await simulator.start(short()))
    first, _ = await client.signalling()
    second, refusal = await client.signalling()
    assert refusal["status_code"] == 8
    assert await second.closing() == 1000
    assert not first.is_closed
    await first.connection.close()
    assert await first.closing() == 1000
    for _ in range(100):
        _, answer = await client.signalling()
        if answer["status_code"] == 0:
            return
    raise AssertionError("refused for good")


async def test_a_second_signalling_connection_can_replace_the_first(
    simulate: Callable[..., Any], clients: Callable[..., Any]
) -> None:
    simulator = await simulate()
    stream = await simulator.start(short())
    client = clients(simulator, stream)
    first, answer = await client.signalling()
    media, _ = await client.media(answer["media_server"]["server_urls"]["all"], 32, EVERYTHING)
    second, again = await client.signalling()
    assert again["status_code"] == 0
    assert await first.closing() == 1000
    assert await media.closing() == 1000
    assert not second.is_closed
    await second.say({"msg_type": 19, "rtms_stream_id": client.stream_id})
    await second.message(20)
    assert [story.ended_by for story in stream.truth.connections] == ["replaced", "replaced", None]


async def test_after_the_end_nobody_gets_in(simulate: Callable[..., Any], clients: Callable[..., Any]) -> None:
    simulator = await simulate(speed=50.0)
    stream = await simulator.start(short(seconds=10))
    await stream.ended.wait()
    _, answer = await clients(simulator, stream).signalling()
    assert answer["status_code"] == 2


def test_the_documented_signature() -> None:
    """The example of the protocol's description, so that this client does not only agree with the simulator."""
    import hashlib
    import hmac

    made = hmac.new(b"csecret", b"cid,meetAAA==,stream0001", hashlib.sha256).hexdigest()
    assert made == "a0738c6255b66e10d2f33177841ad6a8129e9b34104d2065f0d8bd72c6bff7c7"
    assert len(sign("meetAAA==", "stream0001")) == 64
