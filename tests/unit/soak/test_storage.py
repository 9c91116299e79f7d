"""The folder can be made to refuse writes at any moment, also at one at which somebody writes to it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from tests.soak.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    made = Storage(tmp_path / "objects", 1)
    if not made.can_fail:
        pytest.skip("a file system of its own takes root and the right to mount")
    yield made
    made.close()


def test_who_is_just_writing_is_waited_for(storage: Storage) -> None:
    being_written = (storage.path / "one").open("wb")
    Timer(0.1, being_written.close).start()
    with storage.read_only():
        assert being_written.closed
        with pytest.raises(OSError, match="Read-only"):
            (storage.path / "two").write_bytes(b"")
    (storage.path / "two").write_bytes(b"")


def test_a_full_folder_has_room_again_afterwards(storage: Storage) -> None:
    with storage.full(), pytest.raises(OSError, match="No space"):
        (storage.path / "one").write_bytes(bytes(4096))
    (storage.path / "one").write_bytes(bytes(4096))
