"""Files that live only while one recording is being finished; what a killed process left behind is removed.

A file in use is locked by the process that writes it, and a lock dies with its process: so several sinks can share a
folder, and none removes what another still needs.
"""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class ScratchUnusable(Exception):
    """The folder takes no file, or no more of it, now."""


_PREFIX, _SUFFIX = "rtms-recording-", ".mp4"


@contextmanager
def scratch_file(folder: Path) -> Iterator[Path]:
    """A file of one's own in `folder`, gone afterwards.

    Raises:
        ScratchUnusable: what went wrong with the file, in whoever writes it too.
    """
    try:
        descriptor, name = tempfile.mkstemp(_SUFFIX, _PREFIX, folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
            os.close(descriptor)
    except OSError as error:
        raise _unusable(error) from None


def capacity_bytes(folder: Path) -> int:
    """How much the folder's disk could hold if it were empty, 0 if it does not say. Raises ScratchUnusable."""
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        raise _unusable(error) from None
    return disk.f_blocks * disk.f_frsize


def sweep(folder: Path) -> int:
    """Create the folder if need be and remove what nobody uses; how many files that were."""
    folder.mkdir(parents=True, exist_ok=True)
    return sum(_removed(path) for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"))


def _removed(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
        return True
    return False


def _unusable(error: OSError) -> ScratchUnusable:
    return ScratchUnusable(f"the scratch folder takes no file ({errno.errorcode.get(error.errno or 0, 'unknown')})")
