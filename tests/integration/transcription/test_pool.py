"""The pool against its real processes: what is said does not depend on what happens to them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from processors.transcription.child import COMMAND
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from tests.support import readings
from tests.support.processes import PATIENCE_S, wait_for

FAST = TranscriptionSettings(retry_delay_s=0.05)
WORDLESS = bytes(32_000)


def utterance() -> bytes:
    """The first sentences of the longer reading."""
    return readings.reading("two_cities").pcm[1_100 * 32 : 8_300 * 32]


async def until(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_for, condition, PATIENCE_S, lambda: f"waited in vain for {what}")


@asynccontextmanager
async def running(settings: TranscriptionSettings = FAST, command: Sequence[str] = COMMAND) -> AsyncIterator[Pool]:
    pool = Pool(settings, command)
    try:
        yield pool
    finally:
        await pool.stop()
        assert not pool.pids


async def test_says_what_was_said_and_when() -> None:
    async with running() as pool:
        found = await pool.recognise(utterance(), 16_000)
    assert isinstance(found, Recognised)
    assert found.text.startswith("It was the best of times")
    assert all(0 <= s.start_ms < s.end_ms <= 7_300 for s in found.segments)


def attempts_of(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children()


async def in_the_middle(pool: Pool, pid: int) -> tuple[asyncio.Task[Recognition], psutil.Process]:
    """An utterance that is being recognised, and the attempt at it, which stands still until it is resumed."""
    while True:
        asked = asyncio.create_task(pool.recognise(utterance(), 16_000))
        await until(lambda asked=asked: asked.done() or bool(attempts_of(pid)), "an attempt")
        for attempt in attempts_of(pid):
            if await stands_still(attempt):
                return asked, attempt
        await asked  # it was over before anybody looked


async def stands_still(attempt: psutil.Process) -> bool:
    """Whether it could be made to; not if it is over."""
    with suppress(psutil.NoSuchProcess):
        attempt.suspend()
        await until(lambda: attempt.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE), "it to stand still")
        return attempt.status() == psutil.STATUS_STOPPED
    return False


def let_go(attempt: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        attempt.resume()


@pytest.mark.parametrize("victim", ["process", "attempt"])
async def test_a_killed_process_changes_nothing(victim: str) -> None:
    async with running() as pool:
        expected = await pool.recognise(utterance(), 16_000)
        (pid,) = pool.pids
        again, attempt = await in_the_middle(pool, pid)
        os.kill(pid if victim == "process" else attempt.pid, signal.SIGKILL)
        let_go(attempt)
        assert await again == expected
        assert (pool.pids == [pid]) is (victim == "attempt")


async def test_one_utterance_does_not_change_the_next() -> None:
    short = utterance()[: 3_000 * 32]
    async with running() as pool:
        first = await pool.recognise(short, 16_000)
        for other in (WORDLESS, utterance(), short):
            last = await pool.recognise(other, 16_000)
    assert last == first


async def test_more_utterances_than_processes() -> None:
    async with running(TranscriptionSettings(workers=2)) as pool:
        found = await asyncio.gather(*(pool.recognise(utterance()[: 2_000 * 32], 16_000) for _ in range(5)))
        assert len(pool.pids) == 2
    assert len({f.text for f in found if isinstance(f, Recognised)}) == 1


async def test_who_is_cancelled_leaves_no_process_in_the_middle_of_an_answer() -> None:
    async with running() as pool:
        await pool.recognise(WORDLESS, 16_000)
        (pid,) = pool.pids
        asked, attempt = await in_the_middle(pool, pid)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        let_go(attempt)
        assert not psutil.pid_exists(pid)
        assert await pool.recognise(WORDLESS, 16_000) == Recognised(())


async def test_a_terminals_interrupt_is_for_the_parent() -> None:
    async with running() as pool:
        expected = await pool.recognise(utterance(), 16_000)
        (pid,) = pool.pids
        again, attempt = await in_the_middle(pool, pid)
        for target in (pid, attempt.pid):
            os.kill(target, signal.SIGINT)
        let_go(attempt)
        assert await again == expected
        assert pool.pids == [pid]


async def test_an_attempt_that_takes_too_long_is_ended_and_its_process_lives_on() -> None:
    """A monologue of eight minutes cannot be recognised within a second."""
    settings = TranscriptionSettings(attempt_limit_s=1, retry_budget_s=0.1)
    async with running(settings) as pool:
        found = await pool.recognise(utterance() * 70, 16_000)
        assert found == Unrecognised("took longer than 1 s")
        (pid,) = pool.pids
        assert await pool.glimpsed(WORDLESS, 16_000, limit_s=60) == Recognised(())
        assert pool.pids == [pid]


async def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """kill -9 of the parent in the middle of an utterance; nobody is left to tell anybody."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, sys\n"
        "from processors.transcription.pool import Pool\n"
        "from processors.transcription.settings import TranscriptionSettings\n"
        "async def main():\n"
        "    pool = Pool(TranscriptionSettings())\n"
        "    pcm = open(sys.argv[1], 'rb').read()\n"
        "    while True:\n"
        "        await pool.recognise(pcm, 16_000)\n"
        "asyncio.run(main())\n"
    )
    pcm = tmp_path / "utterance.pcm"
    pcm.write_bytes(utterance())
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(pcm), env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    family: list[psutil.Process] = []

    def is_working() -> bool:
        family[:] = psutil.Process(parent.pid).children(recursive=True)
        return len(family) == 2

    await until(is_working, "an attempt")
    parent.kill()
    await parent.wait()
    await until(lambda: not any(p.is_running() for p in family), "the processes to end")


def stand_in(folder: Path, body: str) -> tuple[str, ...]:
    """A recogniser process that behaves badly; the real one has no switch for that."""
    script = folder / "stand_in.py"
    script.write_text(f"import os, sys, time\n{body}\n")
    return sys.executable, str(script)


@pytest.mark.parametrize("body", ["sys.exit(3)", "os.write(1, b'\\0\\0\\0\\4oops'); time.sleep(60)", "os.close(1)"])
async def test_after_the_last_attempt_an_utterance_is_given_up_with_a_reason(tmp_path: Path, body: str) -> None:
    settings = TranscriptionSettings(retry_budget_s=0.5, retry_delay_s=0.05)
    async with running(settings, stand_in(tmp_path, body)) as pool:
        found = await pool.recognise(WORDLESS, 16_000)
    assert isinstance(found, Unrecognised)
    assert "recogniser process ended" in found.reason


async def test_without_the_wheel_utterances_fail_with_the_way_to_get_it(tmp_path: Path) -> None:
    """A real recogniser process in an interpreter that does not find the wheel."""
    body = (
        "import importlib.util, runpy\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'moonshine_voice' else found(name, *rest)\n"
        f"sys.path.insert(0, {os.getcwd()!r})\n"
        "runpy.run_module('processors.transcription.worker', run_name='__main__')"
    )
    async with running(FAST, stand_in(tmp_path, body)) as pool:
        found = await pool.recognise(WORDLESS, 16_000)
    assert isinstance(found, Unrecognised)
    assert "rtms-pipeline[recogniser]" in found.reason
