"""What the recogniser heard, kept for the next act: a run's acts play the same meetings, and hearing costs most of all.

Only here, in the process that compares; the pipeline's own processes hear everything anew, as often as it happens.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from processors.transcription.engines import Question
from processors.transcription.local import LocalEngine
from processors.transcription.recogniser import Recognised, Recognition

_Asked = tuple[str, int, str]


class Hearing:
    """By the very samples, their rate and their language, which is all that the recogniser is told."""

    def __init__(self) -> None:
        self._heard: dict[_Asked, Recognised] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Local engines of this process hear nothing twice meanwhile. What could not be heard is tried again."""
        hear = LocalEngine.recognise

        async def recognise(engine: LocalEngine, asked: Question, until_s: float) -> Recognition:
            key = hashlib.sha256(asked.pcm).hexdigest(), asked.sample_rate_hz, asked.language
            if (known := self._heard.get(key)) is not None:
                return known
            found = await hear(engine, asked, until_s)
            if isinstance(found, Recognised):
                self._heard[key] = found
            return found

        with patch.object(LocalEngine, "recognise", recognise):
            yield
