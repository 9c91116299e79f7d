"""The secrets of a local stack: made once, kept beside its data where only their owner can read them."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from connectors.host.secrets import KeyRing

_OWNER_ONLY = 0o600


class Credentials(NamedTuple):
    """What the services of one stack share; never printed, never logged."""

    admin_token: str
    key_ring: str
    signing_key: str


def load_or_create(run_dir: Path) -> Credentials:
    """The stack's secrets; the same ones for as long as its data live."""
    path = run_dir / "credentials.json"
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    made = Credentials(secrets.token_urlsafe(32), KeyRing.generate(), secrets.token_urlsafe(32))
    write_private(path, json.dumps(made._asdict()))
    return made


def write_private(path: Path, text: str) -> None:
    """Replace the file at once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w") as file:
        file.write(text)
    draft.replace(path)
