"""The cluster's API by its command line, as an operator of it has it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Object = dict[str, Any]
POLL_S = 0.2


class Refused(Exception):
    """kubectl's or helm's own words."""


class Kubectl:
    """One namespace of one cluster."""

    def __init__(self, program: Path, config: Path, namespace: str) -> None:
        self._command = [str(program), f"--kubeconfig={config}", f"--namespace={namespace}"]

    def __call__(self, *arguments: str, stdin: str = "", timeout_s: float = 120) -> str:
        """What it prints. Raises Refused."""
        answer = subprocess.run(
            [*self._command, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        if answer.returncode != 0:
            raise Refused(f"kubectl {' '.join(arguments)}: {answer.stderr or answer.stdout}")
        return answer.stdout

    def get(self, kind: str, *arguments: str) -> list[Object]:
        """All of a kind."""
        found: list[Object] = json.loads(self("get", kind, *arguments, "-o", "json"))["items"]
        return found

    def one(self, kind: str, name: str) -> Object:
        found: Object = json.loads(self("get", kind, name, "-o", "json"))
        return found

    def apply(self, *objects: Object) -> None:
        """Make them, or make them so."""
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self("apply", "--server-side", "-f", "-", stdin=json.dumps(listed))

    def try_out(self, *objects: Object) -> None:
        """Have them checked as if they were to be made. Raises Refused."""
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        self("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(listed))

    def pods(self, component: str = "") -> list[Object]:
        """Of one workload, or all; those that are on their way out too."""
        wanted = f"app.kubernetes.io/component={component}" if component else "app.kubernetes.io/name=rtms-pipeline"
        return self.get("pods", "-l", wanted)


def is_ready(pod: Object) -> bool:
    """Ready, and not about to end."""
    conditions = {entry["type"]: entry["status"] for entry in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def wait_until(condition: Callable[[], object], timeout_s: float, failure: Callable[[], str]) -> None:
    """Ask until it holds. Raises AssertionError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, failure()
        time.sleep(POLL_S)
