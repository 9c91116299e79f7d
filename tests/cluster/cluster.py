"""A running cluster with the chart's release in it, and what the chapters do to it."""

from __future__ import annotations

import json
from typing import NamedTuple

from tests.cluster.kubectl import Kubectl, Object, Refused, is_ready, wait_until
from tests.cluster.meetings import Meetings
from tests.cluster.release import Release
from tests.cluster.stopwatch import Stopwatch

READY_S = 180.0


class Cluster(NamedTuple):
    """What every chapter gets."""

    kubectl: Kubectl
    release: Release
    meetings: Meetings
    watch: Stopwatch

    def ready(self, component: str) -> set[str]:
        """Names of the workload's pods that are ready."""
        return {pod["metadata"]["name"] for pod in self.kubectl.pods(component) if is_ready(pod)}

    def await_ready(self, component: str, count: int) -> None:
        """Return when so many are ready, and no more are about."""
        wait_until(
            lambda: len(self.ready(component)) == len(self.kubectl.pods(component)) == count,
            READY_S,
            lambda: self.described(component),
        )

    def evict(self, pod: str) -> bool:
        """What `kubectl drain` does to each pod of a node; false when the disruption budget refuses."""
        namespace = self.kubectl.one("pod", pod)["metadata"]["namespace"]
        order = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        try:
            self.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(order))
        except Refused as why:
            if "disruption budget" in str(why):
                return False
            raise
        return True

    def described(self, component: str = "") -> str:
        """Why pods are not as they should be."""
        return "\n".join(_described(pod) for pod in self.kubectl.pods(component))


def _described(pod: Object) -> str:
    status = pod["status"]
    containers = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    states = {container["name"]: container["state"] for container in containers}
    return f"{pod['metadata']['name']}: {status.get('phase')} {json.dumps(states)}"
