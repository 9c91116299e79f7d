"""Whose data is to be deleted when: every term comes up once it is over, whatever states came in between."""

from dataclasses import replace

import pytest

from connectors.kafka.terms import Terms
from schemas.records import AppSession, Deletion
from tests.unit.schemas.test_sessions import HOUR_MS, kept, life

OVER = life(*kept(1))
DUE_MS = OVER.history[-1].created_at_ms + HOUR_MS


def known(*states: AppSession, partition: int = 0) -> Terms:
    terms = Terms()
    for state in states:
        terms.know(state, partition)
    return terms


def test_a_term_that_is_over_comes_up_until_its_data_is_deleted() -> None:
    terms = known(OVER)
    assert terms.passed({0}, DUE_MS - 1) == []
    assert terms.passed({1}, DUE_MS) == [], "somebody else holds it"
    assert terms.passed({0}, DUE_MS) == terms.passed({0}, DUE_MS) == ["app_1"]
    terms.know(OVER, 0)
    assert terms.passed({0}, DUE_MS) == ["app_1"], "the same state again, as after a restart"
    terms.know(replace(OVER, deletion=Deletion(reason="asked", asked_at_ms=1)), 0)
    assert terms.passed({0}, DUE_MS) == []


@pytest.mark.parametrize("hours", [None, 0])
def test_what_lives_or_has_no_term_never_comes_up(hours: int | None) -> None:
    terms = known(*(life(*kept(hours)[:count]) for count in range(1, 8)))
    assert terms.passed({0}, 2**60) == []
    terms.know(life(*kept(hours)), 0)
    assert terms.passed({0}, 2**60) == ([] if hours is None else ["app_1"])


def test_many_come_up_in_any_order() -> None:
    states = [replace(life(*kept(hours)), session_id=f"app_{hours}") for hours in (5, 1, 3, 2, 4)]
    terms = known(*states)
    assert sorted(terms.passed({0}, states[2].history[-1].created_at_ms + 3 * HOUR_MS)) == ["app_1", "app_2", "app_3"]
