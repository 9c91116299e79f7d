"""Every codec that can be asked for: what the simulator encoded arrives, decodes, and is called what it is."""

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from connectors.rtms.protocol.codes import DataOption, MediaCodec, Medium, SampleRate
from connectors.rtms.protocol.events import EndCause, FrameReceived, MediaReady
from connectors.rtms.protocol.parameters import AudioParameters, MediaParameters, ShareParameters, VideoParameters
from connectors.rtms.simulator import sound
from connectors.rtms.simulator.film import FilmFormat, PictureCodec, Subject
from connectors.rtms.simulator.meeting import Formats, Meeting
from connectors.rtms.simulator.scenario import read_scenario
from connectors.rtms.simulator.sound import AudioFormat
from tests.integration.rtms.conftest import Attendant, Simulate, meeting, truth_tally

Attend = Callable[..., Attendant]

_DECODERS = {MediaCodec.G711: "pcm_alaw", MediaCodec.G722: "g722", MediaCodec.OPUS: "libopus"}


async def receive(simulate: Simulate, attend: Attend, media: MediaParameters) -> tuple[Any, list[Any], Any]:
    """The stream, the frames and what was agreed; all that was sent has arrived."""
    simulator = await simulate()
    stream = await simulator.start(meeting(14))
    attendant = attend(simulator, stream, media=media)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert attendant.said.tally() == truth_tally(stream)
    assert stream.truth.complaints == []
    return stream, attendant.said.of(FrameReceived), attendant.said.of(MediaReady)[0]


def decoded(codec: MediaCodec, rate_hz: int, packets: list[bytes]) -> np.ndarray[Any, Any]:
    context: Any = av.CodecContext.create(_DECODERS[codec], "r")
    context.sample_rate, context.layout = rate_hz, "mono"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    found = [
        piece.to_ndarray()[0]
        for packet in packets
        for frame in context.decode(av.Packet(packet))
        for piece in resampler.resample(frame)
    ]
    return np.concatenate(found)


def likeness(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], most_shift: int) -> float:
    """The best correlation of two sounds within a shift of some samples, which codecs have."""
    length = min(len(one), len(other)) - most_shift
    return max(
        float(np.corrcoef(one[shift : shift + length].astype(float), other[:length].astype(float))[0, 1])
        for shift in range(most_shift)
    )


@pytest.mark.parametrize(
    ("codec", "rate", "rate_hz", "size"),
    [
        (MediaCodec.G711, SampleRate.SR_8K, 8_000, 160),
        (MediaCodec.G722, SampleRate.SR_16K, 16_000, 160),
        (MediaCodec.OPUS, SampleRate.SR_48K, 48_000, None),
    ],
)
@pytest.mark.parametrize("mixed", [True, False])
async def test_encoded_audio(
    simulate: Simulate, attend: Attend, codec: MediaCodec, rate: SampleRate, rate_hz: int, size: int | None, mixed: bool
) -> None:
    option = DataOption.AUDIO_MIXED_STREAM if mixed else DataOption.AUDIO_MULTI_STREAMS
    asked = AudioParameters(codec=codec, sample_rate=rate, send_rate=20, data_opt=option)
    stream, frames, ready = await receive(simulate, attend, MediaParameters(audio=asked))
    assert ready.negotiated.audio == asked
    assert {len(frame.payload) for frame in frames} == {size} if size else len(frames) > 100
    speaker = 0 if mixed else stream.meeting.turns[0].user_id
    own = [frame for frame in frames if frame.user_id == speaker]
    plain = sound.chunks(stream.meeting.script, AudioFormat(20, rate_hz, mixed=mixed))
    original = {stream.meeting.start_ms + c.start_ms: c.payload for c in plain if c.user_id == speaker}
    heard = decoded(codec, rate_hz, [frame.payload for frame in own])
    meant = np.frombuffer(b"".join(original[frame.timestamp_ms] for frame in own), "<i2")
    part = slice(0, rate_hz * 5)
    assert likeness(heard[part], meant[part], rate_hz // 50) > 0.9


@pytest.mark.parametrize(("codec", "kind"), [(MediaCodec.JPG, "JPEG"), (MediaCodec.PNG, "PNG")])
async def test_still_pictures(simulate: Simulate, attend: Attend, films: Path, codec: MediaCodec, kind: str) -> None:
    form = PictureCodec(codec.name.lower())
    formats = Formats(video=FilmFormat(Subject.CAMERA, form, 2), share=FilmFormat(Subject.SHARE, form, 1))
    Meeting.build(1, 14, cache=films).prepare(formats)  # takes longer than the meeting at this speed
    asked = MediaParameters(video=VideoParameters(codec=codec, fps=2), share=ShareParameters(codec=codec, fps=1))
    _, frames, ready = await receive(simulate, attend, asked)
    assert (ready.negotiated.video.codec, ready.negotiated.share.codec) == (codec, codec)
    for medium in (Medium.VIDEO, Medium.SHARE):
        first = next(frame for frame in frames if frame.medium is medium)
        picture = Image.open(io.BytesIO(first.payload))
        picture.load()
        assert (picture.format, picture.size) == (kind, (1280, 720))


COME_AND_GO = {
    "seconds": 16,
    "beeps": False,
    "people": [
        {"name": "Ada", "camera": [[0, 4]]},
        {"name": "Jun", "joins_s": 1, "leaves_s": 8},
        {"name": "Eve", "camera": [[6, 13]]},
        {"name": "Zoë", "joins_s": 9, "camera": [[12, 16]]},
    ],
}


async def test_individual_video_of_people_who_come_and_go(simulate: Simulate, attend: Attend, films: Path) -> None:
    """Whose camera goes off, and who leaves with it on, is followed by whoever has had it on for longest by then."""
    request = read_scenario(COME_AND_GO)
    everybody = Formats(video=FilmFormat(Subject.CAMERAS, PictureCodec.H264, 25))
    Meeting.of(request, films).prepare(everybody)
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(request)
    asked = MediaParameters(video=VideoParameters(data_opt=DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM))
    attendant = attend(simulator, stream, media=asked)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    frames = attendant.said.of(FrameReceived)
    names = {person.user_id: person.name for person in stream.meeting.participants}
    shown = [(names[who], list(group)) for who, group in itertools.groupby(frames, lambda frame: frame.user_id)]
    assert [name for name, _ in shown] == ["Ada", "Jun", "Eve", "Zoë"]
    assert all(group[0].key_frame for _, group in shown)
    assert attendant.said.tally() == truth_tally(stream)
    assert stream.truth.complaints == []


async def test_individual_video_is_one_chosen_camera_from_a_key_frame_on(
    simulate: Simulate, attend: Attend, films: Path
) -> None:
    everybody = FilmFormat(Subject.CAMERAS, PictureCodec.H264, 25)
    Meeting.build(1, 14, cache=films).prepare(Formats(video=everybody))  # takes longer than the meeting at this speed
    asked = MediaParameters(video=VideoParameters(data_opt=DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM))
    stream, frames, ready = await receive(simulate, attend, asked)
    assert ready.negotiated.video.data_opt == DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM
    host = next(span for span in stream.meeting.script.cameras if span.start_ms == 0)
    assert {frame.user_id for frame in frames} == {host.user_id}, "whoever has had the camera on for longest"
    assert frames[0].key_frame
    context: Any = av.CodecContext.create("h264", "r")
    pictures = [p for frame in frames for p in context.decode(av.Packet(frame.payload))] + context.decode(None)
    assert len(pictures) == len(frames)
    speakers = {span.user_id for span in stream.meeting.script.speakers}
    assert len(speakers) > 1, "active speaker video would have shown several"
