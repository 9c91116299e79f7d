"""Stored sound played again: the same utterances as were heard, however it is played."""

import random

import numpy as np
import pytest

from processors.checkpoint.sessions import Session, SessionKey
from processors.transcription.afterwards.playing import Play, Score
from processors.transcription.afterwards.sound import Unreadable, Voice
from processors.transcription.logic import AUDIO, CAPTIONS, TranscriptionLogic
from processors.transcription.works import SpeechWork
from schemas.object_names import header_key, header_name, segment_key
from schemas.settings import Engine, RecordingFormat, SessionSettings, dumps
from schemas.tracks import participant_of
from tests.support.muxed import muxed
from tests.support.spoken import START_MS, Microphone, begin, end, frames, silence, voice
from tests.support.stored_sound import Heard, pieces, stored

SESSION = "app_0000000000000001"
T = START_MS
WANTED = dumps(SessionSettings(engines=(Engine.DEEPGRAM,), engine_options='{"deepgram":{"model":"m"}}'))
ADA = silence(800) + voice(1900) + silence(2600) + voice(2200, 3) + silence(1500)
BO = silence(400) + voice(2500, 7) + silence(1200)
SOUNDS = (Heard(7, T + 123, ADA), Heard(9, T + 1500, BO), Heard(9, T + 21_000, BO))


def fetched(objects):
    def fetch(piece):
        header, media = objects.get(header_key(SESSION, piece.header)), objects.get(piece.key)
        return None if header is None or media is None else (header, media)

    return fetch


def played(objects, *, listed=None, pick=lambda waiting: 0, in_flight=3):
    """The works that are played, their windows done in the order that `pick` has; and the play."""
    play = Play(Score(SESSION, "proj_1", 3, WANTED, stored(listed or objects)), fetched(objects))
    found, waiting = [], []
    while not play.is_over:
        following = play.works() if len(waiting) < in_flight else []
        found += [window.work for window in following]
        waiting += following
        if waiting:
            play.done(waiting.pop(pick(waiting)))
    return sorted(found, key=lambda work: (work.participant_id, work.speech.start_ms)), play


def spans(works):
    return [(work.participant_id, work.speech.start_ms - T, work.speech.end_ms - T) for work in works]


def live(sounds):
    """What the logic found when it was said."""
    session = Session(SessionKey(3, SESSION), TranscriptionLogic())
    chunks = frames(SESSION, [Microphone(one.participant_id, one.from_ms, one.pcm) for one in sounds])
    settings = SessionSettings(engines=(Engine.DEEPGRAM,))
    audio = [begin(SESSION, T, settings=settings), *chunks, end(SESSION, T)]
    rows = [(CAPTIONS, 0, begin(SESSION, T, settings=settings)), (CAPTIONS, 1, end(SESSION, T))]
    rows += [(AUDIO, offset, record) for offset, record in enumerate(audio)]
    found = []
    for row in rows:
        windows = session.feed(*row)
        while windows:
            window = windows.pop()
            found.append(window.work)
            windows += session.done(window)
    works = [work for work in found if isinstance(work, SpeechWork)]
    return sorted(works, key=lambda work: (work.participant_id, work.speech.start_ms))


