"""FFmpeg plays a recording while its meeting goes on, by the links of the API alone, and again when it is over."""

import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import av
import httpx
import pytest

from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from schemas.object_names import header_key, header_name, movie_key, playlist_key, segment_key
from schemas.records import FactKind, Segment, Stored
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import muxed
from tests.support.processes import wait_for

T = START_MS
SECONDS = 26
HLS = {"live_start_index": "0", "rw_timeout": "20000000"}


@dataclass
class Player:
    """FFmpeg, in a thread: it reads the playlist again and again until it is told that this was all."""

    url: str
    times: list[float] = field(default_factory=list)
    samples: int = 0
    thread: threading.Thread = field(init=False)

    def start(self) -> "Player":
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()
        return self

    def play(self) -> None:
        with av.open(self.url, options=HLS, timeout=30) as container:
            for frame in container.decode():
                if isinstance(frame, av.VideoFrame):
                    self.times.append(float(frame.time or 0))
                elif isinstance(frame, av.AudioFrame):
                    self.samples += frame.samples


def put(store: ObjectStore, part: Segment) -> None:
    """What the objects sink does with a segment."""
    store.put(header_key(part.session_id, header_name(part.init)), part.init)
    store.put(segment_key(part), part.payload)


def recording(session_id: str) -> list[Segment]:
    shots = [Shot(T, T + 1000 * SECONDS, fps=10, key_every=20)]
    audio = wrapped(session_id, audio_records(session_id, [Talk(T, T + 1000 * SECONDS)]))
    return muxed(audio, wrapped(session_id, video_records(session_id, shots)), session=session_id)[:-1]


@pytest.fixture
def store(house) -> ObjectStore:
    return ObjectStore(ObjectsSettings(url=Path(house.objects).as_uri()))


def test_a_recording_is_played_while_it_grows_and_after_its_end(house, tenant, store):
    stream_id = uuid.uuid4().hex
    session_id = tenant.create(stream_id).json()["id"]
    path = f"/app_sessions/{session_id}/playlist"
    assert tenant.http.get(path).status_code == 404
    epoch = house.others.connect(session_id)
    wait_for(lambda: tenant.http.get(path).status_code == 200, 20, lambda: "no playlist")
    url = tenant.http.get(path).json()["url"]
    assert httpx.get(url, trust_env=False).json() == {"error": "Nothing of this recording is stored yet"}

    parts = recording(session_id)
    for part in parts[:3]:
        put(store, part)
    player = Player(url).start()
    for number, part in enumerate(parts[3:], 4):
        played = sum(one.pictures for one in parts[: number - 1])
        wait_for(lambda wanted=played: len(player.times) >= wanted - 1, 60, lambda: f"stuck at {len(player.times)}")
        assert "ENDLIST" not in httpx.get(url, trust_env=False).text
        put(store, part)
    tenant.end(stream_id)
    house.others.disconnect(session_id, epoch)
    stored = Stored(key=movie_key(session_id), start_ms=parts[0].start_ms)
    house.others.state(session_id, FactKind.RECORDING_STORED, stored=stored)
    player.thread.join(60)
    assert not player.thread.is_alive(), "the player was never told that this was all"
    assert len(player.times) == sum(part.pictures for part in parts)
    assert player.times == sorted(player.times)
    assert player.samples == sum(part.audio_samples for part in parts)

    again = Player(url)
    again.play()
    assert (again.times, again.samples) == (player.times, player.samples)


def test_a_link_opens_one_playlist_for_players_anywhere(house, tenant, stranger, store):
    session_id = tenant.create().json()["id"]
    house.others.connect(session_id)
    path = f"/app_sessions/{session_id}/playlist"
    wait_for(lambda: tenant.http.get(path).status_code == 200, 20, lambda: "no playlist")
    assert stranger.http.get(path).status_code == 404
    put(store, recording(session_id)[0])
    url = httpx.URL(tenant.http.get(path).json()["url"])
    answer = httpx.get(url, trust_env=False)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    for line in (line for line in answer.text.splitlines() if line.startswith("http")):
        fetched = httpx.get(line, trust_env=False)
        assert (fetched.status_code, fetched.headers["content-type"]) == (200, "video/iso.segment")
        assert fetched.headers["access-control-allow-origin"] == "*"
    for changed in (
        url.copy_set_param("expires", str(int(url.params["expires"]) + 1)),
        url.copy_set_param("signature", "x"),
        url.copy_with(path=f"/playlists/{playlist_key('app_other')}"),
        url.copy_with(query=None),
    ):
        assert httpx.get(changed, trust_env=False).status_code == 403
