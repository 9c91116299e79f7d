"""What may have been there before is said of a speaker; of all only where there are too many to tell them apart."""

import json

from processors.transcription.forgotten import MOST_SPEAKERS, Forgotten


def test_each_speaker_is_forgotten_alone() -> None:
    forgotten = Forgotten()
    forgotten.add(1, 500)
    forgotten.add(1, 300)
    assert [forgotten.may_have(1, at_ms) for at_ms in (500, 501)] == [True, False]
    assert not forgotten.may_have(2, 0)


def test_of_too_many_the_ones_longest_silent_are_told_apart_no_more() -> None:
    forgotten = Forgotten()
    for participant_id in range(MOST_SPEAKERS + 1):
        forgotten.add(participant_id, 100 * (1 + participant_id))
    assert forgotten.may_have(0, 100)
    assert forgotten.may_have(999, 100)
    assert not forgotten.may_have(999, 101)
    assert len(forgotten.to_json()) == 1 + MOST_SPEAKERS


def test_a_state_holds_all_of_it() -> None:
    forgotten = Forgotten()
    for participant_id in range(MOST_SPEAKERS + 2):
        forgotten.add(participant_id, 100 * (1 + participant_id))
    again = Forgotten.from_json(json.loads(json.dumps(forgotten.to_json())))
    assert again.to_json() == forgotten.to_json()
    again.add(999, 5)
    assert again.may_have(2, 300)
