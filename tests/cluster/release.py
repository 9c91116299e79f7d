"""The chart's release in the cluster, by helm and as a person would do it."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from connectors.host.secrets import KeyRing
from scripts.chart.documents import workloads
from scripts.chart.tools import helm
from tests.cluster.image import REPOSITORY_NAME
from tests.cluster.kubectl import Kubectl, Object, Refused
from tests.cluster.network import HOST
from tests.cluster.outsiders import BUCKET, KEY, KEY_ID, PARTITIONS, Outsiders
from tests.support.chart import merged

NAMESPACE = "meetings"
NAME = "rtms-pipeline"
TIMEOUT_S = 240
ADMIN_TOKEN = secrets.token_urlsafe()
_LIGHT = {"resources": {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "2Gi"}}}
_PAIRS = ("ingest", "processor-lifecycle", "api")
OFF = frozenset({"processor-composing"})
"""Off unless somebody wants it; the values go to earlier releases, too, which do not know it."""


class Release:
    """Named as the chart. `charts` are those that can be installed, by the tag of the image that goes with each."""

    def __init__(self, kubectl: Kubectl, kubeconfig: Path, outsiders: Outsiders, charts: Mapping[str, Path]) -> None:
        self._kubectl = kubectl
        self._kubeconfig = kubeconfig
        self._charts = charts
        self._installed = ""
        self._values = values(outsiders)

    def prepare(self) -> None:
        """A namespace that admits restricted pods only, and the Secrets that the chart is told of."""
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
        self._kubectl.apply(_object("Namespace", NAMESPACE, metadata={"labels": labels}))
        held = {
            "rtms": {"keys": KeyRing.generate(), "admin-token": ADMIN_TOKEN, "signing-key": secrets.token_urlsafe()},
            "bucket": {"secret-access-key": KEY},
        }
        for name, data in held.items():
            self._kubectl.apply(_object("Secret", name, stringData=data))

    def install(self, tag: str) -> None:
        """Of an image and the chart that goes with it; instead of another one."""
        if self._installed == tag:
            return
        if self._installed:
            self.uninstall()
        self._change("install", tag, {})

    def upgrade(self, tag: str, changes: dict[str, Any] | None = None) -> None:
        """With what is changed of the values from now on; returns when all pods are ready."""
        self._change("upgrade", tag, changes or {})

    def rollback(self, revision: int) -> None:
        """Returns when all pods are ready."""
        self._helm("rollback", NAME, str(revision), *self._ready())
        self._installed = "what it was"

    def revision(self) -> int:
        """The number of the newest one."""
        found: int = json.loads(self._helm("history", NAME, "--output", "json"))[-1]["revision"]
        return found

    def test(self) -> str:
        """What the pod of `helm test` printed."""
        return self._helm("test", NAME, "--logs", "--timeout", f"{TIMEOUT_S}s")

    def uninstall(self) -> None:
        self._helm("uninstall", NAME, *self._ready())
        self._installed = ""

    @staticmethod
    def _ready() -> list[str]:
        return ["--wait", "--timeout", f"{TIMEOUT_S}s"]

    def _change(self, verb: str, tag: str, changes: dict[str, Any]) -> None:
        self._values = merged(self._values, changes | {"image": {"tag": tag}})
        self._helm(verb, NAME, str(self._charts[tag]), *self._ready(), "-f", "-")
        self._installed = tag

    def _helm(self, *arguments: str) -> str:
        command = [str(helm()), f"--kubeconfig={self._kubeconfig}", f"--namespace={NAMESPACE}", *arguments]
        told = yaml.safe_dump(self._values) if "-" in arguments else ""
        answer = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            raise Refused(f"helm {' '.join(arguments)}: {answer.stderr}{answer.stdout}")
        return str(answer.stdout)


def _object(kind: str, name: str, metadata: dict[str, Any] | None = None, **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name} | (metadata or {}), **more}


def values(outsiders: Outsiders) -> dict[str, Any]:
    """Two cores have to do: one of each, two of what a meeting must not lose for a moment."""
    return {
        "image": {"repository": REPOSITORY_NAME},
        "config": {
            "kafka": {
                "bootstrap_servers": outsiders.kafka.from_pods,
                "registry_url": outsiders.registry_url,
                "partitions": PARTITIONS,
                "replication_factor": 1,
            },
            "clickhouse": {"url": outsiders.clickhouse_url},
            "objects": {"url": f"s3://{BUCKET}/cluster", "endpoint": outsiders.bucket_url, "access_key_id": KEY_ID},
            "zoom": {"allowed_hosts": HOST, "allow_plaintext": True},
        },
        "secretRefs": {
            "secrets": {"keys": {"existingSecret": "rtms"}},
            "api": {"admin_token": {"existingSecret": "rtms"}},
            "objects": {
                "signing_key": {"existingSecret": "rtms"},
                "secret_access_key": {"existingSecret": "bucket"},
            },
        },
        "scratchVolume": {"emptyDir": {"sizeLimit": "1Gi"}},
        "defaults": {"replicas": 1},
        "workloads": {
            name: _LIGHT | {"replicas": 2 if name in _PAIRS else 1}
            for name, facts in workloads().items()
            if "args" in facts and name not in OFF
        },
    }
