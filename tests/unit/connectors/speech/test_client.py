"""The client against a service that behaves in every way there is."""

import gzip
import threading
from collections import deque

import pytest

from connectors.speech.client import MAX_ANSWER_BYTES, SpeechClient
from connectors.speech.deepgram import Deepgram
from connectors.speech.exchange import Failure, Heard, Service
from connectors.speech.openai import OpenAI
from processors.transcription.sound_files import sound_file
from schemas.transcription_codes import Reason
from tests.support.speech_service import KEY, Reply, SpeechServer, speech_server

SOUND = sound_file(bytes(32_000), 16_000, OpenAI.file_type)
PATIENCE_S = 60.0


async def asked(service: Service, sound: bytes = SOUND, limit_s: float = PATIENCE_S) -> Heard | Failure:
    client = SpeechClient(limit_s, 2)
    try:
        return await client.ask(service, sound, {"model": "m", "language": "en"})
    finally:
        await client.close()


async def answered(*replies: Reply) -> Heard | Failure:
    """What comes of these replies; when they are over, a good one would follow."""
    server = SpeechServer()
    server.plan.extend(replies)
    with speech_server(server):
        found = await asked(OpenAI(f"{server.url}/v1", KEY))
        assert len(server.asked) == 1
        return found


async def test_openai_hears() -> None:
    with speech_server() as server:
        found = await asked(OpenAI(f"{server.url}/v1", KEY))
        assert isinstance(found, Heard)
        assert found.text == "heard 1.00 seconds"
        assert [word.text for word in found.words] == ["heard", "1.00", "seconds"]
        assert server.asked[0].fields["timestamp_granularities[]"] == ["word"]


async def test_deepgram_hears() -> None:
    with speech_server() as server:
        found = await asked(Deepgram(server.url, KEY))
        assert isinstance(found, Heard)
        assert (found.text, found.model) == ("heard 1.00 seconds", "m")


async def test_a_wrong_key_is_refused_for_good() -> None:
    with speech_server() as server:
        assert await asked(OpenAI(f"{server.url}/v1", "wrong")) == Failure(Reason.CREDENTIALS_INVALID, is_final=True)
        assert await asked(Deepgram(server.url, "wrong")) == Failure(Reason.CREDENTIALS_INVALID, is_final=True)


async def test_a_key_that_no_header_can_hold() -> None:
    with speech_server() as server:
        for key in ("schlüssel", "a\r\nX: y"):
            found = await asked(OpenAI(f"{server.url}/v1", key))
            assert isinstance(found, Failure)
        assert not server.asked


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(500), Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)),
        (Reply(429, headers={"Retry-After": "7"}), Failure(Reason.RATE_LIMIT_EXCEEDED, False, 7.0)),
        (Reply(200, b"<html>"), Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)),
        (Reply(drop=True), Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)),
        (Reply(200, b" " * (MAX_ANSWER_BYTES + 1), {"Content-Length": "99999999999"}),
         Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)),
        (Reply(200, gzip.compress(b'{"text": "x"}'), {"Content-Encoding": "gzip"}),
         Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)),
        (Reply(302, headers={"Location": "http://169.254.169.254/"}),
         Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=True)),
    ],
    ids=["error", "too many", "html", "dropped", "endless", "packed", "redirect"],
)  # fmt: skip
async def test_whatever_comes_is_an_answer(reply: Reply, expected: Failure) -> None:
    assert await answered(reply) == expected


@pytest.mark.parametrize("body", [None, b'{"text"'], ids=["never answers", "stops in the middle"])
async def test_a_slow_service_costs_one_attempt(body: bytes | None) -> None:
    held = threading.Event()
    slow = Reply(held=held) if body is None else Reply(200, body, {"Content-Length": "900"})
    with speech_server(SpeechServer(plan=deque([slow]))) as server:
        try:
            found = await asked(OpenAI(f"{server.url}/v1", KEY), limit_s=0.2)
        finally:
            held.set()
    assert found == Failure(Reason.TIMED_OUT, is_final=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "ftp://127.0.0.1/v1", "http://[/v1", "nonsense"])
async def test_an_address_where_nobody_is(url: str) -> None:
    found = await asked(OpenAI(url, KEY))
    assert isinstance(found, Failure)
    assert found.reason is Reason.TRANSCRIPTION_REQUEST_FAILED


async def test_what_a_service_gives_one_key_to_remember_is_not_said_for_another() -> None:
    server = SpeechServer()
    server.plan.append(Reply(401, headers={"Set-Cookie": "session=of-the-first"}))
    with speech_server(server):
        client = SpeechClient(PATIENCE_S, 2)
        try:
            for key in ("first", KEY):
                await client.ask(OpenAI(f"{server.url}/v1", key), SOUND, {})
        finally:
            await client.close()
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer first", f"Bearer {KEY}"]
    assert not [asked for asked in server.asked if "cookie" in asked.headers]
