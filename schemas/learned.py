"""Classes that msgspec is to know before a process has a second thread. Pure.

msgspec learns how a class is read at its first use, and lets other threads read with what it knows of it meanwhile:
they crash (SIGSEGV), or find fault with what is right. So every class that is read is learned while modules are
imported: by a decoder of its own in its module, or, where `convert` reads it, by `learned`.
"""

from typing import TypeVar

import msgspec

_T = TypeVar("_T")


def learned(wanted: type[_T]) -> type[_T]:
    """The class itself, known to msgspec from now on, with all that it holds. A decorator, too."""
    msgspec.json.Decoder(wanted)
    return wanted
