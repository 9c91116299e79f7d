"""Which events are asked for, product by product."""

import pytest

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.messages import ID_FIELDS
from connectors.rtms.protocol.parameters import EVERYTHING
from connectors.rtms.protocol.subscriptions import EVENTS_OF, wanted_events

MEETING = [2, 3, 4, 5, 6, 8, 9]


@pytest.mark.parametrize("product", ["meeting", "webinar", "session"])
def test_meetings_with_their_chat_groups_where_the_chat_is_wanted(product: str) -> None:
    assert list(wanted_events(product, EVERYTHING)) == [*MEETING, 10, 11, 12, 13, 14]
    assert list(wanted_events(product, EVERYTHING.only(frozenset({Medium.AUDIO})))) == MEETING


def test_contact_centers_and_calls() -> None:
    assert list(wanted_events("contact_center", EVERYTHING)) == [2, 3, 4, 5, 6, *range(8, 30)]
    assert list(wanted_events("phone", EVERYTHING)) == [2, 3, 4]


def test_every_product_has_events_and_none_those_that_come_by_themselves() -> None:
    assert EVENTS_OF.keys() == ID_FIELDS.keys()
    assert not any({1, 7} & set(events) for events in EVENTS_OF.values())
