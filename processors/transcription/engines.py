"""What every speech engine is to transcription, whoever made it and wherever it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from processors.transcription.recogniser import Recognition
from schemas.settings import Engine


@dataclass(frozen=True, slots=True)
class Question:
    """What is said in `pcm` (mono, 16 bit)? `language` is for the local recogniser, `options` are the engines' own;
    `session_id` is for the log, `project_id` says whose keys a service may be asked with, `utterance_id` what was told
    to one while it was spoken; empty: nothing was."""

    pcm: bytes = field(repr=False)
    sample_rate_hz: int
    language: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    session_id: str = ""
    project_id: str = ""
    utterance_id: str = ""

    @property
    def length_ms(self) -> int:
        """How long it is, in whole ms."""
        return len(self.pcm) // 2 * 1000 // self.sample_rate_hz

    def options_of(self, engine: Engine) -> Mapping[str, Any]:
        """What the session wants of one engine; nothing where it says nothing that can be read."""
        options = self.options.get(engine)
        return options if isinstance(options, dict) else {}


class SpeechEngine(Protocol):
    """Asked for many utterances at a time. What it cannot tell now it may be asked again."""

    async def recognise(self, asked: Question, until_s: float) -> Recognition:
        """The answer, given up at the loop's time `until_s`: an attempt that then runs may still be waited for, if that
        is bounded. Never raises for what the engine does."""

    async def stop(self) -> None: ...
