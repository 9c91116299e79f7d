"""The object folder on a small file system of its own, which can be full or refuse every write."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path


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
        assert _mount("-o", f"remount,ro,{self._size}", str(self.path)), "the folder cannot be made read-only"
        try:
            yield
        finally:
            assert _mount("-o", f"remount,rw,{self._size}", str(self.path)), "the folder cannot be made writable"

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

    def close(self) -> None:
        if self.can_fail:
            subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)
            self.can_fail = False


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0
