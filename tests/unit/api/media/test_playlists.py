"""A playlist only ever grows, and what it lists is played by a player like the file."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.media import formats, playlists
from api.media.formats import Format
from api.media.recordings import Recording, playable
from processors.muxing.fragments import sound_header
from schemas import object_names
from schemas.object_names import StoredSegment, header_key, segment_key, stored_segments
from schemas.records import Pause, Segment
from schemas.settings import Engine, SessionSettings
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, decoded, joined, muxed

T = START_MS
DEFAULTS = SessionSettings()


def stored(*starts_s: int, header: str = "aaaaaaaaaaaa") -> list[StoredSegment]:
    return [StoredSegment(T + at * 1000, 4000, header, f"sessions/s/segments/{at}") for at in starts_s]


class Names:
    """Links that a test can read."""

    def made(self, key: str) -> str:
        return f"https://api/{key}"

    def stored(self, key: str) -> str:
        return f"https://o/{key}"


def of(
    segments: Sequence[StoredSegment],
    *,
    is_over: bool = False,
    pauses: Sequence[Pause] = (),
    settings: SessionSettings = DEFAULTS,
) -> Recording:
    return Recording("s", settings, playable(segments, is_over=is_over), 800_000, is_over, pauses)


def text(segments: Sequence[StoredSegment], *, is_over: bool = False, pauses: Sequence[Pause] = ()) -> str:
    return playlists.recording(of(segments, is_over=is_over, pauses=pauses), Names())


def test_what_a_player_reads() -> None:
    assert text(stored(0, 4), is_over=True).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:6",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-MEDIA-SEQUENCE:0",
        '#EXT-X-MAP:URI="https://o/sessions/s/headers/aaaaaaaaaaaa.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2025-10-09T08:53:20.000000Z",
        "#EXTINF:4.000,",
        "https://o/sessions/s/segments/0",
        "#EXTINF:4.000,",
        "https://o/sessions/s/segments/4",
        "#EXT-X-ENDLIST",
    ]


def test_another_header_is_a_discontinuity() -> None:
    lines = text([*stored(0), *stored(4, 8, header="bbbbbbbbbbbb")]).splitlines()
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at + 1] == '#EXT-X-MAP:URI="https://o/sessions/s/headers/bbbbbbbbbbbb.mp4"'


def test_a_gap_holds_the_playlist_up_as_long_as_it_may_be_filled() -> None:
    behind = range(8, 8 + 60, 4)
    assert playable(stored(0, *behind[:-1]), is_over=False) == ()
    assert "segments/12\n" not in text(stored(-8, -4, 0, 8, 12))
    late = text(stored(0, *behind))
    assert "#EXT-X-DISCONTINUITY" in late
    assert f"segments/{behind[-1]}\n" in late
    assert "segments/8\n" in text(stored(0, 8), is_over=True)


def test_a_pause_is_marked_where_it_begins_and_once_more_when_it_is_over() -> None:
    segments, pauses = stored(0, 4, 8, 12), [Pause(from_ms=T + 5500, to_ms=T + 8250), Pause(from_ms=T + 15_000)]
    begun = '#EXT-X-DATERANGE:ID="pause-1760000005500",CLASS="rtms-pause",START-DATE="2025-10-09T08:53:25.500000Z"'
    open_one = '#EXT-X-DATERANGE:ID="pause-1760000015000",CLASS="rtms-pause",START-DATE="2025-10-09T08:53:35.000000Z"'
    lines = text(segments, is_over=True, pauses=pauses).splitlines()
    assert [line for line in lines if "segments" in line or "RANGE" in line] == [
        "https://o/sessions/s/segments/0",
        begun,
        "https://o/sessions/s/segments/4",
        f"{begun},DURATION=2.750",
        "https://o/sessions/s/segments/8",
        open_one,
        "https://o/sessions/s/segments/12",
    ]
    late = Pause(from_ms=T + 16_000)
    assert "RANGE" not in text(segments, pauses=[late])
    assert text(segments, is_over=True, pauses=[late]).splitlines()[-2].startswith("#EXT-X-DATERANGE")


@pytest.mark.parametrize("seed", range(20))
def test_whatever_order_segments_are_stored_in_the_playlist_only_grows(seed: int) -> None:
    dice = random.Random(seed)
    waiting, said = stored(*range(0, 400, 4)), ""
    times = sorted(dice.sample(range(T, T + 400_000), 8))
    pauses = [Pause(from_ms=one, to_ms=other) for one, other in zip(times[::2], times[1::2], strict=True)]
    there = [waiting.pop(0)]  # it stands alone for seconds before the next is made
    while waiting:
        is_late = there[-1].start_ms > waiting[0].start_ms + 20_000
        there.append(waiting.pop(0 if is_late else dice.randrange(min(8, len(waiting)))))
        there.sort()
        now = text(there, pauses=known_at(there[-1].start_ms, pauses)) if playable(there, is_over=False) else ""
        assert now.startswith(said)
        said = now
    whole = text(there, is_over=True, pauses=pauses)
    assert whole.startswith(said)
    assert re.fullmatch("(#EXT-X-DATERANGE.*\n)*#EXT-X-ENDLIST\n", whole.removeprefix(said))
    assert whole.count("DURATION=") == len(pauses)
    assert said.count("#EXTINF") == 100


def known_at(now_ms: int, pauses: Sequence[Pause]) -> list[Pause]:
    """As a session's state has them while a segment is stored: it is seconds ahead of those."""
    begun = [pause for pause in pauses if pause.from_ms < now_ms + 8000]
    return [pause if pause.to_ms and pause.to_ms < now_ms + 8000 else Pause(from_ms=pause.from_ms) for pause in begun]


