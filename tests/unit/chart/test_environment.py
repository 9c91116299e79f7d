"""Every process that the chart would start takes what it is given: its settings classes read it without complaint."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import pytest

from connectors.host.configuration import NotConfigured, read
from connectors.host.program import Program
from connectors.host.secrets import KeyRing
from scripts.chart.documents import workloads
from tests.support.chart import EXAMPLES, SMALLEST, merged, render
from tests.support.chart_values import EVERYTHING, MATRIX
from tests.support.podless import Release

RENDERINGS = {example.stem: example for example in EXAMPLES} | MATRIX
OFF = {"laptop", "small"}
"""Without composing."""
HOOKS = 4
"""Containers of the job and the check that are programs of ours."""
HELD = {
    **dict.fromkeys(("admin-token", "signing-key", "password", "client-secret", "secret-access-key"), "something"),
    "keys": KeyRing.generate(),
    "service-account.json": json.dumps({"private_key": "k"}),
    **dict.fromkeys(("account-key", "deepgram-api-key"), "c29tZXRoaW5n"),
    **dict.fromkeys(("ca.crt", "user.crt", "user.key"), "a certificate"),
}
"""What is in every Secret."""


class Secrets(dict[str, dict[str, str]]):
    def __missing__(self, name: str) -> dict[str, str]:
        return HELD


@pytest.mark.parametrize("name", RENDERINGS)
def test_every_process_takes_what_it_is_given(name: str, tmp_path: Path) -> None:
    given = RENDERINGS[name]
    manifests = render(given) if isinstance(given, Path) else render(values=merged(given, EVERYTHING))
    release = Release(manifests, Secrets(), tmp_path)
    programs = [facts for facts in workloads().values() if "args" in facts]
    started = [start(release, component) for component in release.ports]
    assert sum(started) == len(programs) - (name in OFF) + HOOKS


def start(release: Release, component: str) -> int:
    """How many programs would start; raises NotConfigured when one would not."""
    pod, count = release.pod(component), 0
    for container in pod.containers:
        if container["command"] == ["python", "-m"]:
            program = program_of(container["args"])
            with patch.dict(os.environ, release.environment(pod, container), clear=True):
                read(program.reads)
            count += 1
    return count


def program_of(arguments: list[str]) -> Program:
    module = import_module(f"{arguments[0]}.__main__")
    programs: list[Program] = list(getattr(module, "PROGRAMS", ())) or [module.PROGRAM]
    said = " ".join(arguments)
    [found] = [program for program in programs if said == program.command or said.startswith(f"{program.command} ")]
    return found


def test_what_is_not_given_is_found(tmp_path: Path) -> None:
    manifests = render(values=SMALLEST)
    for manifest in manifests:
        if manifest["metadata"]["name"].endswith("-api") and manifest["kind"] == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            container["env"] = [one for one in container["env"] if one["name"] != "RTMS_SECRETS_KEYS"]
    with pytest.raises(NotConfigured, match="RTMS_SECRETS_KEYS is not set"):
        start(Release(manifests, Secrets(), tmp_path), "api")
