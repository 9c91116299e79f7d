"""Scratch files go when they are done with, and what a killed process left goes at the next start."""

import errno
import fcntl
from pathlib import Path

import pytest

from sinks.objects.scratch import ScratchUnusable, scratch_file, sweep


def test_a_file_is_gone_after_use(tmp_path: Path) -> None:
    with scratch_file(tmp_path) as path:
        path.write_bytes(b"movie")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_gone_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ScratchUnusable, match="ENOSPC"), scratch_file(tmp_path):
        raise OSError(errno.ENOSPC, "full")
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_uses_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert sweep(folder) == 0
    (folder / "rtms-recording-left.mp4").write_bytes(b"x")
    (folder / "something-else.mp4").write_bytes(b"x")
    assert sweep(folder) == 1
    assert [path.name for path in folder.iterdir()] == ["something-else.mp4"]


def test_what_another_uses_stays(tmp_path: Path) -> None:
    used = tmp_path / "rtms-recording-used.mp4"
    with used.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert sweep(tmp_path) == 0
    assert sweep(tmp_path) == 1
