"""Without helm there is nothing to look at."""

from __future__ import annotations

import pytest

from tests.support.chart import missing_helm


@pytest.fixture(scope="session", autouse=True)
def _helm() -> None:
    if reason := missing_helm():
        pytest.skip(reason)
