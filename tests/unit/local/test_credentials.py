"""A stack's secrets are made once and lie where only their owner can read them."""

from __future__ import annotations

import stat
from pathlib import Path

from connectors.host.secrets import KeyRing
from deploy.local.credentials import load_or_create


def test_secrets_stay_the_same_for_as_long_as_the_data_live(tmp_path: Path) -> None:
    made = load_or_create(tmp_path)

    assert load_or_create(tmp_path) == made
    assert load_or_create(tmp_path / "other") != made


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    load_or_create(tmp_path)

    [path] = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_key_ring_opens_what_it_closed(tmp_path: Path) -> None:
    ring = KeyRing([load_or_create(tmp_path).key_ring])

    assert ring.decrypt(ring.encrypt("secret")) == "secret"
