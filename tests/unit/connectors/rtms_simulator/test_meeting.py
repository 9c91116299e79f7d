"""The meeting as other tests use it: messages sorted by time, decodable pictures, truth that agrees with them."""

import io
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from connectors.rtms.protocol.codes import EventType, Medium
from connectors.rtms.simulator import film, picture
from connectors.rtms.simulator.film import FilmFormat, PictureCodec, Subject
from connectors.rtms.simulator.frames import AudioFrame, CaptionFrame, ChatFrame, EventFrame, PictureFrame
from connectors.rtms.simulator.meeting import Formats, Meeting


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Meeting:
    return Meeting.build(seed=1, seconds=24, cache=tmp_path_factory.mktemp("films"))


def pictures(meeting: Meeting, medium: Medium = Medium.VIDEO) -> list[PictureFrame]:
    return [frame for frame in meeting.of_medium(medium) if isinstance(frame, PictureFrame)]


def nal_types(payload: bytes) -> list[int]:
    return [piece[0] & 31 for piece in payload.split(b"\0\0\1")[1:]]


def test_frames_come_in_the_order_in_which_they_are_due(meeting: Meeting) -> None:
    frames = list(meeting.frames())
    assert [frame.due_ms for frame in frames] == sorted(frame.due_ms for frame in frames)
    assert {frame.medium for frame in frames} == set(Medium)
    assert all(frame.due_ms >= frame.timestamp_ms for frame in frames)
    assert all(meeting.start_ms <= frame.timestamp_ms <= meeting.end_ms for frame in frames)


def test_the_same_meeting_twice_is_the_same_bytes(meeting: Meeting) -> None:
    again = Meeting.build(seed=1, seconds=24, cache=meeting.cache)
    assert list(meeting.frames()) == list(again.frames())


def test_a_later_start_moves_everything(meeting: Meeting) -> None:
    later = Meeting.build(seed=1, seconds=24, start_ms=meeting.start_ms + 12_345, cache=meeting.cache)
    for frame, moved in zip(meeting.of_medium(Medium.VIDEO), later.of_medium(Medium.VIDEO), strict=True):
        assert moved.timestamp_ms - frame.timestamp_ms == 12_345
        assert moved.payload == frame.payload


def test_every_span_starts_with_parameter_sets_and_an_idr_in_two_slices(meeting: Meeting) -> None:
    sent = pictures(meeting)
    starts = [n for n, f in enumerate(sent) if n == 0 or f.timestamp_ms - sent[n - 1].timestamp_ms > 60
              or f.user_id != sent[n - 1].user_id]  # fmt: skip
    assert len(starts) == len([span for span in meeting.script.pictured() if span.length_ms >= 40])
    for number, frame in enumerate(sent):
        kinds = nal_types(frame.payload)
        assert frame.key_frame == (5 in kinds)
        if number in starts:
            assert frame.key_frame
        if frame.key_frame:
            assert kinds[:2] == [7, 8]
            assert kinds.count(5) == 2
        else:
            assert kinds.count(1) == 2


def test_the_pictures_decode_and_flash_exactly_at_the_flashes(meeting: Meeting) -> None:
    decoder = av.CodecContext.create("h264", "r")
    sent = pictures(meeting)
    white = []
    for number, frame in enumerate(sent):
        packet = av.Packet(frame.payload)
        packet.pts = number
        for decoded in decoder.decode(packet):
            if decoded.to_ndarray()[: picture.HEIGHT].mean() > 220:
                white.append(sent[decoded.pts].timestamp_ms)
    first_white = [at for n, at in enumerate(white) if n == 0 or at - white[n - 1] > 1_000]
    assert tuple(first_white) == meeting.flashes
    assert set(meeting.flashes) <= set(meeting.beeps)
    assert len(meeting.flashes) >= 8


def test_captions_say_what_was_said_when_it_was_said(meeting: Meeting) -> None:
    by_user: dict[int, list[str]] = defaultdict(list)
    for frame in meeting.of_medium(Medium.CAPTIONS):
        assert isinstance(frame, CaptionFrame)
        assert frame.start_ms == frame.timestamp_ms < frame.end_ms < frame.due_ms
        by_user[frame.user_id].append(frame.text)
    for user_id, said in by_user.items():
        assert " ".join(said) == " ".join(turn.text for turn in meeting.turns if turn.user_id == user_id)


