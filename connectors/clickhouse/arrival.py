"""What a service does first that can do nothing without ClickHouse: it waits for it."""

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.configuration import NotConfigured
from connectors.host.health import Health
from connectors.host.signals import StopSignal
from connectors.host.waiting import Waiting


def await_clickhouse(clickhouse: ClickHouse, url: str, health: Health, stop: StopSignal) -> None:
    """Return when ClickHouse answers; `url` is what is said of where it is.

    Raises:
        Stopped: told to stop before.
        NotConfigured: it answers that it will not; the text names what to look at.
    """
    try:
        Waiting("clickhouse", health, url).until_there(lambda: clickhouse.query("SELECT 1", patience_s=0), stop)
    except ClickHouseError as error:
        raise NotConfigured(
            f"{error}: look at RTMS_CLICKHOUSE_URL, _DATABASE, _USERNAME and _PASSWORD; "
            "`python -m connectors.clickhouse tables` makes the database"
        ) from error
