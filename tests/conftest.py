"""Fixtures for every test; see tests/support."""

from hypothesis import settings

pytest_plugins = ["tests.support.stack"]

# How long an example takes says more about the machine's other work than about ours.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
