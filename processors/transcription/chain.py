"""Who is asked for an utterance, and who next: an engine that cannot tell gives way to the one behind it.

While several are left, each has a share of the time; the last has all of it. Who could not tell for good is asked no
more, who may yet is asked again when the others have failed too. At the end of the time the utterance has failed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.host.logs import get_logger
from processors.transcription import metrics
from processors.transcription.engines import Question, SpeechEngine
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised
from schemas.settings import Engine
from schemas.transcription_codes import Reason

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """`budget_s` for an utterance in all, `share_s` for one engine while others are left, `pause_s` between rounds."""

    budget_s: float
    share_s: float
    pause_s: float


class Chain:
    """All engines of this process."""

    def __init__(self, engines: Mapping[Engine, SpeechEngine], patience: Patience) -> None:
        self._engines, self._patience = engines, patience

    async def stop(self) -> None:
        await asyncio.gather(*(engine.stop() for engine in self._engines.values()))

    async def recognise(self, asked: Question, engines: Sequence[Engine]) -> tuple[Engine, Recognition]:
        """The answer and whose it is; where nobody could tell, why the first of them could not."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._patience.budget_s
        left, reasons = list(engines), dict[Engine, str]()
        while left:
            for engine in (asking := tuple(left)):
                answer = await self._engines[engine].recognise(asked, self._share_s(until_s, len(left)))
                if isinstance(answer, Recognised):
                    return engine, answer
                if engine not in reasons or answer.reason != Reason.TIMED_OUT:
                    reasons[engine] = answer.reason  # that the time was over says less than what was the matter
                if answer.is_final:
                    left.remove(engine)
                if engine != asking[-1]:
                    metrics.FALLBACKS.labels(engine).inc()
            if loop.time() + self._patience.pause_s >= until_s:
                break
            await asyncio.sleep(self._patience.pause_s if left else 0)
        log.warning(
            "nobody could tell what was said",
            session_id=asked.session_id,
            reasons={str(name): why for name, why in reasons.items()},
        )
        return engines[0], Unrecognised(reasons.get(engines[0], Reason.TIMED_OUT))

    def _share_s(self, until_s: float, left: int) -> float:
        share_s = asyncio.get_running_loop().time() + self._patience.share_s
        return until_s if left == 1 else min(until_s, share_s)
