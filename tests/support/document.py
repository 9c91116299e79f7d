"""The API's OpenAPI document, made once in a process: it takes the better part of a second, and several ask for it."""

from functools import cache
from typing import Any

from api.app import create_app
from connectors.host.clock import SystemClock


@cache
def document() -> dict[str, Any]:
    """As a deployment serves it that hands out its objects itself. Shared: nobody changes it."""
    app = create_app(lambda: None, SystemClock(), serves_objects=True)  # type: ignore[arg-type,return-value]
    return app.openapi()
