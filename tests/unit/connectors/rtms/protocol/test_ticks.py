"""A tick is true: nothing so old comes after it, whatever the network does. And it comes soon."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import SIGNALING, TickDue
from connectors.rtms.protocol.ticks import NEVER_MS, Ticks, silences

ZOOM = 1_700_000_000_000
CHANNELS = {medium: "media" for medium in (Medium.AUDIO, Medium.VIDEO, Medium.CAPTIONS, Medium.CHAT)}


def ready(now_ms: int = 0, *, probing: bool = True) -> Ticks:
    ticks = Ticks()
    ticks.connected(SIGNALING, probing=False)
    ticks.connected("media", probing=probing)
    ticks.ready(CHANNELS, now_ms)
    return ticks


def through(made: list[TickDue], medium: Medium) -> list[int]:
    return [tick.through_ms - ZOOM for tick in made if tick.medium is medium]


def run(ticks: Ticks, start_ms: int, end_ms: int) -> list[tuple[int, TickDue]]:
    """All ticks in a time in which nothing arrives; pings are not answered."""
    made = []
    for now in range(start_ms, end_ms, 10):
        if now >= ticks.wake_ms:
            made += [(now, tick) for tick in ticks.due(now)[0]]
    return made


def test_rules_depend_on_the_chunk_of_audio() -> None:
    assert silences(20)[Medium.AUDIO].after_ms == 250
    assert silences(100)[Medium.AUDIO].after_ms == 250
    assert silences(1_000)[Medium.AUDIO].after_ms == silences(2**31 - 1)[Medium.AUDIO].after_ms == 1_150
    assert set(silences()) == set(Medium)


def test_nothing_ticks_before_media_are_ready() -> None:
    ticks = Ticks()
    assert ticks.wake_ms == NEVER_MS
    ticks.connected("media", probing=True)
    ticks.told("media", ZOOM, 0)
    assert ticks.frame(Medium.AUDIO, "media", ZOOM, 10)
    assert ticks.due(10_000) == ([], [])
    assert ticks.wake_ms == NEVER_MS


def test_video_proves_that_audio_is_silent() -> None:
    """25 pictures a second on the same socket: audio ticks at 250, 500 and 1000 ms, then every second."""
    ticks = ready()
    for now in range(0, 3_000, 100):
        ticks.frame(Medium.AUDIO, "media", ZOOM + now - 100, now)
    made: list[tuple[int, int]] = []
    for now in range(3_000, 7_000, 10):
        if now % 40 == 0:
            ticks.frame(Medium.VIDEO, "media", ZOOM + now, now)
        if now >= ticks.wake_ms:
            ticked, probes = ticks.due(now)
            assert probes == []
            made += [(now, tick.through_ms - ZOOM) for tick in ticked if tick.medium is Medium.AUDIO]
    assert [now for now, _ in made] == [3_150, 3_400, 3_900, 4_000, 5_000, 6_000]
    assert [now - reached for now, reached in made] == pytest.approx([270] * 6, abs=20)


def test_a_medium_that_speaks_does_not_tick() -> None:
    ticks = ready()
    for now in range(0, 10_000, 100):
        ticks.frame(Medium.AUDIO, "media", ZOOM + now, now)
        if now >= ticks.wake_ms:
            assert through(ticks.due(now)[0], Medium.AUDIO) == []


def test_silence_without_evidence_is_probed_once_for_all_media_and_believed_when_answered() -> None:
    ticks = ready()
    ticks.told("media", ZOOM, 0)
    made, probes = ticks.due(3_000)
    assert probes == ["media"]
    assert {tick.medium for tick in made} <= {Medium.EVENTS}
    assert ticks.due(3_001) == ([], [])
    ticks.pong("media", 3_050)
    assert ticks.wake_ms <= 3_050
    made, probes = ticks.due(3_050)
    assert probes == []
    assert through(made, Medium.AUDIO) == [3_000 - 250]
    assert through(made, Medium.VIDEO) == [3_000 - 1_000]
    assert ticks.wake_ms == 4_000
    assert ticks.due(4_000)[1] == ["media"]


def test_all_media_of_a_stream_tick_together_but_not_all_streams_at_once() -> None:
    """A worker has hundreds of streams: what all of them did in the same millisecond would hold up every reader."""
    moments = []
    for ready_ms in (0, 370):
        ticks = ready(ready_ms)
        made = []
        for now in range(ready_ms, 12_000, 10):
            if now % 100 == 0:
                ticks.told("media", ZOOM + now, now)
                ticks.told(SIGNALING, ZOOM + now, now)
            if now >= ticks.wake_ms:
                made += [(now, tick.medium) for tick in ticks.due(now)[0]]
        settled = [(now, medium) for now, medium in made if now > 5_000]
        assert {medium for _, medium in settled} >= {Medium.AUDIO, Medium.VIDEO, Medium.CHAT}
        moments.append({now % 1_000 for now, _ in settled})
    assert moments == [{0}, {370}]


def test_a_pong_nobody_asked_for_proves_nothing() -> None:
    ticks = ready()
    ticks.told("media", ZOOM, 0)
    ticks.pong("media", 5_000)
    ticks.pong("elsewhere", 5_000)
    assert through(ticks.due(5_000)[0], Medium.AUDIO) == []


@pytest.mark.parametrize("first_ms", [0, 10_000])
def test_a_keep_alive_from_the_future_silences_nothing_for_longer_than_it_is_believed(first_ms: int) -> None:
    """Readers do not believe it; without ticks behind it they would wait for every silent medium to the end."""
    ticks, made = ready(), list[tuple[int, TickDue]]()
    for now in range(0, 30_000, 50):
        if now % 1_000 == 0:
            ahead_ms = 86_400_000 if now == first_ms else 0
            ticks.told("media", ZOOM + now + ahead_ms, now)
            ticks.told(SIGNALING, ZOOM + now, now)
        if now >= ticks.wake_ms:
            sent, probes = ticks.due(now)
            made += [(now, tick) for tick in sent]
            for channel in probes:
                ticks.pong(channel, now)
    late = [(now, tick.through_ms - ZOOM) for now, tick in made if now > 13_000 and tick.medium is Medium.SHARE]
    assert len(late) > 10
    assert all(now - 3_000 < through_ms <= now for now, through_ms in late)


def test_a_server_that_answers_no_pings_is_believed_by_its_keep_alives() -> None:
    ticks = ready()
    made: list[tuple[int, int]] = []
    pings = 0
    for now in range(0, 60_000, 50):
        if now % 10_000 == 0:
            ticks.told("media", ZOOM + now, now)
        if now >= ticks.wake_ms:
            ticked, probes = ticks.due(now)
            pings += len(probes)
            made += [(now, reached) for reached in through(ticked, Medium.VIDEO)]
    assert pings == 1
    assert [reached for _, reached in made][-5:] == [9_000, 19_000, 29_000, 39_000, 49_000]
    assert all(now - reached <= 2_100 for now, reached in made[1:])


def test_without_probing_no_ping_is_asked_for() -> None:
    ticks = ready(probing=False)
    ticks.told("media", ZOOM, 0)
    ticks.frame(Medium.VIDEO, "media", ZOOM + 5_000, 5_000)
    made, probes = ticks.due(6_500)
    assert probes == []
    assert through(made, Medium.CHAT) == [4_000]


def test_a_stalled_network_makes_no_ticks() -> None:
    """Nothing arrives for three seconds: that may be silence or a lost packet, and only the ping will tell."""
    ticks = ready()
    for now in range(0, 4_000, 40):
        ticks.frame(Medium.VIDEO, "media", ZOOM + now, now)
        ticks.frame(Medium.AUDIO, "media", ZOOM + now, now)
    made = [tick for _, tick in run(ticks, 4_000, 7_000)]
    assert all(reached <= 3_960 for reached in through(made, Medium.AUDIO))


def test_audio_is_held_back_while_its_buffer_drains() -> None:
    ticks = ready()
    ticks.told("media", ZOOM, 0)
    for now in range(0, 1_000, 10):  # a minute of audio within a second
        ticks.frame(Medium.AUDIO, "media", ZOOM - 60_000 + now * 40, now)
        ticks.frame(Medium.VIDEO, "media", ZOOM + now, now)
    assert through([tick for _, tick in run(ticks, 1_000, 2_900)], Medium.AUDIO) == []
    ticks.frame(Medium.VIDEO, "media", ZOOM + 3_000, 3_000)
    made = [tick for _, tick in run(ticks, 3_000, 3_200)]
    assert through(made, Medium.AUDIO) == [2_750]


def test_audio_is_held_back_for_a_while_after_every_connection() -> None:
    ticks = ready()
    for now in range(0, 1_900, 40):
        ticks.frame(Medium.VIDEO, "media", ZOOM + now, now)
        assert through(ticks.due(now)[0], Medium.AUDIO) == []
    ticks.frame(Medium.VIDEO, "media", ZOOM + 2_000, 2_000)
    assert through(ticks.due(2_000)[0], Medium.AUDIO) == [1_750]


def test_a_lost_socket_silences_its_media_until_they_are_ready_again() -> None:
    ticks = ready()
    ticks.frame(Medium.VIDEO, "media", ZOOM, 0)
    ticks.lost("media")
    assert [tick.medium for _, tick in run(ticks, 0, 9_000)] == []
    ticks.told("media", ZOOM + 8_000, 8_000)
    ticks.connected("media", probing=True)
    ticks.ready(CHANNELS, 9_000)
    ticks.told("media", ZOOM + 10_900, 10_900)
    assert through(ticks.due(11_000)[0], Medium.VIDEO) == [9_900]


def test_ready_again_does_not_disturb_what_goes_on() -> None:
    ticks = ready()
    ticks.frame(Medium.VIDEO, "media", ZOOM, 500)
    wake = ticks.wake_ms
    ticks.ready(CHANNELS, 700)
    assert ticks.wake_ms == wake
    ticks.connected("video", probing=True)
    ticks.ready(CHANNELS | {Medium.VIDEO: "video"}, 800)
    ticks.told("video", ZOOM + 9_000, 9_500)
    assert through(ticks.due(9_500)[0], Medium.VIDEO) == [8_000]


def test_events_tick_by_the_signalling_sockets_own_evidence() -> None:
    ticks = ready()
    ticks.told(SIGNALING, ZOOM + 10_000, 10_000)
    assert through(ticks.due(10_000)[0], Medium.EVENTS) == [8_000]


def test_implausible_stamps_are_refused_and_prove_nothing() -> None:
    ticks = ready()
    ticks.told("media", ZOOM, 0)
    assert not ticks.frame(Medium.VIDEO, "media", ZOOM + 3_600_000, 10)
    assert max(through([tick for _, tick in run(ticks, 0, 5_000)], Medium.AUDIO)) < 0


def test_captions_stay_far_behind_because_they_are_stamped_with_their_beginning() -> None:
    ticks = ready()
    ticks.frame(Medium.VIDEO, "media", ZOOM + 60_000, 60_000)
    assert through(ticks.due(60_000)[0], Medium.CAPTIONS) == [30_000]


def test_stop() -> None:
    ticks = ready()
    ticks.told("media", ZOOM, 0)
    ticks.stop()
    assert ticks.due(10_000) == ([], [])
    assert ticks.wake_ms == NEVER_MS
    ticks.told("media", ZOOM + 20_000, 20_000)
    assert ticks.due(20_000) == ([], [])


def test_a_new_signalling_connection_may_have_another_clock() -> None:
    ticks = ready()
    ticks.told("media", ZOOM, 0)
    ticks.connected(SIGNALING, probing=False)
    assert ticks.frame(Medium.VIDEO, "media", ZOOM + 7_200_000, 10)


# --- the law --------------------------------------------------------------------------------------------------------


@dataclass
class Wire:
    """An ordered socket with a delay that changes; `stall_ms` per second of the test."""

    delays: list[int]
    queue: deque[tuple[int, str, int]] = field(default_factory=deque)

    def delay(self, now: int) -> int:
        return self.delays[min(now // 1_000, len(self.delays) - 1)]

    def send(self, now: int, what: str, stamp: int) -> None:
        self.queue.append((now + self.delay(now), what, stamp))

    def arrived(self, now: int) -> list[tuple[str, int]]:
        out = []
        while self.queue and self.queue[0][0] <= now:
            _, what, stamp = self.queue.popleft()
            out.append((what, stamp))
        return out


class Meeting:
    """Zoom, the network and the client in steps of 10 ms; `reached` is how far ticks have come per medium."""

    def __init__(self, talk: list[bool], camera: list[bool], delays: list[int], buffered_s: int, lag: int) -> None:
        self.talk, self.camera, self.lag = talk, camera, lag
        self.wire, self.ticks, self.pings = Wire([*delays, 20]), ready(), deque[int]()
        self.backlog = [ZOOM - 1_000 * buffered_s + step for step in range(0, 1_000 * buffered_s, 100)]
        self.reached: dict[Medium, int] = {}

    def zoom_sends(self, now: int) -> None:
        second = min(now // 1_000, 11)
        while self.pings and self.pings[0] <= now:
            self.pings.popleft()
            self.wire.send(now, "pong", 0)
        for stamp in self.backlog[:3]:  # three times as fast as it was spoken
            self.wire.send(now, "audio", stamp)
        del self.backlog[:3]
        if now % 10_000 == 5_000:
            self.wire.send(now, "keep_alive", ZOOM + now)
        if now >= 12_000:
            return
        if now % 100 == 0 and self.talk[second]:
            self.speaks(now)
        if now % 40 == 0 and self.camera[second]:
            self.wire.send(now, "video", ZOOM + now)

    def speaks(self, now: int) -> None:
        stamp = ZOOM + now - 100 - self.lag
        if self.backlog:
            self.backlog.append(stamp)
        else:
            self.wire.send(now, "audio", stamp)

    def client_hears(self, now: int) -> None:
        for what, stamp in self.wire.arrived(now):
            if what == "pong":
                self.ticks.pong("media", now)
            elif what == "keep_alive":
                self.ticks.told("media", stamp, now)
            else:
                assert self.ticks.frame(Medium(what), "media", stamp, now)
                assert stamp > self.reached.get(Medium(what), 0), f"{what} of {stamp - ZOOM} came after its tick"

    def client_ticks(self, now: int) -> None:
        if now < self.ticks.wake_ms:
            return
        made, probes = self.ticks.due(now)
        for tick in made:
            assert tick.through_ms > self.reached.get(tick.medium, 0)
            self.reached[tick.medium] = tick.through_ms
        self.pings.extend(now + self.wire.delay(now) for _ in probes)


@settings(max_examples=60, deadline=None)
@given(
    talk=st.lists(st.booleans(), min_size=12, max_size=12),
    camera=st.lists(st.booleans(), min_size=12, max_size=12),
    delays=st.lists(st.sampled_from([0, 20, 80, 300, 1_500, 4_000]), min_size=12, max_size=12),
    buffered_s=st.integers(0, 8),
    lag=st.integers(0, 140),
)
def test_no_frame_ever_comes_after_a_tick_that_had_passed_it(
    talk: list[bool], camera: list[bool], delays: list[int], buffered_s: int, lag: int
) -> None:
    """Zoom sends on one socket, in order, with delays up to seconds; audio chunks leave up to `lag` late."""
    meeting = Meeting(talk, camera, delays, buffered_s, lag)
    for now in range(0, 20_000, 10):
        meeting.zoom_sends(now)
        meeting.client_hears(now)
        meeting.client_ticks(now)
    assert meeting.reached[Medium.AUDIO] >= ZOOM + 17_000, "and readers get on, when everybody is silent"
