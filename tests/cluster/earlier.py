"""The release that is upgraded from: the last tag; until there is one, the first commit that can be rolled back to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from deploy.local.settings import REPOSITORY
from tests.cluster.machine import Unfit

_ROLLS_BACK = "tests/unit/processors/test_rolled_back.py"


def revision() -> str:
    """What git knows it by: before that test was there, no older release could read what a newer one kept."""
    tags = _git("tag", "--list", "v*", "--sort=-version:refname", "--merged").split()
    return tags[0] if tags else _git("log", "--diff-filter=A", "--format=%H", "--", _ROLLS_BACK).split()[-1]


def check_out(folder: Path, wanted: str = "") -> Path:
    """The tree of a revision, or of that release, below `folder`. Raises Unfit."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    _git("archive", "--output", str(archive), wanted or revision())
    subprocess.run(["tar", "--extract", "--file", str(archive), "--directory", str(folder)], check=True)
    archive.unlink()
    return folder


def _git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise Unfit(f"an upgrade takes the history that it comes from, a full clone: {answer.stderr.strip()}")
    return answer.stdout