def test_sound_comes_back_where_it_was():
    objects = pieces(SESSION, SOUNDS[:1])
    speaker, chunks = Voice(SESSION, 7), []
    for piece in stored(objects)[7]:
        chunks += speaker.chunks(piece, *fetched(objects)(piece))
    ends = [chunk.timestamp_ms + len(chunk.payload) // 32 for chunk in chunks]
    assert ends[:-1] == [chunk.timestamp_ms for chunk in chunks[1:]], "no gap between chunks or pieces"
    heard = np.concatenate([np.frombuffer(chunk.payload, "<i2") for chunk in chunks]).astype(float)
    said = np.frombuffer(ADA, "<i2").astype(float)
    begin_at = (T + 123 - chunks[0].timestamp_ms) * 16
    part = heard[begin_at : begin_at + len(said)]
    shifts = {shift: float(np.dot(np.roll(part, shift), said)) for shift in range(-40, 41)}
    assert max(shifts, key=shifts.get) == 0
    assert np.mean((part - said) ** 2) < np.mean(said**2) / 100, "20 dB and more"


def test_what_was_said_is_found_again():
    found, play = played(pieces(SESSION, SOUNDS))
    said = live(SOUNDS)
    assert len(found) == len(said) == 4
    for work, once in zip(found, said, strict=True):
        assert work.participant_id == once.participant_id
        assert abs(work.speech.start_ms - once.speech.start_ms) <= 60
        assert abs(work.speech.end_ms - once.speech.end_ms) <= 60
    assert {(work.engines, work.options) for work in found} == {((Engine.DEEPGRAM,), '{"deepgram":{"model":"m"}}')}
    assert {work.project_id for work in found} == {"proj_1"}, "whose keys they are asked with"
    assert play.troubles == set()


def recorded(sounds):
    """The pieces that muxing makes of a meeting, as the objects sink keeps them."""
    settings = SessionSettings(participant_audio=True, recording_format=RecordingFormat.MP3)
    chunks = frames(SESSION, [Microphone(one.participant_id, one.from_ms, one.pcm) for one in sounds])
    audio = [begin(SESSION, T, settings=settings), *chunks, end(SESSION, T)]
    parts = muxed(audio, [begin(SESSION, T, settings=settings), end(SESSION, T)], SESSION)
    voices = [part for part in parts if participant_of(part.track) is not None]
    return {segment_key(part): part.payload for part in voices} | {
        header_key(SESSION, header_name(part.init)): part.init for part in voices
    }


def test_what_a_meeting_left_behind_is_found_again():
    found, play = played(recorded(SOUNDS))
    said = live(SOUNDS)
    assert play.troubles == set()
    assert [work.participant_id for work in found] == [work.participant_id for work in said]
    for work, once in zip(found, said, strict=True):
        assert abs(work.speech.start_ms - once.speech.start_ms) <= 60
        assert abs(work.speech.end_ms - once.speech.end_ms) <= 60


def test_it_is_the_same_however_it_is_played():
    objects = pieces(SESSION, SOUNDS)
    expected, _ = played(objects)
    for seed in range(10):
        rolled = random.Random(seed)
        found, _ = played(objects, pick=lambda waiting, r=rolled: r.randrange(len(waiting)), in_flight=1 + seed % 4)
        assert found == expected


def test_a_silence_of_hours_is_no_broken_clock():
    late = T + 5 * 3_600_000
    found, _ = played(pieces(SESSION, [*SOUNDS[:2], Heard(7, late, ADA), Heard(9, late + 9 * 3_600_000, BO)]))
    assert [(who, start_ms >= 3_600_000) for who, start_ms, _ in spans(found)] == [
        (7, False), (7, False), (7, True), (7, True), (9, False), (9, True),
    ]  # fmt: skip


def test_nobody_who_was_heard_is_nothing_to_be_done():
    found, play = played(pieces(SESSION, []))
    assert (found, play.is_over, play.troubles) == ([], True, set())


@pytest.mark.parametrize(("damage", "trouble"), [
    (None, "stored_audio_missing"), (b"", "stored_audio_unreadable"), (b"\0" * 5000, "stored_audio_unreadable"),
    (lambda data: data[: len(data) // 3], "stored_audio_unreadable"),
])  # fmt: skip
def test_a_piece_that_cannot_be_had_is_silence_and_is_said(damage, trouble):
    whole = pieces(SESSION, SOUNDS)
    bad = stored(whole)[9][-2].key
    damaged = dict(whole)
    if damage is None:
        del damaged[bad]
    else:
        damaged[bad] = damage(whole[bad]) if callable(damage) else damage
    found, play = played(damaged, listed=whole)
    assert play.troubles == {trouble}
    assert spans(found)[:3] == spans(played(whole)[0])[:3]


def test_a_header_that_is_not_there_is_said_too():
    whole = pieces(SESSION, SOUNDS)
    found, play = played({key: data for key, data in whole.items() if "headers" not in key}, listed=whole)
    assert (found, play.troubles) == ([], {"stored_audio_missing"})


def test_rubbish_is_no_sound():
    objects = pieces(SESSION, SOUNDS)
    piece = stored(objects)[7][0]
    with pytest.raises(Unreadable):
        Voice(SESSION, 7).chunks(piece, b"rubbish", b"and more")
