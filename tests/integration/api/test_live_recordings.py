"""FFmpeg plays a recording while its meeting goes on, by the links of the API alone, and again when it is over."""

import re
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import av
import httpx
import pytest

from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from schemas import topics
from schemas.object_names import INDEX, header_key, header_name, movie_key, playlist_key, segment_key
from schemas.records import FactKind, OutputKind, Segment, Stored, Utterance
from sinks.objects.movies import write_movie
from tests.support.browser import CHROMIUM, browsing
from tests.support.house import House, Tenant, fetched
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.meeting_events import chat, told_of
from tests.support.muxed import muxed
from tests.support.processes import PATIENCE_S, wait_for
from tests.support.seen_in_browser import Seen, drawn_bar, full_range, opened, seek, seen
from tests.support.still_pictures import still_records

T = START_MS
SECONDS = 26
HLS = {"live_start_index": "0", "rw_timeout": str(round(PATIENCE_S * 1_000_000))}


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
        with av.open(self.url, options=HLS, timeout=2 * PATIENCE_S) as container:
            for frame in container.decode():
                if isinstance(frame, av.VideoFrame):
                    self.times.append(float(frame.time or 0))
                elif isinstance(frame, av.AudioFrame):
                    self.samples += frame.samples


def put(store: ObjectStore, part: Segment) -> None:
    """What the objects sink does with a segment."""
    store.put(header_key(part.session_id, header_name(part.init)), part.init)
    store.put(segment_key(part), part.payload)


def recording_of(url: str) -> str:
    """The playlist of the recording that an index names."""
    return fetched(url).text.splitlines()[-1]


def recording(session_id: str) -> list[Segment]:
    shots = [Shot(T, T + 1000 * SECONDS, fps=10, key_every=20)]
    audio = wrapped(session_id, audio_records(session_id, [Talk(T, T + 1000 * SECONDS)]))
    return muxed(audio, wrapped(session_id, video_records(session_id, shots)), session=session_id)[:-1]


def over(house: House, tenant: Tenant, session_id: str, stream_id: str, epoch: int) -> None:
    """The meeting ends and its recording is stored."""
    tenant.end(stream_id)
    house.others.disconnect(session_id, epoch)
    stored = Stored(key=movie_key(session_id), start_ms=T)
    house.others.state(session_id, FactKind.RECORDING_STORED, stored=stored)


@pytest.fixture
def store(house) -> ObjectStore:
    return ObjectStore(ObjectsSettings(url=Path(house.objects).as_uri()))


def test_a_recording_is_played_while_it_grows_and_after_its_end(house, tenant, store):
    stream_id = uuid.uuid4().hex
    session_id = tenant.create(stream_id).json()["id"]
    path = f"/app_sessions/{session_id}/playlist"
    epoch = house.others.connect(session_id)
    parts = recording(session_id)
    for part in parts[:3]:
        early = tenant.http.get(path)
        assert (early.status_code, early.json()) == (404, {"error": "Nothing of this recording can be played yet"})
        put(store, part)
    url = tenant.http.get(path).json()["url"]
    player = Player(url).start()
    for number, part in enumerate(parts[3:], 4):
        played = sum(one.pictures for one in parts[: number - 1])
        wait_for(
            lambda wanted=played: len(player.times) >= wanted - 1, PATIENCE_S, lambda: f"stuck at {len(player.times)}"
        )
        assert "ENDLIST" not in fetched(recording_of(url)).text
        put(store, part)
    over(house, tenant, session_id, stream_id, epoch)
    player.thread.join(PATIENCE_S)
    assert not player.thread.is_alive(), "the player was never told that this was all"
    assert len(player.times) == sum(part.pictures for part in parts)
    assert player.times == sorted(player.times)
    assert player.samples == sum(part.audio_samples for part in parts)

    again = Player(url)
    again.play()
    assert (again.times, again.samples) == (player.times, player.samples)


