"""Fetches what a meeting left behind over REST, as a customer would once the session has ended."""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.asking import answered
from schemas.settings import Engine


class ResultsMissing(Exception):
    """The API does not give what an ended session must have; the text says which answer came instead."""


@dataclass(frozen=True, slots=True)
class Results:
    """The files written, and what the API said beside them."""

    recording: Path
    transcript: Path
    events: Path
    chat: Path
    media: dict[str, Any]
    captions: list[dict[str, Any]]
    utterances: list[dict[str, Any]]
    participant_events: list[dict[str, Any]]
    chat_messages: list[dict[str, Any]]


def fetch(api_url: str, api_key: str, session_id: str, folder: Path) -> Results:
    """Write the recording, transcript, events and chat into `folder`.

    Raises:
        ResultsMissing: an answer is another one than an ended session must have, however often it is asked for.
        httpx.HTTPError: there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    headers = {"Authorization": f"Token {api_key}"}
    with httpx.Client(base_url=api_url, headers=headers, timeout=30, trust_env=False) as api:
        base = f"/api/v1/app_sessions/{session_id}"
        media = _get(api, f"{base}/media").json()
        recording = folder / "recording.mp4"
        _download(media["url"], recording)
        transcript = folder / "transcript.vtt"
        transcript.write_bytes(_get(api, f"{base}/transcript", engine=Engine.MOONSHINE, format="vtt").content)
        utterances = _get(api, f"{base}/transcript", engine=Engine.MOONSHINE).json()
        captions = _get(api, f"{base}/transcript", engine=Engine.ZOOM).json()
        happened = _pages(api, f"{base}/participant_events")
        written = _pages(api, f"{base}/chat_messages")
    events, chat = _listed(folder / "events.json", happened), _listed(folder / "chat.json", written)
    return Results(recording, transcript, events, chat, media, captions, utterances, happened, written)


def _listed(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(items, indent=2, ensure_ascii=False) + "\n")
    return path


def _pages(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        page = _get(api, following).json()
        found += page["results"]
        following = page["next"]
    return found


def _get(api: httpx.Client, path: str, **query: str) -> httpx.Response:
    answer = answered(lambda: api.get(path, params=query or None))
    if answer.status_code != 200:
        raise ResultsMissing(f"GET {path} answered {answer.status_code}: {answer.text[:200]}")
    return answer


def _download(url: str, path: Path) -> None:
    """Signed links need no token: they are followed without one, as a browser would."""
    with httpx.Client(timeout=60, trust_env=False) as anybody:
        asked = anybody.build_request("GET", url)
        with closing(answered(lambda: anybody.send(asked, stream=True))) as answer, path.open("wb") as file:
            if answer.status_code != 200:
                raise ResultsMissing(f"the media link answered {answer.status_code}")
            for piece in answer.iter_bytes():
                file.write(piece)
