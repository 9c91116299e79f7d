"""Whether a disk is full: of what fails then, little gets as far as saying so itself."""

from __future__ import annotations

import shutil
from pathlib import Path

FULL = "is full"
_MIB = 1024 * 1024
LEAST_FREE_MIB = 8
"""With less than this, Kafka's next file may not fit."""


def shortage(folder: Path) -> str:
    """What to do about the disk that holds this folder (or will); empty while there is room."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    return described(folder, shutil.disk_usage(existing).free)


def described(folder: Path, free_bytes: int) -> str:
    """Pure."""
    if free_bytes >= LEAST_FREE_MIB * _MIB:
        return ""
    return f"the disk of {folder} {FULL} ({free_bytes / _MIB:.1f} MiB left): make room, then start again"