VIDEO = """<video id="v" muted autoplay onresize="(window.widths ??= []).push(this.videoWidth)" src="{url}"></video>"""
PLAYED = """(() => {
    const v = document.getElementById("v");
    return {time: v.currentTime, widths: [v.videoWidth, ...(window.widths || [])], ended: v.ended,
            pictures: v.webkitDecodedFrameCount, sound: v.webkitAudioDecodedByteCount,
            error: v.error && v.error.message};
})()"""
SOUGHT = """(async () => {
    const v = document.getElementById("v");
    if (v.readyState < 2) await new Promise(resolve => v.onloadeddata = resolve);
    v.pause();
    v.currentTime = 5;
    await new Promise(resolve => v.onseeked = resolve);
})()"""
SHOWN = """(() => {
    const v = document.getElementById("v");
    return [v.currentTime, v.videoWidth, v.duration];
})()"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_plays_it_too_and_follows_another_size_and_a_shared_screen(house, tenant, store):
    session_id = tenant.create(stream_id := uuid.uuid4().hex).json()["id"]
    epoch = house.others.connect(session_id)
    shots = [
        Shot(T, T + 7000, 1, fps=10, key_every=20, width=640, height=360),
        Shot(T + 7000, T + 12_000, 2, fps=10, key_every=20, width=320, height=180),
        Shot(T + 15_000, T + 20_000, 1, fps=10, key_every=20, width=640, height=360),
    ]
    screen = Shot(T + 8000, T + 11_000, 2, fps=2, width=400, height=300, grey=150)
    audio = wrapped(session_id, audio_records(session_id, [Talk(T, T + 20_000)]))
    share = wrapped(session_id, still_records(session_id, [screen], still_ms=1000))
    parts = muxed(audio, wrapped(session_id, video_records(session_id, shots)), session_id, share=share)[:-1]
    widths = set()
    for part in parts[:3]:
        put(store, part)
    url = tenant.http.get(f"/app_sessions/{session_id}/playlist").json()["url"]
    with browsing() as page:
        page.open(VIDEO.format(url=url))

        def played(until_s: float) -> bool:
            state = page.run(PLAYED)
            assert state["error"] is None, state
            widths.update(state["widths"])  # also those that were over before anybody looked
            return state["time"] >= until_s

        for part, following in zip(parts, parts[3:], strict=False):
            end_s = (part.start_ms + part.duration_ms - parts[0].start_ms) / 1000
            wait_for(lambda wanted=end_s: played(wanted), PATIENCE_S, lambda: f"stuck: {page.run(PLAYED)}")
            put(store, following)
        over(house, tenant, session_id, stream_id, epoch)
        wait_for(lambda: played(0) and page.run(PLAYED)["ended"], PATIENCE_S, lambda: f"not ended: {page.run(PLAYED)}")
        end = page.run(PLAYED)
        assert widths >= {640, 320, 400}
        assert end["pictures"] >= sum(part.pictures for part in parts) * 0.95
        assert end["sound"] > 0
        page.open(VIDEO.format(url=url))
        page.run(SOUGHT)
        sought = [5, 640, pytest.approx(20.064, abs=0.1)]
        wait_for(lambda: page.run(SHOWN) == sought, PATIENCE_S, lambda: f"another picture: {page.run(SHOWN)}")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_whoever_seeks_in_the_finished_file_sees_the_picture_of_that_moment(house, tenant, store, tmp_path):
    session_id = tenant.create(stream_id := uuid.uuid4().hex).json()["id"]
    epoch = house.others.connect(session_id)
    shots = [
        Shot(T, T + 7000, 1, fps=10, key_every=20, width=640, height=360, grey=60),
        Shot(T + 7000, T + 12_000, 2, fps=10, key_every=20, grey=120),
        Shot(T + 15_000, T + 20_000, 1, fps=10, key_every=20, width=640, height=360, grey=150),
    ]
    audio = wrapped(session_id, audio_records(session_id, [Talk(T, T + 20_000)]))
    parts = muxed(audio, wrapped(session_id, video_records(session_id, shots)), session_id)[:-1]
    write_movie([parts[0].init, *(part.payload for part in parts)], tmp_path / "movie.mp4")
    store.put_file(movie_key(session_id), tmp_path / "movie.mp4", "video/mp4")
    over(house, tenant, session_id, stream_id, epoch)
    path = f"/app_sessions/{session_id}/media"
    wait_for(lambda: tenant.http.get(path).status_code == 200, PATIENCE_S, lambda: tenant.http.get(path).text)
    with browsing() as page:
        opened(page, tenant.http.get(path).json()["url"])
        for at_ms in (18_050, 3350, 13_500, 8850, 550, 15_050, 6950, 7050):
            seek(page, (T + at_ms - parts[0].origin_ms) / 1000)
            shot = next((shot for shot in shots if shot.from_ms <= T + at_ms < shot.to_ms), None)
            wait_for(
                lambda shot=shot, at_ms=at_ms: shows(seen(page), shot, T + at_ms),
                PATIENCE_S,
                lambda at_ms=at_ms: f"another picture at {at_ms}: {seen(page)}",
            )
            assert seen(page).duration_s == pytest.approx(20.064, abs=0.1)


def shows(picture: Seen, shot: Shot | None, at_ms: int) -> bool:
    """Whether it is the picture of that moment, black where there is none."""
    if shot is None:
        return (picture.bar, picture.grey) == (None, 0)
    where = (picture.width, picture.bar) == (shot.width, drawn_bar(shot, at_ms))
    return where and abs(picture.grey - full_range(shot.grey)) <= 8


def test_a_link_opens_one_playlist_for_players_anywhere(house, tenant, stranger, store):
    session_id = tenant.create().json()["id"]
    house.others.connect(session_id)
    path = f"/app_sessions/{session_id}/playlist"
    for part in recording(session_id)[:3]:
        put(store, part)
    assert stranger.http.get(path).status_code == 404
    url = httpx.URL(tenant.http.get(path).json()["url"])
    answer = fetched(url)
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    assert re.search('CODECS="avc1[.][0-9a-f]{6},mp4a.40.2",RESOLUTION=320x180,', answer.text)
    pictures, transcript = (
        fetched(found).text for found in (answer.text.splitlines()[-1], re.findall(r'URI="([^"]+)"', answer.text)[0])
    )
    for line in re.findall(r"http[^\s\"]+", pictures):
        part = fetched(line)
        assert part.status_code == 200
        assert part.headers["access-control-allow-origin"] == "*"
    assert len(re.findall("http.*vtt", transcript)) == pictures.count("#EXTINF") == 3
    for changed in (
        url.copy_set_param("expires", str(int(url.params["expires"]) + 1)),
        url.copy_set_param("signature", "x"),
        url.copy_with(path=f"/playlists/{playlist_key('app_other', INDEX)}"),
        url.copy_with(query=None),
    ):
        assert fetched(changed).status_code == 403


def test_what_is_said_and_written_stands_in_the_subtitles_of_its_moment(house, tenant, store):
    session_id = tenant.create().json()["id"]
    house.others.connect(session_id)
    for part in recording(session_id)[:3]:
        put(store, part)
    for number, text in enumerate(("early <b>", "later")):
        said = Utterance(
            session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{number}", engine="zoom",
            participant_name="Ada", start_ms=T + 1000 + 4000 * number, end_ms=T + 2500 + 4000 * number, text=text,
        )  # fmt: skip
        house.others.write(topics.TRANSCRIPTS, session_id, said)
    wrote = [
        chat(session_id, 5, 1, T + 2500, "m1", "see <this>"),
        chat(session_id, 5, 2, T + 9000, "m2", "gone"),
        chat(session_id, 5, 3, T + 9500, "m2", "", "delete"),
    ]
    house.others.happen(session_id, told_of(session_id, topics.CHAT.name, wrote))
    url = tenant.http.get(f"/app_sessions/{session_id}/playlist").json()["url"]
    transcript, written = re.findall(r'URI="([^"]+)"', fetched(url).text)

    def texts(playlist: str = transcript) -> list[str]:
        links = re.findall(r"http\S+", fetched(playlist).text)
        return [fetched(link).text for link in links]

    wait_for(lambda: "later" in texts()[1], PATIENCE_S, lambda: f"not said: {texts()}")
    wait_for(lambda: "see" in texts(written)[0], PATIENCE_S, lambda: f"not written: {texts(written)}")
    message = "\n00:00:02.564 --> 00:00:07.564\n<v P10>see &lt;this&gt;\n"
    heads = [texts()[2].replace("08.064,MPEGTS:725760", f"{at}") for at in ("00.000,MPEGTS:0", "04.064,MPEGTS:365760")]
    assert texts()[2] == "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:08.064,MPEGTS:725760\n"
    assert texts(written) == [heads[0] + message, heads[1] + message, texts()[2]]
    assert texts()[0] == heads[0] + "\n00:00:01.064 --> 00:00:02.564\n<v Ada>early &lt;b&gt;\n"
    assert texts()[1] == heads[1] + "\n00:00:05.064 --> 00:00:06.564\n<v Ada>later\n"