def test_the_target_is_the_same_from_the_first_segment_on() -> None:
    first = StoredSegment(T, 7990, "aaaaaaaaaaaa", "k")
    assert "TARGETDURATION:8\n" in text([first], is_over=True)
    assert "TARGETDURATION:8\n" in text([first, StoredSegment(T + 7990, 5990, "aaaaaaaaaaaa", "k")], is_over=True)


def parts() -> list[Segment]:
    shots = [
        Shot(T + 200, T + 6000, 1, key_every=25),
        Shot(T + 6000, T + 11_000, 2, width=200, height=100, grey=60),
        Shot(T + 15_000, T + 18_000, 1, key_every=500),
    ]
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 18_000)]))
    return muxed(audio, wrapped(SESSION, video_records(SESSION, shots)))[:-1]


class Files(Names):
    """Links to files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stored(self, key: str) -> str:
        return str(self._folder / key)


def test_the_index_names_the_recording_and_its_subtitles() -> None:
    assert playlists.index(of(stored(0, 4, 8)), Names()).splitlines()[2:] == [
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="said",NAME="Transcript",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,'
        'URI="https://api/sessions/s/transcript.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="said",NAME="Chat",DEFAULT=NO,AUTOSELECT=NO,FORCED=NO,'
        'URI="https://api/sessions/s/chat.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=800000,SUBTITLES="said"',
        "https://api/sessions/s/recording.m3u8",
    ]


def test_the_index_says_how_it_is_coded_and_in_which_language_it_is_where_that_is_known() -> None:
    moonshine = SessionSettings(engines=(Engine.MOONSHINE,))
    said, _, stream, _ = playlists.index(
        of(stored(0, 4, 8), settings=moonshine), Names(), Format(("avc1.64001f", "mp4a.40.2"), (1280, 720))
    ).splitlines()[2:]
    assert 'NAME="Transcript",LANGUAGE="en",DEFAULT=NO' in said
    assert stream == (
        '#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,SUBTITLES="said"'
    )


def test_headers_say_how_a_recording_is_coded() -> None:
    made = parts()
    found = formats.of({part.init for part in made})
    (codec, sound), size = found
    assert (sound, size) == ("mp4a.40.2", (320, 180))
    by_header = [formats.of([part.init]) for part in made]
    assert {one.size for one in by_header} == {(320, 180), (200, 100)}
    assert codec == max(one.codecs[0] for one in by_header)
    assert re.fullmatch("avc1[.](42|4d|64)[0-9a-f]{4}", codec)
    assert formats.of([sound_header(16_000)]) == Format(("mp4a.40.2",))
    assert formats.of([]) == formats.of([b"no header", made[0].init[:100]]) == Format()


def test_whoever_can_show_the_most_demanding_pictures_can_show_all() -> None:
    tall, wide = (header(sps, width, height) for sps, width, height in (("4d4028", 640, 480), ("64000d", 1920, 1080)))
    assert formats.of([tall, wide]) == Format(("avc1.640028",), (1920, 1080))


def header(sps: str, width: int, height: int) -> bytes:
    """The part of one that counts."""
    entry = b"avc1" + bytes(24) + width.to_bytes(2, "big") + height.to_bytes(2, "big") + bytes(50)
    return entry + b"avcC\1" + bytes.fromhex(sps)


def test_subtitles_are_in_step_with_the_recording() -> None:
    lines = playlists.transcript(of(stored(0, 4), is_over=True), Names()).splitlines()
    assert lines[-6:] == [
        "#EXT-X-PROGRAM-DATE-TIME:2025-10-09T08:53:20.000000Z",
        "#EXTINF:4.000,",
        f"https://api/sessions/s/subtitles/{T}-{T}-4000.vtt",
        "#EXTINF:4.000,",
        f"https://api/sessions/s/subtitles/{T}-{T + 4000}-4000.vtt",
        "#EXT-X-ENDLIST",
    ]


def test_seams_and_dates_are_the_same_in_every_playlist() -> None:
    """RFC 8216, 6.2.4: matching discontinuities, and dates in all playlists or in none."""
    segments = [*stored(0, 4), *stored(8, 12, header="bbbbbbbbbbbb"), *stored(20, 24)]
    made = [
        make(of(segments, is_over=True), Names())
        for make in (playlists.recording, playlists.transcript, playlists.chat)
    ]
    told = [[line.partition("http")[0] for line in text.splitlines() if "MAP" not in line] for text in made]
    assert told[0] == told[1] == told[2]
    assert told[0].count("#EXT-X-DISCONTINUITY") == 2


def test_the_chat_is_in_step_too() -> None:
    said, written = (make(of(stored(0, 4)), Names()) for make in (playlists.transcript, playlists.chat))
    assert written == said.replace("/subtitles/", "/chat/")


def test_ffmpeg_plays_the_playlist_like_the_file(tmp_path: Path) -> None:
    made = parts()
    listing = []
    for part in made:
        for key, data in ((segment_key(part), part.payload), (header_of(part), part.init)):
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(data)
        listing.append((segment_key(part), 0))
    segments = stored_segments(listing)
    assert len({segment.header for segment in segments}) > 1
    path = tmp_path / "recording.m3u8"
    recording = Recording(SESSION, SessionSettings(), segments, 1, is_over=True)
    path.write_text(playlists.recording(recording, Files(tmp_path)))
    result, whole = decoded(path, options={"allowed_extensions": "ALL"}), decoded(joined(made))
    assert {error.partition(": ")[2] for error in result.errors} <= {"Found duplicated MOOV Atom. Skipped it"}
    assert [at - result.times[0] for at in result.times] == pytest.approx(whole.times, abs=0.002)
    assert [luma.shape for luma in result.lumas] == [luma.shape for luma in whole.lumas]
    assert len(result.audio) == len(whole.audio)


def header_of(part: Segment) -> str:
    return header_key(SESSION, object_names.header_name(part.init))
