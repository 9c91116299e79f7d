"""A customer of the pipeline, over HTTP: asks for sessions and for their ends, and remembers what was acknowledged."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from deploy.local.asking import answered
from tests.soak.answers import Answers
from tests.soak.buckets import KEY_ID, SECRET
from tests.soak.expected import Expected
from tests.soak.orders import PLAIN, Order, Section

RETRY_S = 0.3
UNAVAILABLE = httpx.codes.SERVICE_UNAVAILABLE
TIMEOUT_S = 60.0
"""Longer than the API may take for an answer: to record (5 s), to fold (5 s), to ask ClickHouse (15 s)."""

ANSWERED_S = 60.0
"""For an answer that was put off, when nothing is in its way any more but a busy machine."""

TRIGGERS = (
    "bot.state_change", "transcript.update", "participant_events.join_leave", "chat_messages.update",
    "async_transcription.state_change",
)  # fmt: skip

Pause = Callable[[float], None]
"""Waits for so many seconds; raises when it is time to stop."""


class Customer:
    """One project, with a storage of its own; safe to use from several threads. `sessions` has the ids that were
    acknowledged, by stream."""

    def __init__(self, url: str, admin_token: str, storage_url: str) -> None:
        self._url = f"{url}/api/v1"
        self.sessions: dict[str, str] = {}
        self._orders: dict[str, Order] = {}
        with self.client(f"Token {admin_token}") as admin:
            self.project_id = _had(lambda: admin.post("/projects", json={"name": "soak"})).json()["id"]
            path = f"/projects/{self.project_id}"
            key = _had(lambda: admin.post(f"{path}/api_keys", json={"name": "soak"})).json()["key"]
            app = {"client_id": "soak", "client_secret": "s3cret"}
            _had(lambda: admin.post(f"{path}/zoom_apps", json=app))
            own = {"access_key_id": KEY_ID, "access_key_secret": SECRET, "endpoint_url": storage_url}
            _had(lambda: admin.put(f"{path}/credentials/external_media_storage", json=own))
        self._authorization = f"Token {key}"

    def client(self, authorization: str | None = None) -> httpx.Client:
        """With the project's key; close it."""
        headers = {"Authorization": authorization or self._authorization}
        return httpx.Client(base_url=self._url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=False)

    def order(self, stream_id: str) -> Order:
        """What is asked for of a stream, each time."""
        return self._orders.get(stream_id, PLAIN)

    def request(self, stream_id: str, order: Order, pause: Pause) -> str:
        """The id of the stream's session; asks again until it is acknowledged."""
        self._orders[stream_id] = order
        self.sessions[stream_id] = _insisted(self.client, "/app_sessions", order.body(stream_id), pause)
        return self.sessions[stream_id]

    def transcribe(self, session_id: str, settings: Section, pause: Pause) -> str:
        """The id of a side transcript of a session that has ended; asks again until it is acknowledged.

        What was not acknowledged may be made, too: each request is for another one.
        """
        return _insisted(
            self.client, f"/app_sessions/{session_id}/transcript", {"transcription_settings": settings}, pause
        )

    def subscribe(self, url: str) -> None:
        """Have a receiver told of everything."""
        with self.client() as http:
            _had(lambda: http.post("/webhooks", json={"url": url, "triggers": list(TRIGGERS)}))

    def end(self, stream_id: str, pause: Pause) -> None:
        """End the stream's session; asks again until it is acknowledged."""
        _insisted(self.client, "/app_sessions/end", ended(stream_id), pause)

    def answers(self, session_id: str, expected: Expected) -> Answers:
        """Everything there is to read of a session that is over; whatever is no answer is raised."""
        path = f"/app_sessions/{session_id}"
        with self.client() as own, httpx.Client(timeout=TIMEOUT_S, trust_env=False, verify=False) as anybody:

            def get(asked: str) -> httpx.Response:
                return _had(lambda: own.get(asked))

            def downloaded(url: str) -> bytes:
                return anybody.get(url).raise_for_status().content

            asked = {str(engine): f"engine={engine}" for engine in expected.engines}
            asked |= {side: f"async_transcription_id={side}" for side in expected.sides}
            tracks = get(f"{path}/media/tracks").json()["tracks"]
            return Answers(
                session=get(path).json(),
                transcripts={name: get(f"{path}/transcript?{query}").json() for name, query in asked.items()},
                events=pages(get, f"{path}/participant_events") or (),
                recording=downloaded(get(f"{path}/media").json()["url"]),
                tracks={one["track"]: downloaded(one["url"]) for one in tracks},
            )


def ended(stream_id: str) -> dict[str, object]:
    """The body that ends one."""
    return {"zoom_rtms": {"rtms_stream_id": stream_id}}


def _had(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer; one that is put off is asked for again."""
    return answered(ask, ANSWERED_S).raise_for_status()


def _insisted(client: Callable[[], httpx.Client], path: str, body: object, pause: Pause) -> str:
    while True:
        try:
            with client() as http:
                return str(http.post(path, json=body).raise_for_status().json()["id"])
        except httpx.TransportError:
            pass
        except httpx.HTTPStatusError as error:
            if error.response.status_code != UNAVAILABLE:
                raise
        pause(RETRY_S)


def pages(get: Callable[[str], httpx.Response | None], path: str) -> list[Mapping[str, Any]] | None:
    """All items of a list; None when `get` had no answer for a page."""
    found: list[Mapping[str, Any]] = []
    following: str | None = path
    while following is not None:
        answer = get(following)
        if answer is None:
            return None
        found += answer.json()["results"]
        following = answer.json()["next"]
    return found
