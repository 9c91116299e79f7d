"""What the test modules of one folder share, so that it is started once and not by each of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Generic, TypeVar

import pytest

T = TypeVar("T")


class Shared(Generic[T]):
    """Opened by the first test that asks for it, closed when the next one is outside of the folder.

    pytest's own scopes offer a module, which is started too often, and the session, through which it would idle on.
    """

    def __init__(self, opening: Callable[[Path], AbstractContextManager[T]]) -> None:
        self._opening = opening
        self._open: T | None = None
        self._stack = ExitStack()

    def get(self, folders: pytest.TempPathFactory) -> T:
        """What is shared; the same for all until `close_after` has closed it."""
        if self._open is None:
            self._open = self._stack.enter_context(self._opening(folders.mktemp("shared")))
        return self._open

    def close_after(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """For a folder's `pytest_runtest_teardown`, once all else is torn down."""
        if nextitem is None or nextitem.path.parent != item.path.parent:
            self._open = None
            self._stack.close()
