"""A reader that has seen enough ends the program, and not with a traceback."""

import subprocess
import sys

from connectors.host.printing import UNREAD

PROGRAM = """
from connectors.host.printing import ends_with_its_reader
with ends_with_its_reader():
    for number in range(LINES):
        print(number)
print("and so on")
"""


def printed(lines: int, read: int) -> tuple[int, list[str], str]:
    """Exit status, the first lines, and what stands on stderr; who reads them reads no more."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("LINES", str(lines))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout is not None
    assert program.stderr is not None
    found = [program.stdout.readline() for _ in range(read)]
    program.stdout.close()
    errors = program.stderr.read()
    program.stderr.close()
    return program.wait(), found, errors


def test_more_than_a_pipe_holds() -> None:
    assert printed(100_000, 2) == (UNREAD, ["0\n", "1\n"], "")


def test_everything_is_read() -> None:
    assert printed(1, 2) == (0, ["0\n", "and so on\n"], "")
