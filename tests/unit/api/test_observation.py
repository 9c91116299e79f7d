"""What a request's time is: to the end of its answer, of a feed to its beginning."""

import pytest
from prometheus_client import REGISTRY

from api.observation import Observed


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.mark.parametrize(("media_type", "seconds"), [("text/event-stream; charset=utf-8", 2.0), ("text/vtt", 102.0)])
async def test_how_long_somebody_listens_is_not_how_long_we_took(media_type: str, seconds: float) -> None:
    clock, sent = Hands(), []

    async def app(scope, receive, send) -> None:
        clock.now_s += 2
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type.encode())]})
        clock.now_s += 100
        await send({"type": "http.response.body", "body": b""})

    def sample(name: str) -> float:
        return REGISTRY.get_sample_value(name, {"method": "GET", "route": "unmatched"}) or 0.0

    async def send(message) -> None:
        sent.append(message)

    before = sample("rtms_api_request_seconds_sum")
    await Observed(app, clock)({"type": "http", "method": "GET"}, None, send)  # type: ignore[arg-type]
    assert sample("rtms_api_request_seconds_sum") - before == seconds
    assert len(sent) == 2
