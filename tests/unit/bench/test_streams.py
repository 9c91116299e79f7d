"""The load is what Zoom would send."""

from itertools import pairwise

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import State
from websockets.uri import parse_uri

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.frames import read_frame
from tests.bench.streams import messages
from tests.bench.streams.pacing import SPEAKERS, Load
from tests.bench.streams.zoom import MediaSocket, streams_of

STAMP = 1_764_000_000_123


def heard(*frames):
    """What a WebSocket client makes of the bytes."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(b"".join(frames))
    return [event.data for event in client.events_received() if isinstance(event, Frame)]


@pytest.mark.parametrize("size", [10, messages.AUDIO_20_MS, messages.AUDIO_100_MS, 100_000])
def test_audio_of_any_size_is_read_with_the_time_it_was_sent_at(size):
    first, second = (read_frame(data) for data in heard(*(messages.audio(3, size).at(STAMP + n) for n in (0, 20))))
    assert first is not None
    assert second is not None
    assert (first.medium, first.user_id, first.timestamp_ms, len(first.payload)) == (Medium.AUDIO, 3, STAMP, size)
    assert (second.timestamp_ms, second.payload) == (STAMP + 20, first.payload)


def test_a_group_of_pictures_begins_with_its_only_key_frame():
    frames = [read_frame(data) for data in heard(*(each.at(STAMP) for each in messages.pictures(4, messages.PICTURE)))]
    assert [frame.key_frame for frame in frames] == [True] + [False] * (messages.GROUP - 1)
    assert {len(frame.payload) for frame in frames} == {messages.PICTURE}
    assert {frame.payload.count(b"\0\0\1") for frame in frames} == {2, 4}  # two slices; with the parameter sets, four


@pytest.mark.parametrize(("send_rate_ms", "per_session"), [(20, 175), (100, 55)])
def test_a_round_has_every_session_s_frames_evenly(send_rate_ms, per_session):
    load = Load(7, send_rate_ms)
    period_ms, due = load.round()
    assert load.frames_per_s == 7 * per_session
    assert len(due) * 1000 / period_ms == 7 * per_session
    assert all(0 <= each.at_ms < period_ms for each in due)
    assert due == sorted(due)
    for session in range(7):
        for track in range(SPEAKERS + 1):
            times = [each.at_ms for each in due if (each.session, each.track) == (session, track)]
            times.append(times[0] + period_ms)
            assert {round(after - before) for before, after in pairwise(times)} == {40 if track == 3 else send_rate_ms}


def test_no_session_has_two_frames_at_once():
    for send_rate_ms in (20, 100):
        _, due = Load(5, send_rate_ms).round()
        moments = [(each.session, round(each.at_ms, 6)) for each in due]
        assert len(moments) == len(set(moments))


def test_a_streams_frames_go_to_the_socket_that_was_opened_for_them():
    split = [MediaSocket("audio 1", "1", 1), MediaSocket("audio 2", "2", 1), MediaSocket("video 1", "1", 2),
             MediaSocket("video 2", "2", 2)]  # fmt: skip
    assert streams_of(split) == [("audio 1", "video 1"), ("audio 2", "video 2")]
    for media_type in (32, 1 | 2 | 8):
        assert streams_of([MediaSocket("all", "1", media_type)]) == [("all", "all")]
