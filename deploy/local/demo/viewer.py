"""Somebody who opens the recording's playlist while the meeting goes on: how long ago was what it has last?"""

from datetime import datetime

import httpx

from connectors.host.clock import Clock
from deploy.local.demo.results import ResultsMissing

LATER = (404, 503)
"""Nothing can be played yet; the API asks to try again."""

_BEGINS, _LASTS = "#EXT-X-PROGRAM-DATE-TIME:", "#EXTINF:"


class Viewer:
    """Looks when it is told to, as a player does every few seconds."""

    def __init__(self, api_url: str, api_key: str, session_id: str, clock: Clock) -> None:
        self._api = httpx.Client(timeout=30, trust_env=False)
        self._index = f"{api_url}/api/v1/app_sessions/{session_id}/playlist"
        self._key = {"Authorization": f"Token {api_key}"}
        self._clock = clock
        self._playlist = ""
        self._known: list[int] = []
        self._ages_ms: list[int] = []

    def look(self) -> None:
        """Raises ResultsMissing for an answer that no player expects, httpx.HTTPError where there is none."""
        if not self._playlist:
            answer = self._get(self._index, self._key)
            index = answer and self._get(answer.json()["url"])
            if index is None:
                return
            self._playlist = index.text.splitlines()[-1]
        answer = self._get(self._playlist)
        if answer is not None:
            self._see(starts_ms(answer.text))

    def _see(self, starts: list[int]) -> None:
        """Of what is there when it opens, the newest counts: a playlist is none while it is too short for a browser."""
        new = [start for start in starts if start not in self._known] if self._known else starts[-1:]
        self._known = starts
        self._ages_ms += [self._clock.now_ms() - start for start in new]

    @property
    def behind_s(self) -> float | None:
        """How old the first moment of a segment was when it was seen, at most; None where none ever was."""
        return max(self._ages_ms) / 1000 if self._ages_ms else None

    def close(self) -> None:
        self._api.close()

    def _get(self, url: str, headers: dict[str, str] | None = None) -> httpx.Response | None:
        answer = self._api.get(url, headers=headers)
        if answer.status_code in LATER:
            return None
        if answer.status_code != 200:
            raise ResultsMissing(f"a playlist answered {answer.status_code}: {answer.text[:200]}")
        return answer


def starts_ms(playlist: str) -> list[int]:
    """When each segment of a playlist begins, by Zoom's clock. Pure."""
    found: list[int] = []
    at_ms = 0.0
    for line in playlist.splitlines():
        if line.startswith(_BEGINS):
            at_ms = datetime.fromisoformat(line.removeprefix(_BEGINS)).timestamp() * 1000
        elif line.startswith(_LASTS):
            found.append(round(at_ms))
            at_ms += float(line.removeprefix(_LASTS).rstrip(",")) * 1000
    return found
