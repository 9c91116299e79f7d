"""Everything that makes no sense, on both sockets of a living stream: refused with its reason, the stream goes on."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.protocol.events import SIGNALING, EndCause, FrameReceived, FrameRejected, MediaReady, SocketLost
from connectors.rtms.simulator.channel import Channel
from schemas.excerpts import excerpt_of
from tests.integration.rtms.conftest import PATIENCE_S, SETTINGS, Attendant, Simulate, meeting, truth_tally
from tests.support.bad_messages import ANYWHERE, IGNORED, ON_MEDIA, ON_SIGNALLING

Attend = Callable[..., Attendant]
INTRUDER = 424_242
MIB = 1024 * 1024


async def say(channel: Channel, *said: bytes) -> None:
    for message in said:
        assert await channel.say(message)


@pytest.mark.parametrize("transport", ["picows", "websockets"])
async def test_what_makes_no_sense_is_refused_and_a_whole_meeting_arrives(
    simulate: Simulate, attend: Attend, transport: str
) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    attendant = attend(simulator, stream, SETTINGS.model_copy(update={"transport": transport}))
    said = attendant.said
    await said.until(lambda heard: len(heard.of(FrameReceived)) > 50)
    signalling, media = (channel for channel in stream.channels())
    on_signalling, on_media = ANYWHERE | ON_SIGNALLING, ANYWHERE | ON_MEDIA
    await say(signalling, *(message for message, _ in on_signalling.values()), *IGNORED.values())
    await say(media, *(message for message, _ in on_media.values()), *IGNORED.values())
    twice = messages.media_data(
        MessageType.MEDIA_DATA_AUDIO, user_id=INTRUDER, user_name=None, timestamp_ms=stream.clock.now_ms(), payload=b"x"
    )
    await say(media, twice, twice)

    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert len(said.of(MediaReady)) == 1
    assert said.of(SocketLost) == []
    expected = Counter((SIGNALING, reason, excerpt_of(data)) for data, reason in on_signalling.values())
    expected += Counter(("media", reason, excerpt_of(data)) for data, reason in on_media.values())
    assert Counter((event.channel, event.reason, event.raw) for event in said.of(FrameRejected)) == expected
    tally = said.tally()
    assert tally.pop((Medium.AUDIO, INTRUDER))[0] == 2, "what Zoom sends twice was sent twice"
    assert tally == truth_tally(stream)
    assert said.broken_ticks() == []


@pytest.mark.parametrize("transport", ["picows", "websockets"])
async def test_giants(simulate: Simulate, attend: Attend, transport: str) -> None:
    """16 MB pass; what is larger than a record can be leaves an excerpt; what nobody can hold costs the socket."""
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(meeting(20))
    settings = SETTINGS.model_copy(update={"transport": transport})
    attendant = attend(simulator, stream, settings)
    said = attendant.said
    await said.until(lambda heard: len(heard.of(FrameReceived)) > 50)

    def picture(payload: bytes) -> bytes:
        return messages.media_data(
            MessageType.MEDIA_DATA_SHARE,
            user_id=INTRUDER,
            user_name=None,
            timestamp_ms=stream.clock.now_ms(),
            payload=payload,
        )

    largest, larger = picture(bytes(16 * MIB)), picture(bytes(20 * MIB))
    media = stream.media[0].channel
    await say(media, largest)
    await said.until(lambda heard: any(frame.user_id == INTRUDER for frame in heard.of(FrameReceived)))
    await say(media, larger)
    await said.until(lambda heard: heard.of(FrameRejected))
    (rejected,) = said.of(FrameRejected)
    assert (rejected.reason, rejected.medium, rejected.raw) == ("too_large", Medium.SHARE, excerpt_of(larger))
    assert said.of(SocketLost) == []

    await media.say(b"x" * (2 * settings.max_message_bytes + 1))
    await said.until(lambda heard: len(heard.of(MediaReady)) == 2)
    assert [lost.channel for lost in said.of(SocketLost)] == ["media"]
    count = len(said.of(FrameReceived))
    await said.until(lambda heard: len(heard.of(FrameReceived)) > count + 50)
    attendant.session.close()
    assert (await asyncio.wait_for(attendant.running, PATIENCE_S)).cause is EndCause.CLOSED
