"""The release that is upgraded from: the last tag; until there is one, a commit whose schemas are older than ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from deploy.local.settings import REPOSITORY
from tests.cluster.machine import Unfit

_UNTAGGED = "7163900a64a9b4a86115f56bfc47ce6b1efe1146"


def revision() -> str:
    """What git knows it by."""
    tags = _git("tag", "--list", "v*", "--sort=-version:refname", "--merged").split()
    return tags[0] if tags else _UNTAGGED


def check_out(folder: Path) -> Path:
    """The tree of that release below `folder`. Raises Unfit."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    _git("archive", "--output", str(archive), revision())
    subprocess.run(["tar", "--extract", "--file", str(archive), "--directory", str(folder)], check=True)
    archive.unlink()
    return folder


def _git(*arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise Unfit(f"an upgrade takes the history that it comes from, a full clone: {answer.stderr.strip()}")
    return answer.stdout
