"""What is checked by a schema is checked soon, whatever somebody sends: the event loop is everybody's."""

import time

import pytest

from api.app_sessions.session_webhooks import TRIGGERS
from api.app_sessions.transcription_settings import transcription
from api.json_schemas import MOST_VALUES, conforms
from api.shapes import Invalid

SOON_S = 3.0


@pytest.mark.parametrize("items", [["a", *range(MOST_VALUES - 2)], [[], *({"a": n} for n in range(MOST_VALUES // 3))]])
def test_items_of_several_types_are_looked_through_once(items):
    began_s = time.process_time()
    with pytest.raises(Invalid):
        conforms(TRIGGERS)(items)
    assert time.process_time() - began_s < SOON_S


@pytest.mark.parametrize("inner", [1, "a", {}, [], {"q": 1}])
def test_who_sends_more_than_anybody_means_is_told_at_once(inner):
    body = {"deepgram": {"keyterms": [inner] * 300_000}}
    began_s = time.process_time()
    with pytest.raises(Invalid, match="more than 5000 values"):
        transcription(body)
    assert time.process_time() - began_s < SOON_S


def test_what_stands_there_twice_is_refused_in_the_words_that_clients_know():
    with pytest.raises(Invalid) as caught:
        conforms(TRIGGERS)(["transcript.update", "transcript.update"])
    assert str(caught.value) == "['transcript.update', 'transcript.update'] has non-unique elements"
    assert conforms(TRIGGERS)(["transcript.update", "bot.state_change"])
