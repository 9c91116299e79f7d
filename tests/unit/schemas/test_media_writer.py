from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.codec import Codec
from schemas.media_writer import AudioTrack, VideoTrack
from schemas.records import Audio, RecordKind, Video
from schemas.records import Codec as MediaCodec

CODEC = Codec.with_ids_from(topics.ALL, start=70_000)
LONGS = st.integers(min_value=0, max_value=2**60)
FRAMES = st.lists(st.tuples(LONGS, LONGS, LONGS, st.booleans(), st.binary(max_size=20_000)), max_size=8)
NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(FRAMES, NAMES, st.integers(min_value=0, max_value=2**31), LONGS)
def test_audio_track_writes_what_the_codec_writes(frames, name, participant, epoch):
    constant = Audio(
        session_id="app_x",
        kind=RecordKind.FRAME,
        participant_id=participant,
        participant_name=name,
        epoch=epoch,
        sequence=0,
        timestamp_ms=0,
        arrived_us=0,
        codec=MediaCodec.L16,
        sample_rate_hz=16000,
        channels=1,
    )
    track = AudioTrack(CODEC.schema_id(topics.AUDIO), constant)
    for sequence, timestamp_ms, arrived_us, _, payload in frames:
        data = track.write(sequence, timestamp_ms, arrived_us, payload)
        record = CODEC.decode(topics.AUDIO, data)
        assert CODEC.encode(topics.AUDIO, record) == data
        assert record == Audio(
            session_id="app_x",
            kind=RecordKind.FRAME,
            participant_id=participant,
            participant_name=name,
            epoch=epoch,
            sequence=sequence,
            timestamp_ms=timestamp_ms,
            arrived_us=arrived_us,
            codec=MediaCodec.L16,
            sample_rate_hz=16000,
            channels=1,
            payload=payload,
        )


@given(FRAMES, st.sampled_from([topics.VIDEO, topics.SHARE]))
def test_video_track_writes_what_the_codec_writes(frames, topic):
    constant = Video(
        session_id="app_x", kind=RecordKind.FRAME, participant_id=7, epoch=3, sequence=0, timestamp_ms=0, arrived_us=0
    )
    track = VideoTrack(topic, CODEC.schema_id(topic), constant)
    for sequence, timestamp_ms, arrived_us, key_frame, payload in frames:
        data = track.write(sequence, timestamp_ms, arrived_us, key_frame=key_frame, payload=payload)
        record = CODEC.decode(topic, data)
        assert CODEC.encode(topic, record) == data
        assert (record.sequence, record.timestamp_ms, record.arrived_us) == (sequence, timestamp_ms, arrived_us)
        assert (record.key_frame, record.payload) == (key_frame, payload)
