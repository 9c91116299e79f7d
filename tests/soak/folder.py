"""The folder of a soak: emptied at its start, one soak's at a time, and never anybody else's."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOG = "soak.log"
"""Stands in the folder of every soak, from its first moment on."""


class Taken(Exception):
    """The folder cannot be this soak's; says why, and what to do."""


@contextmanager
def made_anew(folder: Path) -> Iterator[Path]:
    """Where to write the log in the folder, in which nothing else is now. Raises Taken."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and not (folder.is_dir() and ((folder / LOG).exists() or not any(folder.iterdir()))):
        raise Taken(f"{folder} is not empty and no soak's: nothing of it is deleted. Name another --folder.")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"another soak is running in {folder}. Name another --folder.") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / LOG).touch()
        yield folder / LOG
