"""What processes cost, as Linux counts it: CPU seconds (user and system, all threads) and resident memory."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_SHOWN = 500


class CommandFailed(RuntimeError):
    """A program that was to be measured did not do its work; says what it said last."""


def cpu_seconds(pid: int) -> float:
    """What a running process has used so far, with its children that have ended."""
    return used(Path(f"/proc/{pid}/stat").read_text())


def resident_mib(pid: int | str = "self") -> float:
    """What of its memory is in RAM now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES / 2**20


def cpu_of(command: Sequence[str], log: Path) -> float:
    """Run a program to its end; CPU seconds of it and the children it waited for. Raises CommandFailed."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        said = log.read_text(errors="replace").strip()[-_SHOWN:]
        raise CommandFailed(f"{command[0]} ended with {process.returncode}: {said}")
    return usage.ru_utime + usage.ru_stime


def used(stat: str) -> float:
    """CPU seconds in the text of /proc/<pid>/stat; the name in it may hold anything, also blanks and brackets."""
    utime, stime, children_utime, children_stime = map(int, stat.rpartition(")")[2].split()[11:15])
    return (utime + stime + children_utime + children_stime) / _TICKS_PER_S
