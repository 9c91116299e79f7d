"""`retention_hours`: how long a session's data is kept, as a project and a create request may say. Pure."""

from typing import Any

from api.json_schemas import whole_number
from schemas.retention import MAX_HOURS

FIELD = "retention_hours"

SCHEMA: dict[str, Any] = {
    "type": ["integer", "null"],
    "minimum": 0,
    "maximum": MAX_HOURS,
    "description": (
        "Hours after a session's end after which its data is deleted as by `delete_data`; 0: as soon as it is over; "
        "null: not by itself."
    ),
}
"""Of the field, for the OpenAPI document."""

hours = whole_number(SCHEMA)
"""The hours in a field. Raises Invalid."""
