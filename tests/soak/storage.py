"""The object folder on a small file system of its own, which can be full or refuse every write."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

BUSY_S = 30.0
"""A folder that somebody is just writing to cannot be made read-only; nobody writes for long."""
_AGAIN_S = 0.02


class Storage:
    """`path` is the folder. Mounting takes root; elsewhere it is a plain folder and `can_fail` is false."""

    def __init__(self, path: Path, size_mib: int) -> None:
        self.path = path
        self._size = f"size={size_mib}m"
        self._filler = path / "filler"
        path.mkdir(parents=True, exist_ok=True)
        self.can_fail = os.geteuid() == 0 and _mount("-t", "tmpfs", "-o", self._size, "tmpfs", str(path))

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """It takes no writes, as a kernel does with a broken disk."""
        self._remount("ro")
        try:
            yield
        finally:
            self._remount("rw")

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """There is no room for another byte."""
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(64 * 1024))
        try:
            yield
        finally:
            self._filler.unlink(missing_ok=True)

    def _remount(self, how: str) -> None:
        until = time.monotonic() + BUSY_S
        while not _mount("-o", f"remount,{how},{self._size}", str(self.path)):
            assert time.monotonic() < until, f"{self.path} cannot be made {how}: somebody writes to it all the time"
            time.sleep(_AGAIN_S)

    def close(self) -> None:
        if self.can_fail:
            subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)
            self.can_fail = False


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0
