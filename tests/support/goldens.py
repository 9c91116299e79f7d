"""Zoom's messages and webhooks as its documents show them, one JSON file each in `wire/`, written without our code.

A file is named by the message's number and name, with a variant behind a dot; webhooks begin with `webhook`.
"""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("wire")

GOLDENS: dict[str, bytes] = {path.stem: path.read_bytes().strip() for path in sorted(_FOLDER.glob("*.json"))}


def golden(name: str) -> Any:
    """The JSON of one file, as another library reads it."""
    return json.loads(GOLDENS[name])


MESSAGES: dict[str, bytes] = {name: data for name, data in GOLDENS.items() if name[0].isdigit()}
WEBHOOKS: dict[str, bytes] = {name: data for name, data in GOLDENS.items() if name not in MESSAGES}
