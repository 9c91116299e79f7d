"""Prints what is installed as a CycloneDX document; run by the image's `sbom` target with the image's own Python."""

from __future__ import annotations

import json
import sys
from importlib.metadata import Distribution, distributions
from typing import Any


def document(installed: list[Distribution]) -> dict[str, Any]:
    """CycloneDX 1.5, sorted, without times: the same image gives the same document."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "rtms-pipeline"}},
        "components": sorted((_component(found) for found in installed), key=lambda component: component["purl"]),
    }


def _component(found: Distribution) -> dict[str, Any]:
    name, version = found.metadata["Name"], found.version
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {"type": "library", "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    json.dump(document(list(distributions())), sys.stdout, indent=1)
