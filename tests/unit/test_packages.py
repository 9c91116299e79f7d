"""Our package names are plain words: nobody else's distribution may claim them, and ours are the ones imported."""

from __future__ import annotations

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
OURS = {"rtms-pipeline"}


@pytest.mark.parametrize("name", ["api", "connectors", "deploy", "ingest", "processors", "schemas", "sinks"])
def test_a_package_name_is_ours_alone(name: str) -> None:
    assert set(packages_distributions().get(name, ())) <= OURS

    file = importlib.import_module(name).__file__
    assert file is not None
    assert Path(file).is_relative_to(REPOSITORY)
