"""What is told of a transcript's records."""

import json

from api.feeds.news import Entry, FeedKey
from api.transcripts.news import TranscriptNews
from schemas.records import OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from schemas.settings import Engine

KEY = FeedKey("transcripts", "app_1", 3, Engine.ZOOM)


def said(text="hello", revision=1, item="utt_1", **fields):
    given = {"engine": "zoom", "kind": OutputKind.ITEM, "start_ms": 5, "end_ms": 9} | fields
    return Utterance(session_id="app_1", utterance_id=item, revision=revision, text=text, **given)


def told(*values):
    news = TranscriptNews(KEY)
    items = [value.utterance_id if isinstance(value, Utterance) else "utt_1" for value in values]
    return [
        news.take(Entry(offset, 0, item, value)) for offset, (item, value) in enumerate(zip(items, values, strict=True))
    ]


def test_an_utterance_is_told_where_it_stands():
    [first, second] = told(said(), said(item="utt_2"))
    assert (first.name, str(first.at), str(second.at)) == ("utterance", "3-0", "3-1")
    data = json.loads(first.data)
    assert data["id"] == "utt_1"
    assert (data["revision"], data["status"], data["reason"]) == (1, "final", None)
    assert data["transcription"] == {"transcript": "hello"}


def test_what_a_restarted_processor_writes_again_is_not():
    again = [said("a", 1), said("b", 2), said("a", 1), said("b", 2), said("b", 2)]
    assert [event is not None for event in told(*again)] == [True, True, False, False, False]


def test_of_one_revision_the_later_record_counts():
    assert [event is not None for event in told(said("a"), said("b"), said("b"), said("a"))] == [
        True,
        True,
        False,
        True,
    ]


def test_side_transcripts_are_nothing_new_and_their_end_is_not_the_end():
    side = Utterance(session_id="app_1", kind=OutputKind.SIDE_END, engine="tran_1", count=3)
    end = Utterance(session_id="app_1", kind=OutputKind.END)
    [words, its_end, own_end] = told(said(engine="tran_1", recognised_by="zoom"), side, end)
    assert (words, its_end, own_end.name) == (None, None, "end")
    assert TranscriptNews(KEY).take(Entry(9, 0, "end_tran_1", None)) is None, "nor is it an item that goes"


def test_other_engines_and_other_things_are_not_told():
    other = ParticipantEvent(session_id="app_1", kind=OutputKind.ITEM, event_id="pe_1")
    assert told(said(engine="moonshine"), said(kind=OutputKind.UNKNOWN), other) == [None, None, None]


def test_silence_is_only_told_where_there_were_words_or_nobody_understood():
    failed = said("", item="utt_2", status=UtteranceStatus.FAILED, reason="timeout")
    events = told(said(""), said("hello"), said("", 2), failed)
    assert [event is not None for event in events] == [False, True, True, True]
    assert json.loads(events[3].data)["reason"] == "timeout"


def test_what_zoom_has_deleted_is_told_also_to_those_who_come_later():
    """When compaction has taken what was said."""
    [gone] = told(said("", 2, withdraws=True))
    assert json.loads(gone.data)["transcription"] == {"transcript": ""}
    assert [event is not None for event in told(said(), said("", 2, withdraws=True), said())] == [True, True, False]


def test_a_tombstone_takes_back_and_what_comes_again_is_new():
    events = told(said(), None, said())
    assert (events[1].name, events[1].data) == ("removed", '{"id":"utt_1"}')
    assert events[2] is not None


def test_the_tombstone_of_the_end_takes_nothing_back():
    news = TranscriptNews(KEY)
    assert news.take(Entry(0, 0, "end", None)) is None


def test_the_end():
    [end] = told(Utterance(session_id="app_1", kind=OutputKind.END))
    assert (end.is_end, end.data, str(end.at)) == (True, '{"reason":"complete"}', "3-0-end")


def shown(*values, news=None):
    news = news or TranscriptNews(KEY)
    return [news.show(Entry(offset, 0, "", value)) for offset, value in enumerate(values)]


def partial(text="hel", revision=800, item="utt_1", **fields):
    return said(text, revision, item, status=UtteranceStatus.PARTIAL, **fields)


def test_what_is_being_said_is_shown_at_no_place_and_never_goes_back():
    first, again, older, newer = shown(partial(), partial(), partial(revision=700), partial("hello", 1600))
    assert (again, older) == (None, None)
    assert [(event.name, event.at) for event in (first, newer)] == [("utterance", None)] * 2
    data = json.loads(newer.data)
    assert (data["id"], data["revision"], data["status"]) == ("utt_1", 1600, "partial")
    assert data["transcription"] == {"transcript": "hello"}


def test_after_the_final_nothing_of_it_is_shown_whatever_comes_late():
    news = TranscriptNews(KEY)
    assert shown(partial(), news=news) != [None]
    assert news.take(Entry(0, 0, "utt_1", said(revision=1981))) is not None
    assert shown(partial(revision=1600), partial(revision=9000), news=news) == [None, None]
    assert shown(partial(item="utt_2"), news=news) != [None]


def test_a_final_is_told_the_same_whether_or_not_anything_was_shown():
    plain, showing = TranscriptNews(KEY), TranscriptNews(KEY)
    shown(partial(), partial("hello", 1600), news=showing)
    final = Entry(0, 0, "utt_1", said(revision=1981))
    assert plain.take(final) == showing.take(final) is not None


def test_that_there_was_no_word_is_told_wherever_some_may_have_been_shown():
    unseen, again = shown(partial("", 1981), partial("", 1981))
    assert unseen.takes_back
    assert again is None
    first, taken_back, late = shown(partial(), partial("", 1981), partial(revision=1600))
    assert json.loads(taken_back.data)["transcription"] == {"transcript": ""}
    assert (first.takes_back, taken_back.takes_back, late) == (False, True, None)


def test_others_partials_are_not_shown():
    assert shown(partial(engine="moonshine"), None, said(kind=OutputKind.END)) == [None, None, None]
