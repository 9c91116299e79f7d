"""Simulated meetings into the cluster: asked for through its Service, followed, and what the log holds of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self

import httpx

from connectors.kafka.decoder import Decoder
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Credentials, Rules
from connectors.rtms.simulator.server import ServerOptions, Simulator
from connectors.rtms.simulator.stream import Stream
from schemas import topics
from schemas.ids import partition_of
from schemas.records import AppSession, MediaRecord
from schemas.sessions import State
from schemas.topics import Topic
from tests.cluster.network import HOST

END_S = 180.0
_LOAD_S = 60.0
_PATIENCE_S = 60.0
_LOOK_S = 0.2
_SETTINGS: dict[str, Any] = {
    "transcription_settings": {"moonshine": {"language": "en"}, "meeting_closed_captions": {}},
    "recording_settings": {"format": "mp4"},
}


class Held:
    """A meeting that runs, and the session that was asked for on it."""

    def __init__(self, stream: Stream, session: str) -> None:
        self.stream = stream
        self.session = session
        self.began = time.monotonic()


class Meetings:
    """Use it with `async with`: a simulated Zoom on the pods' bridge, and a customer of the API."""

    def __init__(self, admin_token: str, kafka: KafkaSettings) -> None:
        # No picture is dropped because this machine is slow: what is missing then is our own doing.
        options = ServerOptions(host=HOST, rules=replace(Rules(), stale_picture_s=1e6))
        self._simulator = Simulator(options)
        self.description_url = ""
        self._http = httpx.Client(timeout=20, trust_env=False)
        self._admin = {"Authorization": f"Token {admin_token}"}
        self._kafka = kafka
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._closing.callback(self._http.close)
        await self._closing.enter_async_context(self._simulator)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    def reach(self, api_url: str) -> None:
        """Where the API is from now on; a project is made the first time."""
        self.description_url = f"{api_url}/openapi.json"
        self._http.base_url = f"{api_url}/api/v1"
        if "Authorization" not in self._http.headers:
            self._become_customer(self._simulator.options.credentials)

    async def start(self, *, seconds: int, seed: int) -> Held:
        """A meeting, joined."""
        stream = await self._simulator.start(MeetingRequest(seconds=seconds, seed=seed))
        announced = {
            "meeting_uuid": stream.identity.meeting_uuid,
            "rtms_stream_id": stream.identity.stream_id,
            "server_urls": self._simulator.signalling_url(stream),
            "operator_id": "somebody",
        }
        body = {"zoom_rtms": announced, **_SETTINGS}
        made = await asyncio.to_thread(self._http.post, "/app_sessions", json=body)
        return Held(stream, str(made.raise_for_status().json()["id"]))

    async def heard(self, held: Held, seconds: float) -> None:
        """Return when so much of the meeting has been sent."""
        wanted_ms = held.stream.meeting.start_ms + seconds * 1000
        sent = held.stream.truth.sent
        deadline = time.monotonic() + seconds + _PATIENCE_S
        while not any(frame.timestamp_ms >= wanted_ms for frame in sent[-50:]):
            assert time.monotonic() < deadline, f"Zoom sends nothing: {held.stream.truth.to_json()['connections']}"
            await asyncio.sleep(_LOOK_S)

    async def ended(self, held: Held) -> dict[str, Any]:
        """What the API says when everything is stored."""
        deadline = time.monotonic() + END_S + (held.stream.meeting.end_ms - held.stream.meeting.start_ms) / 1000
        while (told := await asyncio.to_thread(self.told, held.session))["state"] != State.ENDED:
            assert told["state"] != "fatal_error", told
            assert time.monotonic() < deadline, f"it does not end: {told}"
            await asyncio.sleep(_LOOK_S)
        return told

    async def state(self, session: str) -> AppSession:
        """As lifecycle has folded it last."""
        found: Sequence[AppSession] = await asyncio.to_thread(self._records, topics.APP_SESSIONS, session)
        return found[-1]

    async def media(self, session: str) -> dict[str, list[MediaRecord]]:
        """The session's six topics by medium."""
        return {topic.medium: await asyncio.to_thread(self._records, topic, session) for topic in topics.MEDIA_TOPICS}

    def told(self, session: str) -> dict[str, Any]:
        """What the API says of a session."""
        found: dict[str, Any] = self._http.get(f"/app_sessions/{session}").raise_for_status().json()
        return found

    def _become_customer(self, app: Credentials) -> None:
        project = self._post("/projects", {"name": "cluster"})["id"]
        key = self._post(f"/projects/{project}/api_keys", {"name": "cluster"})["key"]
        self._post(f"/projects/{project}/zoom_apps", {"client_id": app.client_id, "client_secret": app.client_secret})
        self._http.headers["Authorization"] = f"Token {key}"

    def _post(self, path: str, body: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = self._http.post(path, json=body, headers=self._admin).raise_for_status().json()
        return found

    def _records(self, topic: Topic, session: str) -> list[Any]:
        loader = PartitionLoader(self._kafka)
        try:
            place = Place(topic.name, partition_of(session, self._kafka.partitions))
            loaded = [record.value for record in loader.load([place], _LOAD_S) if record.value]
        finally:
            loader.close()
        decoder = Decoder.from_settings(self._kafka)
        found = [decoder.decode(topic, value) for value in loaded]
        return [record for record in found if getattr(record, "session_id", None) == session]
