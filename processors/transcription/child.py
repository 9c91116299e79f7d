"""One recogniser process and the way to ask it: started when first needed, replaced when it died or fell silent."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from connectors.host.logs import get_logger
from processors.transcription import metrics
from processors.transcription.worker.messages import LENGTH_BYTES, Answer, Broken, Request, answer, packed

COMMAND = (sys.executable, "-m", "processors.transcription.worker")

FAREWELL_S = 5

log = get_logger(__name__)


class Child:
    """Asked by one caller at a time."""

    def __init__(self, silence_limit_s: float, command: Sequence[str] = COMMAND) -> None:
        self._silence_limit_s = silence_limit_s
        self._command = command
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def ask(self, wanted: Request) -> Answer:
        """The answer to `wanted`; `Broken` where the process died, fell silent or spoke nonsense."""
        try:
            async with asyncio.timeout(wanted.limit_s + self._silence_limit_s):
                return await self._exchange(self._process or await self._start(), wanted)
        except (OSError, EOFError, TimeoutError, msgspec.MsgspecError) as error:
            await self.kill()
            log.warning("recogniser process replaced", cause=type(error).__name__)
            return Broken(f"the recogniser process ended or fell silent ({type(error).__name__})")
        except BaseException:  # what was asked is unanswered: the next answer would be taken for another's
            await self.kill()
            raise

    async def stop(self) -> None:
        """Let it end by itself, as it does when nobody can ask any more."""
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await process.wait()
        await self.kill()

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _start(self) -> Process:
        metrics.STARTS.inc()
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
        return self._process

    async def _exchange(self, process: Process, wanted: Request) -> Answer:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(packed(wanted))
        await process.stdin.drain()
        head = await process.stdout.readexactly(LENGTH_BYTES)
        return answer(await process.stdout.readexactly(int.from_bytes(head, "big")))
