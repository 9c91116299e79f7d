"""`python -m deploy.local`: the whole pipeline on one machine."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

INTERRUPTED = 130


def main() -> int:
    """The exit code."""
    return int(import_module("deploy.local.command").main())


if __name__ == "__main__":
    # What is imported takes a second. Until something runs there is nothing to end, and nothing to say about it.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    sys.exit(main())
