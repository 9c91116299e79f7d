"""No record stops a processor: whatever comes, the session ends, its outputs fit into records, and time is bounded."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from processors.muxing.logic import MuxingLogic
from processors.participants.application import participant_event
from processors.participants.logic import ParticipantsLogic
from processors.transcription.caption_lines import CaptionWork, Unmet
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.recogniser import Recognised, Segment
from processors.transcription.works import (
    EndWork,
    SpeechWork,
    caption_utterance,
    end_of_transcript,
    speech_utterance,
)
from schemas.records import Audio, Caption, Chat, Codec, Event, MediaRecord, OutputKind, Record, RecordKind, Video
from schemas.topics import (
    AUDIO,
    CAPTIONS,
    CHAT,
    EVENTS,
    PARTICIPANT_EVENTS,
    RECORDING_SEGMENTS,
    SHARE,
    TRANSCRIPTS,
    VIDEO,
)
from tests.support.media import START_MS, Shot, Talk, audio_records, control, silent, video_records, wrapped
from tests.support.muxed import written
from tests.support.odd_records import HOUR_MS, LONGEST, SESSION, Oddities, survived
from tests.support.still_pictures import still_records

T = START_MS
SEEDS = 200
STILLS = [record.payload for record in still_records(SESSION, [Shot(T, T + 400, fps=5)])]
PICTURES = [record.payload for record in video_records(SESSION, [Shot(T, T + 400, key_every=5)])]


def muxed(
    audio: Sequence[MediaRecord], video: Sequence[MediaRecord], share: Sequence[MediaRecord] | None = None
) -> list[Record]:
    topics = {AUDIO.name: audio, VIDEO.name: video, SHARE.name: silent(SESSION) if share is None else share}
    return survived(MuxingLogic(), topics, written, RECORDING_SEGMENTS)


def transcribed(audio: Sequence[MediaRecord], captions: Sequence[MediaRecord]) -> list[Record]:
    return survived(TranscriptionLogic(), {AUDIO.name: audio, CAPTIONS.name: captions}, utterances, TRANSCRIPTS)


def utterances(session_id: str, work: object) -> list[Record]:
    match work:
        case CaptionWork():
            return [caption_utterance(work)]
        case Unmet():
            return []
        case SpeechWork():
            return [speech_utterance(session_id, work, Recognised((Segment("word", 0, 1),)))]
        case _:
            assert isinstance(work, EndWork)
            return [end_of_transcript(session_id, work)]


def listed(events: Sequence[MediaRecord], chat: Sequence[MediaRecord]) -> list[Record]:
    inputs = {EVENTS.name: events, CHAT.name: chat}
    return survived(ParticipantsLogic(), inputs, lambda s, work: [participant_event(s, work)], PARTICIPANT_EVENTS)


@pytest.mark.parametrize("block", range(4))
def test_muxing_survives_any_records(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.muxing.logic.MAX_RECORDING_MS", 200_000)  # so that no jump takes seconds
    for odd in map(Oddities, range(block, SEEDS, 4)):
        muxed(odd.audio(), odd.video(PICTURES), odd.video([*PICTURES, *STILLS], SHARE))


def test_transcription_survives_any_records() -> None:
    for odd in map(Oddities, range(SEEDS)):
        transcribed(odd.audio(), odd.captions())


def test_participants_survives_any_records() -> None:
    for odd in map(Oddities, range(SEEDS)):
        listed(odd.events(), odd.chat())


@pytest.mark.timeout(60)
@pytest.mark.parametrize("jump_ms", [HOUR_MS, 23 * HOUR_MS])
def test_a_clock_that_jumps_costs_little(jump_ms: int) -> None:
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 1000)]))
    first, *rest = wrapped(SESSION, video_records(SESSION, [Shot(T, T + 1000)]))
    *parts, end = muxed(audio, [first, *(replace(r, timestamp_ms=r.timestamp_ms + jump_ms) for r in rest)])
    assert len(parts) == pytest.approx(jump_ms / 4000, abs=3)
    assert end.count == len(parts)


@pytest.mark.timeout(60)
def test_a_recording_of_years_ends_where_no_session_could(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.muxing.logic.MAX_RECORDING_MS", 5 * HOUR_MS)
    audio = audio_records(SESSION, [Talk(T, T + 1000)])
    years = [replace(r, timestamp_ms=r.timestamp_ms - 10 * 365 * 24 * HOUR_MS) for r in audio]
    of = control(SESSION, RecordKind.END, T, of=Audio)
    *parts, end = muxed([*years, of], wrapped(SESSION, video_records(SESSION, [Shot(T, T + 1000)]))[1:])
    assert end.count == len(parts) == pytest.approx(5 * HOUR_MS / 4000, abs=2)
    assert end.duration_ms == sum(part.duration_ms for part in parts)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("timestamp_ms", [LONGEST, 2**62, 2**62 + 1, -1])
@pytest.mark.parametrize("kind", [RecordKind.TICK, RecordKind.FRAME])
def test_no_time_at_all_is_left_out(timestamp_ms: int, kind: RecordKind) -> None:
    talk = audio_records(SESSION, [Talk(T, T + 2000)])
    stray = replace(talk[0], kind=kind, sequence=90, timestamp_ms=timestamp_ms)
    audio = [*talk[:5], stray, *talk[5:], control(SESSION, RecordKind.END, T, of=Audio)]
    video = [control(SESSION, RecordKind.END, T, of=Video)]
    assert muxed(audio, video) == muxed([r for r in audio if r is not stray], video)
    assert muxed([stray, *talk, audio[-1]], video)[-1].kind is OutputKind.END


@pytest.mark.timeout(60)
def test_a_chunk_of_many_minutes_is_left_out() -> None:
    (chunk, *_) = audio_records(SESSION, [Talk(T, T + 100)])
    begin, *_, end = wrapped(SESSION, [chunk])
    begin = replace(begin, begin=replace(begin.begin, settings='{"engines": ["moonshine"]}'))
    noise = replace(chunk, payload=bytes(range(256)) * 60_000, sample_rate_hz=8000)
    captions = [control(SESSION, RecordKind.END, T, of=Caption)]
    assert len(transcribed([begin, noise, end], captions)) == 1
    unknown = replace(noise, codec=Codec.OPUS)
    assert len(transcribed([begin, unknown, end], captions)) == 1


@pytest.mark.timeout(60)
def test_a_crowd_is_heard_as_far_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.checkpoint.sessions.MAX_TRACKS", 5)
    (chunk, *_) = audio_records(SESSION, [Talk(T, T + 1000, chunk_ms=1000, level=9000)])
    begin, *_, end = wrapped(SESSION, [chunk])
    begin = replace(begin, begin=replace(begin.begin, settings='{"engines": ["moonshine"]}'))
    crowd = [replace(chunk, sequence=number, participant_id=number % 8, codec=Codec.OPUS) for number in range(1, 40)]
    captions = [control(SESSION, RecordKind.END, T, of=Caption)]
    found = transcribed([begin, *crowd, end], captions)
    assert {utterance.participant_id for utterance in found[:-1]} == {1, 2, 3, 4, 5}


@pytest.mark.timeout(120)
def test_a_crowd_beyond_all_meetings_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.participants.roster.MAX_PRESENT", 2000)
    (begin, end) = (control(SESSION, kind, T, of=Event) for kind in (RecordKind.BEGIN, RecordKind.END))
    count = 2500
    joins = [
        Event(
            session_id=SESSION, kind=RecordKind.FRAME, epoch=1, sequence=number, timestamp_ms=T, arrived_us=0,
            participant_id=number, participant_name="n" * 9000, event=event,
        )
        for event, numbers in (("participant_joined", range(count)), ("participant_left", range(count - 600, count)))
        for number in numbers
    ]  # fmt: skip
    *found, last = listed([begin, *joins, end], [control(SESSION, RecordKind.END, T, of=Chat)])
    assert len([one for one in found if one.event == "join"]) == count
    assert len([one for one in found if one.event == "leave"]) == count
    assert last.count == len(found)
