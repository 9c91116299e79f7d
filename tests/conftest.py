"""Fixtures for every test; see tests/support."""

import gc
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from connectors.host.logs import OURS

pytest_plugins = ["tests.support.order", "tests.support.stack"]

# How long an example takes says more about the machine's other work than about ours.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """It makes next to no garbage: looking for it costs a quarter of its time, and later is done in what is new."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    """A command that a test runs in this process sets up logging for itself, on a stream that is gone afterwards."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("root", *OURS)}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()
