"""Faults of ours that an input finds: the next process would find them, too, so they cost that input and no more."""

import struct
import traceback

FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, struct.error)
"""What pure code raises when it meets what nobody thought of."""


def raised_at(error: BaseException) -> str:
    """Where it was raised, for the log. Its message may quote what nobody should read there."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
