"""The first request of a replica is answered as fast as any: what it needs was built when the API started."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pydantic
import pytest

from api.app import create_app
from connectors.host.clock import SystemClock


@asynccontextmanager
async def no_services() -> AsyncIterator[Any]:
    yield None


def test_the_first_request_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[object] = []
    build = pydantic.TypeAdapter.__init__

    def counted(self: Any, *arguments: Any, **named: Any) -> None:
        built.append(self)
        build(self, *arguments, **named)

    monkeypatch.setattr(pydantic.TypeAdapter, "__init__", counted)
    app = create_app(no_services, SystemClock(), serves_objects=True)

    async def asked() -> tuple[int, int]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as api,
        ):
            before = len(built)
            assert (await api.get("/nowhere")).status_code == 404
            return before, len(built)

    before, after = asyncio.run(asked())
    assert before > 0
    assert after == before
