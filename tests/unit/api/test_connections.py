"""What watches over the API's clients."""

import asyncio
from types import SimpleNamespace

from api.connections import _watch
from connectors.host.health import Health
from connectors.kafka.connection import Connection
from connectors.kafka.errors import Fatal


async def test_an_api_whose_producer_is_broken_for_good_is_not_ready_and_says_so_once():
    health, told = Health("api"), []
    health.ready(True)
    producer = SimpleNamespace(connection=Connection("test"))
    watching = asyncio.create_task(_watch(health, [SimpleNamespace(is_ready=True)], producer, lambda: told.append(1)))
    await asyncio.sleep(0)
    assert health.is_ready()
    producer.connection.on_fatal(Fatal("told to", code="x"))
    await asyncio.wait_for(watching, 60)
    assert (health.is_ready(), told) == (False, [1])
