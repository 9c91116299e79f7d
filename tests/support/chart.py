"""The chart as helm renders it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from scripts.chart.documents import CHART
from scripts.chart.tools import KUBERNETES, Unavailable, helm

EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
RELEASE = "rtms"

SMALLEST: dict[str, Any] = {
    "config": {
        "kafka": {"bootstrap_servers": "kafka:9092", "registry_url": "http://registry:8081"},
        "clickhouse": {"url": "http://clickhouse:8123"},
        "objects": {"url": "s3://bucket/prefix"},
    },
    "secretRefs": {
        "secrets": {"keys": {"existingSecret": "rtms"}},
        "api": {"admin_token": {"existingSecret": "rtms"}},
    },
}

Manifest = dict[str, Any]


class Refused(Exception):
    """helm's own words."""


class Pod(NamedTuple):
    """A pod that some manifest makes."""

    owner: Manifest
    metadata: dict[str, Any]
    spec: dict[str, Any]

    @property
    def component(self) -> str:
        return str(self.metadata["labels"]["app.kubernetes.io/component"])

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def run_helm(*arguments: str, stdin: str = "") -> str:
    """What helm prints; raises Refused."""
    answer = subprocess.run([str(helm()), *arguments], input=stdin, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise Refused(answer.stderr + answer.stdout)
    return answer.stdout


def render(*files: Path, values: dict[str, Any] | None = None, kubernetes: str = KUBERNETES[-1]) -> list[Manifest]:
    """Every manifest, hooks included. `values` stand above the files."""
    arguments = [argument for file in files for argument in ("-f", str(file))]
    text = run_helm(
        "template",
        RELEASE,
        str(CHART),
        "--kube-version",
        kubernetes,
        *arguments,
        "-f",
        "-",
        stdin=yaml.dump(values or {}),
    )
    return [manifest for manifest in yaml.load_all(text, yaml.CSafeLoader) if manifest]


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` over `base`, map by map."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = merged(base[key], value) if both else value
    return result


def smallest(**changes: Any) -> list[Manifest]:
    """The smallest values that install, with changes."""
    return render(values=merged(SMALLEST, changes))


def pods(manifests: list[Manifest]) -> list[Pod]:
    """Every pod that they would make."""
    found = []
    for manifest in manifests:
        if manifest["kind"] == "Pod":
            found.append(Pod(manifest, manifest["metadata"], manifest["spec"]))
        elif "template" in manifest.get("spec", {}):
            template = manifest["spec"]["template"]
            found.append(Pod(manifest, template["metadata"], template["spec"]))
    return found


def missing_helm() -> str:
    """Why nothing can be rendered here; empty when it can."""
    try:
        helm()
    except Unavailable as reason:
        return str(reason)
    return ""
