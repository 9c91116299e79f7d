"""The guard outlives its owner by a moment, to kill what a `kill -9` of the owner would leave behind.

It reads `+group` and `-group` lines from its standard input, which only the owner holds open. When the owner is
gone, however that came about, the pipe ends and every process group still listed is killed. Run as a plain file
with the bare interpreter, so it costs a few megabytes and no import of ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def watch() -> None:
    """Follow the owner's list until the pipe ends, then kill what is left on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[0], int(line[1:])
        if change == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    watch()
