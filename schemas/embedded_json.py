"""JSON that stands in a text field of a record: written by whoever wrote the record, so it may be none. Pure."""

import json
from typing import Any


def read(text: str | None) -> Any:
    """What `text` says; None where there is none, where it is no JSON, and where it is nested without end."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