def test_chat_and_events_are_as_the_script_says(meeting: Meeting) -> None:
    chat = [frame for frame in meeting.of_medium(Medium.CHAT) if isinstance(frame, ChatFrame)]
    new = {frame.message_id for frame in chat if frame.operation == 1}
    assert len(new) == len([frame for frame in chat if frame.operation == 1])
    events = [frame for frame in meeting.of_medium(Medium.EVENTS) if isinstance(frame, EventFrame)]
    joins = [frame for frame in events if frame.event_type is EventType.PARTICIPANT_JOIN]
    leaves = [frame for frame in events if frame.event_type is EventType.PARTICIPANT_LEAVE]
    assert {frame.user_id for frame in joins} == {person.user_id for person in meeting.participants}
    assert sorted(frame.user_id for frame in joins) == sorted(frame.user_id for frame in leaves)
    assert events[0].fields == {"participants": [{"user_id": joins[0].user_id, "user_name": "Ada Okafor"}]}


def test_audio_seconds_follow_from_the_turns(meeting: Meeting) -> None:
    frames = [frame for frame in meeting.of_medium(Medium.AUDIO) if isinstance(frame, AudioFrame)]
    beacon = next(person.user_id for person in meeting.participants if person.is_beacon)
    spoken_ms = sum(len(frame.payload) // 32 for frame in frames if frame.user_id != beacon)
    turns_ms = sum(turn.end_ms - turn.start_ms for turn in meeting.turns)
    assert turns_ms <= spoken_ms < turns_ms + 100 * len(meeting.turns)
    assert sum(1 for turn in meeting.turns if turn.alone) >= 1
    assert sum(1 for turn in meeting.turns if not turn.alone) >= 2


def test_a_film_is_made_once(meeting: Meeting) -> None:
    made: list[int] = []
    meeting.prepare(progress=lambda done, total: made.append(done))
    files = set(meeting.cache.glob("*.film"))
    meeting.prepare(progress=lambda done, total: pytest.fail("made again"))
    assert set(meeting.cache.glob("*")) == files, "nothing half written is left lying about"


def test_a_film_is_made_once_for_all_meetings_that_begin_together(tmp_path: Path) -> None:
    """A dozen that draw the same pictures at once leave no time for anything else: Zoom would seem to be silent."""
    script, made = Meeting.build(seed=1, seconds=10).script, Counter[str]()

    def make(name: str) -> film.Film:
        return film.open_film(script, film.SHARE_H264, tmp_path, lambda done, total: made.update([name]))

    with ThreadPoolExecutor(4) as makers:
        opened = list(makers.map(make, "abcd"))
    assert len(made) == 1
    assert {len(each) for each in opened} == set(made.values())


@pytest.mark.parametrize(("codec", "magic"), [(PictureCodec.JPG, b"\xff\xd8\xff"), (PictureCodec.PNG, b"\x89PNG")])
def test_still_pictures(tmp_path: Path, codec: PictureCodec, magic: bytes) -> None:
    meeting = Meeting.build(seconds=10, cache=tmp_path)
    wanted = Formats(share=FilmFormat(Subject.SHARE, codec, 1))
    shared = [frame for frame in meeting.of_medium(Medium.SHARE, wanted) if isinstance(frame, PictureFrame)]
    assert len(shared) == 1
    assert all(frame.payload.startswith(magic) and frame.key_frame for frame in shared)
    size = np.asarray(Image.open(io.BytesIO(shared[0].payload))).shape
    assert size == (picture.HEIGHT, picture.WIDTH, 3)


def test_a_film_of_another_script_is_another_file(tmp_path: Path) -> None:
    for seed in (1, 2):
        film.open_film(Meeting.build(seed, 10).script, film.SHARE_H264, tmp_path)
    assert len(list(tmp_path.glob("*.film"))) == 2
