"""Live feeds: what is written is told once to everybody, wherever and however often they come back."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from websockets.exceptions import ConnectionClosed, InvalidStatus

from schemas import topics
from schemas.deletion import CONSENT_REVOKED
from schemas.ids import partition_of
from schemas.keys import item_key
from schemas.records import FactKind, OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from tests.support.crowd import Crowd
from tests.support.feeds import Told, connected, listening, message
from tests.support.house import ADMIN_TOKEN, House, Tenant
from tests.support.processes import PATIENCE_S, wait_for

T0_MS = 1_700_000_000_000
WAIT_S = PATIENCE_S
ARRIVES_S = 5.0
"""In which a whole request has to; a client that is not run for a moment must not be late."""


def line(session_id: str, number: int, revision: int = 1, text: str = "", **fields: object) -> Utterance:
    return Utterance(
        session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{number}", engine="zoom", revision=revision,
        text=text or f"words {number}", participant_id=7, participant_name="Ada", start_ms=T0_MS + number,
        end_ms=T0_MS + number + 500, **fields,
    )  # fmt: skip


def say(house: House, *utterances: Utterance) -> None:
    for utterance in utterances:
        house.others.write(topics.TRANSCRIPTS, utterance.session_id, utterance)


def said_all(house: House, session_id: str) -> None:
    say(house, Utterance(session_id=session_id, kind=OutputKind.END))


def ids(events: list[Told]) -> list[tuple[str, int]]:
    return [(told.data["id"], told.data["revision"]) for told in events if told.event == "utterance"]


def texts(tenant: Tenant, transcript: str) -> list[str]:
    return [row["transcription"]["transcript"] for row in tenant.http.get(transcript).json()]


Opened = tuple[str, socket.socket]


@pytest.fixture
def session_id(house: House, tenant: Tenant) -> str:
    made = str(tenant.create().raise_for_status().json()["id"])
    house.others.connect(made)
    return made


@pytest.fixture(scope="module")
def second(house: House) -> Iterator[str]:
    """Another replica of the API, with little patience for requests and frequent signs of life."""
    with house.replica(RTMS_API_FEED_KEEP_ALIVE_S="0.2", RTMS_API_RECEIVE_TIMEOUT_S=str(ARRIVES_S)) as url:
        yield url


def of(house: House, session_id: str, feed: str = "transcript/stream", url: str | None = None) -> str:
    return f"{url or house.url + '/api/v1'}/app_sessions/{session_id}/{feed}"


async def test_what_was_said_and_what_is_said(house: House, tenant: Tenant, session_id: str) -> None:
    say(house, line(session_id, 1), line(session_id, 2))
    async with listening(of(house, session_id), tenant.key) as feed:
        assert ids(await feed.upto(2)) == [("utt_1", 1), ("utt_2", 1)]
        say(house, line(session_id, 3), line(session_id, 1, 2, "other words"), line(session_id, 3))
        say(house, line(session_id, 4, status=UtteranceStatus.FAILED, reason="no_engine"))
        third, corrected, failed = await feed.upto(3)
        assert ids([third, corrected]) == [("utt_3", 1), ("utt_1", 2)]
        assert corrected.data["transcription"] == {"transcript": "other words"}
        assert (failed.data["status"], failed.data["reason"]) == ("failed", "no_engine")
        said_all(house, session_id)
        end = await feed.next()
        assert (end.event, end.data) == ("end", {"reason": "complete"})
        assert await feed.all() == []
    answer = tenant.http.get(f"/app_sessions/{session_id}/transcript/stream", headers={"Last-Event-ID": end.id or ""})
    assert answer.status_code == 204
    rows = f"/app_sessions/{session_id}/transcript"
    wait_for(lambda: texts(tenant, rows) == ["other words", "words 2", "words 3"], WAIT_S, lambda: "rows are missing")
    row = tenant.http.get(rows).json()[0]
    assert corrected.data | row == corrected.data, "the keys of the list, and some more"


async def test_what_is_taken_back(house: House, tenant: Tenant, session_id: str) -> None:
    kafka, producer = house.others.kafka, house.others.producer
    key, partition = item_key(session_id, "utt_1"), partition_of(session_id, kafka.partitions)
    async with listening(of(house, session_id), tenant.key) as feed:
        value = house.others.decoder.codec.encode(topics.TRANSCRIPTS, line(session_id, 1))
        producer.send_blocking(topics.TRANSCRIPTS, key, value, partition)
        await feed.next()
        producer.send_blocking(topics.TRANSCRIPTS, key, None, partition)
        removed = await feed.next()
        assert (removed.event, removed.data) == ("removed", {"id": "utt_1"})


async def test_who_reads_is_told_of_a_deletion(house: House, tenant: Tenant, session_id: str) -> None:
    """That of the transcript, while it lasts, then of everything, at which nothing can follow."""
    say(house, line(session_id, 1))
    async with listening(of(house, session_id), tenant.key) as feed, connected(of(house, session_id), tenant.key) as ws:
        assert ids([await feed.next(), await message(ws)]) == [("utt_1", 1)] * 2
        (await asyncio.to_thread(tenant.http.delete, f"/app_sessions/{session_id}/transcript")).raise_for_status()
        for told in (await feed.next(), await message(ws)):
            assert (told.event, told.id) == ("deleted", None)
            assert told.data["said_until_ms"] > T0_MS
        house.others.state(session_id, FactKind.DATA_DELETED, reason=CONSENT_REVOKED)
        rest = [told for told in await feed.all() if told.event != "removed"]
        assert [(told.event, told.data) for told in rest] == [
            ("deleted", {"said_until_ms": None}), ("end", {"reason": "deleted"}),
        ]  # fmt: skip
        while (last := await message(ws)).event != "end":
            assert last.event in ("removed", "deleted")


async def test_who_comes_and_goes(house: House, tenant: Tenant, session_id: str) -> None:
    came = ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id="pe_1", event="join",
                            participant_id=1, participant_name="Ada", timestamp_ms=T0_MS)  # fmt: skip
    async with listening(of(house, session_id, "participant_events/stream"), tenant.key) as feed:
        house.others.happen(session_id, [came, came])
        joined, end = await feed.all()
    assert (joined.event, joined.data["id"], joined.data["event_type"]) == ("participant_event", "pe_1", "join")
    assert end.event == "end"


async def test_the_states(house: House, tenant: Tenant, second: str) -> None:
    session_id = tenant.create().json()["id"]
    async with listening(of(house, session_id, "stream"), tenant.key) as feed:
        first = await feed.next()
        assert (first.data["old_state"], first.data["new_state"]) == ("ready", "connecting")
        epoch = house.others.connect(session_id)
        then = await feed.next()
        assert (then.data["sequence"], then.data["new_state"]) == (1, "connected")
    house.others.disconnect(session_id, epoch)
    for kind in (FactKind.RECORDING_FAILED, FactKind.TRANSCRIPT_STORED, FactKind.EVENTS_STORED):
        house.others.state(session_id, kind, reason="nothing recorded")
    async with listening(of(house, session_id, "stream", second), tenant.key, then.id) as feed:
        rest = await feed.all()
    assert [told.data["new_state"] for told in rest[:-1]] == ["disconnecting", "post_processing", "ended"]
    assert rest[-1].event == "end"
    headers = {"Last-Event-ID": rest[-1].id or ""}
    assert tenant.http.get(f"/app_sessions/{session_id}/stream", headers=headers).status_code == 204
    assert tenant.http.post(f"/app_sessions/{session_id}/delete_data").status_code == 200
    async with listening(of(house, session_id, "stream"), tenant.key, rest[-1].id) as feed:
        assert [told.event for told in await feed.all()] == ["state_change", "end"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_lost_or_doubled_however_often_a_reader_is_torn_off(
    house: House, tenant: Tenant, session_id: str, second: str, seed: int
) -> None:
    """Lines, corrections and what a restarted processor writes again, read in pieces from two replicas in turn."""
    dice = random.Random(seed)
    written = [line(session_id, number) for number in range(250)]
    for _ in range(50):
        at = dice.randrange(1, len(written))
        again = dice.choice(written[:at])
        written.insert(at, line(session_id, int(again.utterance_id[4:]), again.revision + dice.randrange(2)))
    expected, newest = [], {}
    for utterance in written:
        if utterance.revision > newest.get(utterance.utterance_id, 0):
            newest[utterance.utterance_id] = utterance.revision
            expected.append((utterance.utterance_id, utterance.revision))
    first = house.url + "/api/v1"
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: (say(house, *written), said_all(house, session_id)))
        got: list[Told] = []
        while not got or got[-1].event != "end":
            url, last = dice.choice([first, second]), got[-1].id if got else None
            async with listening(of(house, session_id, url=url), tenant.key, last) as feed:
                try:
                    for _ in range(dice.randrange(0, 25)):  # then the connection is cut, whatever is on its way
                        got.append(await feed.next())
                except StopAsyncIteration:
                    assert got[-1].event == "end"
        writing.result()
    assert ids(got) == expected
    with_ids = [told.id for told in got]
    assert len(set(with_ids)) == len(with_ids)
    async with listening(of(house, session_id, url=second), tenant.key) as feed:
        assert await feed.all() == got, "whoever comes late gets the same, with the same ids"


async def test_the_same_as_a_websocket(house: House, tenant: Tenant, session_id: str, second: str) -> None:
    say(house, line(session_id, 1))
    async with connected(of(house, session_id), tenant.key) as feed:
        first = await message(feed)
        await feed.send("what clients say is of no interest")
        say(house, line(session_id, 2))
        assert ids([first, await message(feed)]) == [("utt_1", 1), ("utt_2", 1)]
    async with connected(of(house, session_id, url=second), tenant.key, first.id) as feed:
        assert ids([await message(feed)]) == [("utt_2", 1)]
        said_all(house, session_id)
        assert (await message(feed)).event == "end"
        with pytest.raises(ConnectionClosed):
            await feed.recv()
        assert feed.close_code == 1000


FEEDS = ["stream", "transcript/stream", "participant_events/stream"]


@pytest.mark.parametrize("feed", FEEDS)
async def test_who_may_not_is_told_nothing(
    house: House, tenant: Tenant, stranger: Tenant, session_id: str, feed: str
) -> None:
    path = f"/app_sessions/{session_id}/{feed}"
    for asking in (path, path.replace(session_id, "app_0000000000000000")):
        answer = stranger.http.get(asking)
        assert (answer.status_code, answer.json()) == (404, {"error": "App session not found"})
    writes = {"name": "w", "scopes": ["write"]}
    key = house.http(ADMIN_TOKEN).post(f"/projects/{tenant.project_id}/api_keys", json=writes).json()["key"]
    for token, status in ((stranger.key, 404), ("nobody's", 401), (key, 403)):
        assert house.http(token).get(path).status_code == status
        with pytest.raises(InvalidStatus) as refused:
            async with connected(of(house, session_id, feed), token):
                pass
        assert refused.value.response.status_code == status
        assert refused.value.response.body == house.http(token).get(path).content


@pytest.mark.parametrize("last_event_id", ["x", "-1", "0-", "99-1", "1-2-3", "{partition}-999999", "0-0-END"])
@pytest.mark.parametrize("feed", FEEDS)
def test_an_id_that_no_event_had(house: House, tenant: Tenant, session_id: str, feed: str, last_event_id: str) -> None:
    partition = str(partition_of(session_id, house.others.kafka.partitions))
    given = {"Last-Event-ID": last_event_id.replace("{partition}", partition)}
    answer = tenant.http.get(f"/app_sessions/{session_id}/{feed}", headers=given)
    assert answer.status_code == 400
    assert "Last-Event-ID" in answer.json()["error"]


async def test_a_session_that_never_was_connected_has_nothing_to_wait_for(house: House, tenant: Tenant) -> None:
    session_id = tenant.create().json()["id"]
    async with listening(of(house, session_id), tenant.key) as early:
        epoch = house.others.state(session_id, FactKind.CLAIMED, worker="w")
        house.others.state(session_id, FactKind.CONNECTION_FAILED, epoch=epoch, reason="refused")
        assert [told.event for told in await early.all()] == ["end"]
    async with listening(of(house, session_id), tenant.key) as late:
        assert [(told.event, told.data) for told in await late.all()] == [("end", {"reason": "session_over"})]


def test_five_hundred_readers_of_one_replica(house: House, tenant: Tenant, session_id: str) -> None:
    """One consumption of the topic: everybody is told everything once, in order."""
    say(house, *(line(session_id, number) for number in range(5)))
    with closing(Crowd(house, tenant)) as crowd:
        crowd.come([session_id], 500)
        say(house, *(line(session_id, number) for number in range(5, 10)))
        said_all(house, session_id)
        crowd.await_end()
    assert all(list(heard) == [f"utt_{number}" for number in range(10)] for heard in crowd.heard)
    assert {len(times) for heard in crowd.heard for times in heard.values()} == {1}


@pytest.fixture
async def deaf(house: House, tenant: Tenant, session_id: str) -> AsyncIterator[Opened]:
    """Somebody who asks a replica with short queues, and reads nothing; nobody is cut off for how long that lasts."""
    short = {"RTMS_API_FEED_QUEUE_CHARACTERS": "1000000", "RTMS_API_SEND_TIMEOUT_S": str(10 * PATIENCE_S)}
    with house.replica(**short) as url, socket.socket() as client:
        address = urlsplit(of(house, session_id, url=url))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((address.hostname, address.port))
        head = f"GET {address.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {tenant.key}\r\n\r\n"
        client.sendall(head.encode())
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        yield url, client


AT_ONCE = 20
"""Of those long lines: no more than the short queue holds, so that only those are let go who read none."""


async def test_who_does_not_read_is_let_go_and_nobody_else(
    house: House, tenant: Tenant, session_id: str, deaf: Opened
) -> None:
    url, client = deaf
    long = [line(session_id, number, text="x" * 20_000) for number in range(600)]
    async with listening(of(house, session_id, url=url), tenant.key) as others:
        for start in range(0, len(long), AT_ONCE):
            some = long[start : start + AT_ONCE]
            await asyncio.to_thread(say, house, *some)
            assert ids(await others.upto(len(some))) == [(utterance.utterance_id, 1) for utterance in some]
    received = b""
    client.settimeout(WAIT_S)
    while part := client.recv(1024 * 1024):
        received += part
        _, closing, rest = received[-2000:].partition(b"event: closing")
        if closing and b"\n\n" in rest:  # the whole event: it may come in pieces
            break
    assert b'data: {"reason":"too_slow"}' in received[-2000:]
    whole = received[: received.rindex(b"event: closing")].count(b"event: utterance")
    assert whole < len(long)
    last = received[: received.rindex(b"event: closing")].rsplit(b"id: ", 1)[1].split(b"\n")[0].decode()
    async with listening(of(house, session_id, url=url), tenant.key, last) as back:
        rest = ids(await back.upto(len(long) - whole))
    assert rest == [(utterance.utterance_id, 1) for utterance in long[whole:]], "what was missed is told then"


async def test_silence_is_no_reason_to_be_cut_off(house: House, tenant: Tenant, session_id: str, second: str) -> None:
    async with (
        listening(of(house, session_id, url=second), tenant.key) as feed,
        connected(of(house, session_id, url=second), tenant.key) as messages,
    ):
        since_s = time.monotonic()
        while time.monotonic() - since_s < ARRIVES_S + 1:
            await feed.sign_of_life()
        say(house, line(session_id, 1))
        assert await message(messages) == await feed.next()


async def test_a_key_that_is_switched_off_ends_its_connections(house: House, tenant: Tenant, second: str) -> None:
    session_id = tenant.create().json()["id"]
    admin, keys = house.http(ADMIN_TOKEN), f"/projects/{tenant.project_id}/api_keys"
    key = admin.post(keys, json={"name": "short"}).json()
    async with (
        listening(of(house, session_id, url=second), key["key"]) as feed,
        connected(of(house, session_id, url=second), key["key"]) as messages,
    ):
        admin.delete(f"{keys}/{key['id']}").raise_for_status()
        assert (await feed.all())[-1].data == {"reason": "key_invalid"}
        assert (await message(messages)).data == {"reason": "key_invalid"}
        with pytest.raises(ConnectionClosed):
            await messages.recv()
        assert messages.close_code == 1013


async def test_a_replica_that_stops_sends_its_readers_away(house: House, tenant: Tenant, session_id: str) -> None:
    say(house, line(session_id, 1))
    with house.another() as (url, replica), ThreadPoolExecutor(1) as pool:
        async with (
            listening(of(house, session_id, url=url), tenant.key) as feed,
            connected(of(house, session_id, url=url), tenant.key) as messages,
        ):
            first = await feed.next()
            assert await message(messages) == first
            stopping = pool.submit(replica.stop)
            last = await feed.next()
            assert (last.event, last.id, last.data) == ("closing", None, {"reason": "restarting"})
            assert await feed.all() == []
            with pytest.raises(ConnectionClosed):
                await messages.recv()
            assert messages.close_code == 1012
            stopping.result()
            assert replica.exit_code() == 0
    async with listening(of(house, session_id), tenant.key, first.id) as feed:
        say(house, line(session_id, 2))
        assert ids([await feed.next()]) == [("utt_2", 1)]


async def test_what_retention_has_taken(house: House, tenant: Tenant, session_id: str) -> None:
    """Last in this file: it deletes from the partition."""
    say(house, line(session_id, 1))
    async with listening(of(house, session_id), tenant.key) as feed:
        first = await feed.next()
    say(house, line(session_id, 2), line(session_id, 3))
    partition, offset = (int(part) for part in (first.id or "").split("-"))
    admin = AdminClient({"bootstrap.servers": house.env["RTMS_KAFKA_BOOTSTRAP_SERVERS"]})
    place = TopicPartition(topics.TRANSCRIPTS.name, partition, offset + 2)
    for deleted in admin.delete_records([place]).values():
        deleted.result(WAIT_S)
    headers = {"Last-Event-ID": first.id or ""}
    answer = tenant.http.get(f"/app_sessions/{session_id}/transcript/stream", headers=headers)
    assert answer.status_code == 410
    assert "no longer in the log" in answer.json()["error"]
    with pytest.raises(InvalidStatus) as refused:
        async with connected(of(house, session_id), tenant.key, first.id):
            pass
    assert refused.value.response.status_code == 410
    async with listening(of(house, session_id), tenant.key) as feed:
        assert ids([await feed.next()]) == [("utt_3", 1)]
