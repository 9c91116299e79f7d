"""Whose links are opened."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.errors import ApiError
from api.media.links import Links, Proof
from connectors.host.clock import SystemClock
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore


@pytest.mark.parametrize("signing_key", ["", "a key"])
def test_a_link_that_nobody_made_is_forged_also_where_no_links_are_made(tmp_path: Path, signing_key: str) -> None:
    """Buckets need no signing key; without one anybody could have a playlist's address answer with 500."""
    settings = ObjectsSettings(url=tmp_path.as_uri(), signing_key=cast(Any, signing_key))
    services = cast(Any, SimpleNamespace(objects=ObjectStore(settings), clock=SystemClock()))
    with pytest.raises(ApiError) as refused:
        Links.opened(services, "sessions/app_1/index.m3u8", Proof("99999999999", "A" * 43))
    assert refused.value.status == 403
