"""One stage for the module: its acts are meetings of their own, and a stage comes up only once."""

from collections.abc import Iterator

import pytest

from tests.soak.act import Theatre
from tests.soak.stage import Stage


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with Stage(tmp_path_factory.mktemp("faults")) as stage:
        made = Theatre(stage, print)
        try:
            yield made
        finally:
            made.close()
