"""How dictations ended."""

from collections.abc import Callable

import pytest

from processors.transcription import metrics
from processors.transcription.dictation import Ending


@pytest.fixture
def counts() -> Callable[[Ending], float]:
    """How many ended so since the test began."""
    before = {ending: metrics.DICTATIONS.labels(ending)._value.get() for ending in Ending}
    return lambda ending: metrics.DICTATIONS.labels(ending)._value.get() - before[ending]
