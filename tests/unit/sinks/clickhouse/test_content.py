"""What is deleted of the tables is what is deleted of the topics."""

from dataclasses import replace

import pytest

from schemas.clickhouse import WEBHOOK_DELIVERIES
from schemas.deletion import is_content
from schemas.triggers import Trigger
from sinks.clickhouse import content
from tests.support.memory_deletions import deleted
from tests.unit.schemas.test_deletion import TOLD


@pytest.mark.parametrize("trigger", Trigger)
def test_a_delivery_is_kept_as_a_row_if_it_is_kept_as_a_record(trigger: Trigger) -> None:
    """Its record would be read again after a replay, and the row be there again that a receipt says is gone."""
    [table] = [one for one, _ in content.statements([deleted()]) if WEBHOOK_DELIVERIES.name in one.delete]
    is_kept = f"'{trigger}'" in table.delete.partition("trigger NOT IN ")[2]
    assert is_kept is not is_content(replace(TOLD, trigger=str(trigger)))
