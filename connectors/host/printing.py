"""What a command prints may go to a pipe."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNREAD = 141
"""Exit status, as a shell has it of a program that SIGPIPE ended."""


@contextmanager
def ends_with_its_reader() -> Iterator[None]:
    """Whoever reads what is printed may have seen enough, as `head` has: that ends the program without a word.

    Raises:
        SystemExit: UNREAD.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # or the interpreter, which flushes once more, complains at its end
        os.close(nowhere)
        sys.exit(UNREAD)
