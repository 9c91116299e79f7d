"""A socket that is not read: pictures grow stale and are dropped, audio waits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.faults import Faults
from connectors.rtms.simulator.identity import Identity
from connectors.rtms.simulator.media import MediaSocket
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.negotiation import negotiate
from connectors.rtms.simulator.rules import EVERY_MEDIUM, Rules
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.webhooks import Shape, Webhooks
from connectors.rtms.simulator.zoomclock import ZoomClock

ASKED = {
    "media_type": 3,
    "media_params": {"audio": {"data_opt": 2, "send_rate": 100}, "video": {"codec": 7, "fps": 25}},
}


class PassingClock(ZoomClock):
    """Its time passes when somebody waits for it, and not because this machine does something else."""

    def __init__(self) -> None:
        super().__init__()
        self._at_ms = self._began_ms

    async def until(self, at_ms: float) -> None:
        self._at_ms = max(self._at_ms, at_ms)

    def _now_ms(self) -> float:
        return self._at_ms


class FrozenChannel:
    """Takes the first messages at once and then one that lasts until most of the meeting is over."""

    is_open = True

    def __init__(self, clock: ZoomClock, freeze_after: int, until_ms: int) -> None:
        self.taken = 0
        self._clock, self._freeze_after, self._until_ms = clock, freeze_after, until_ms

    async def say(self, data: bytes, *, is_binary: bool = False) -> bool:
        assert not is_binary
        self.taken += 1
        if self.taken == self._freeze_after:
            await self._clock.until(self._until_ms)
        return True


async def test_stale_pictures_are_dropped_and_audio_is_not(tmp_path: Path) -> None:
    clock = PassingClock()
    meeting = Meeting.build(1, 12, cache=tmp_path)
    meeting.prepare()
    meeting = replace(meeting, start_ms=clock.now_ms())
    rules = Rules(stale_picture_s=1.0)
    hooks = Webhooks(None, "", Shape.FLAT, clock)
    stream = Stream(meeting, Identity.derive("test"), rules, Faults(), clock, hooks)
    channel: Any = FrozenChannel(clock, 30, meeting.start_ms + 8_000)
    socket = MediaSocket(stream, channel, negotiate(ASKED, EVERY_MEDIUM))
    socket.start()
    assert socket.sender is not None
    await socket.sender

    sent = stream.truth.media_json()
    assert sent["audio"]["frames"] == len(list(meeting.of_medium(Medium.AUDIO)))
    pictures = [frame.timestamp_ms for frame in stream.truth.sent if frame.medium is Medium.VIDEO]
    meant = len(list(meeting.of_medium(Medium.VIDEO)))
    assert 0 < len(pictures) < meant - 100
    gaps = [later - earlier for earlier, later in zip(pictures, pictures[1:], strict=False)]
    assert 3_000 < max(gaps) < 9_000
