"""What stands on the topics is called what Zoom agreed to send, whatever it is."""

from types import SimpleNamespace

import pytest

from connectors.kafka.dead_letters import DeadLetters
from connectors.rtms.protocol.codes import MediaCodec, Medium
from connectors.rtms.protocol.events import FrameReceived, MediaReady
from connectors.rtms.protocol.parameters import (
    AudioParameters,
    MediaParameters,
    ShareParameters,
    VideoParameters,
)
from ingest import translation
from ingest.live import LiveSession
from ingest.publisher import Identity, Publisher
from schemas import topics
from schemas.codec import Codec
from schemas.records import Codec as MediaName
from schemas.records import RecordKind
from tests.unit.ingest.producers import FakeProducer, TakingProducer
from tests.unit.ingest.test_worker import SESSION

T = 1_700_000_000_000
CODEC = Codec.with_ids_from(topics.ALL)
LETTERS = DeadLetters(FakeProducer(), CODEC)


class Clock:
    def now_ms(self):
        return T

    def now_us(self):
        return T * 1000


@pytest.fixture
async def live():
    producer = TakingProducer()
    producers = {topic.name: producer for topic in topics.MEDIA_TOPICS}
    publisher = Publisher(Identity("app_1", 3, 7), CODEC, producers, 1_000_000)

    async def stated(*_arguments, **_fields):
        return 1

    around = SimpleNamespace(
        worker="w", clock=Clock(), letters=LETTERS, facts=SimpleNamespace(state=stated), new_start_s=60.0
    )
    return LiveSession(publisher, SESSION, around), producer


def records(producer):
    return [CODEC.decode(topic, value) for _, topic, value in producer.sent]


def frames(producer):
    return [record for record in records(producer) if record.kind is RecordKind.FRAME]


@pytest.mark.parametrize(
    ("number", "name"),
    [(MediaCodec.L16, MediaName.L16), (MediaCodec.G711, MediaName.G711), (MediaCodec.G722, MediaName.G722),
     (MediaCodec.OPUS, MediaName.OPUS), (99, MediaName.UNKNOWN)],
)  # fmt: skip
async def test_audio_of_every_codec(live, number, name):
    session, producer = live
    audio = AudioParameters(codec=number, sample_rate=3, channel=2)
    session.on_event(MediaReady(MediaParameters(audio=audio), again=False))
    session.on_event(FrameReceived(Medium.AUDIO, 7, "Ada", T, b"sound"))
    (record,) = frames(producer)
    assert (record.codec, record.sample_rate_hz, record.channels, record.payload) == (name, 48_000, 2, b"sound")


@pytest.mark.parametrize(
    ("number", "name"),
    [(MediaCodec.H264, MediaName.H264), (MediaCodec.JPG, MediaName.JPG), (MediaCodec.PNG, MediaName.PNG)],
)
async def test_pictures_of_every_codec(live, number, name):
    session, producer = live
    agreed = MediaParameters(video=VideoParameters(codec=number), share=ShareParameters(codec=MediaCodec.PNG))
    session.on_event(MediaReady(agreed, again=False))
    for medium in (Medium.VIDEO, Medium.SHARE):
        session.on_event(FrameReceived(medium, 7, "Ada", T, b"picture", key_frame=True))
    assert [record.codec for record in frames(producer)] == [name, MediaName.PNG]


async def test_what_is_agreed_to_anew_holds_from_there_on(live):
    session, producer = live
    for codec in (MediaCodec.L16, MediaCodec.OPUS):
        session.on_event(MediaReady(MediaParameters(audio=AudioParameters(codec=codec)), again=codec != MediaCodec.L16))
        session.on_event(FrameReceived(Medium.AUDIO, 7, "Ada", T, b"sound"))
    assert [record.codec for record in frames(producer)] == [MediaName.L16, MediaName.OPUS]
    assert sum(record.kind is RecordKind.BEGIN for record in records(producer)) == 6


async def test_the_two_sides_of_a_call_are_two_participants(live):
    session, producer = live
    session.on_event(MediaReady(MediaParameters(audio=AudioParameters()), again=False))
    for channel in ("c1", "c2", "c1"):
        session.on_event(FrameReceived(Medium.AUDIO, 0, None, T, b"sound", channel_id=channel))
    first, second, third = (record.participant_id for record in frames(producer))
    assert first == third == translation.participant(0, "c1")
    assert second == translation.participant(0, "c2")
