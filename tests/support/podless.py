"""Pods as local processes: what the manifests say is run, with its environment, its files and its probes.

Not proven here: images, users, networks, DNS, scheduling. Proven: every name and key, every command, every port and
path that manifests and program must agree on.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.server import unready
from deploy.local.settings import REPOSITORY
from tests.support.chart import Manifest, Pod, pods

Secrets = Mapping[str, Mapping[str, str]]


class Release:
    """Everything that one rendering would bring to life. Use with `with`: leaving ends what still runs."""

    def __init__(self, manifests: list[Manifest], secrets: Secrets, folder: Path) -> None:
        self._manifests = manifests
        self._secrets = secrets
        self._folder = folder
        self._pods = pods(manifests)
        self.ports = {pod.component: self._ports_of(pod) for pod in self._pods}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Release:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def pod(self, component: str) -> Pod:
        """The only pod of a component."""
        (pod,) = [pod for pod in self._pods if pod.component == component]
        return pod

    def run(self, component: str) -> str:
        """Run all containers of a pod to their ends, one after the other, and return what they printed."""
        pod, printed = self.pod(component), ""
        for container in pod.containers:
            answer = subprocess.run(
                self._command(container),
                env=self.environment(pod, container),
                cwd=self._folder,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            printed += answer.stdout
            assert answer.returncode == 0, f"{component}/{container['name']}:\n{answer.stdout}{answer.stderr}"
        return printed

    def start(self, component: str) -> None:
        """Start the pod's only container; `await_probe` says when it is there."""
        pod = self.pod(component)
        (container,) = pod.containers
        with self.log(component).open("wb") as log:
            self.processes[component] = subprocess.Popen(
                self._command(container),
                env=self.environment(pod, container),
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def await_probe(self, component: str, kind: str, budget_s: float | None = None) -> None:
        """Return when the probe is content, asked where and as long as the manifest says."""
        (container,) = self.pod(component).containers
        probe = container[kind]
        port = self.ports[component][probe["httpGet"]["port"]]
        budget_s = budget_s or probe["periodSeconds"] * probe["failureThreshold"]
        deadline = time.monotonic() + budget_s
        while why := unready(port, probe["httpGet"]["path"]):
            code = self.processes[component].poll()
            assert code is None, f"{component} ended with {code}:\n{self.log(component).read_text()}"
            assert time.monotonic() < deadline, f"{component}: {kind}: {why}\n{self.log(component).read_text()}"
            time.sleep(0.1)

    def terminate(self, component: str) -> int:
        """SIGTERM, as a kubelet sends it; the exit code. Fails when the grace period is over before."""
        process = self.processes.pop(component)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(self.pod(component).spec["terminationGracePeriodSeconds"])
        finally:
            process.kill()

    def log(self, component: str) -> Path:
        """What the container printed."""
        return self._folder / f"{component}.log"

    def environment(self, pod: Pod, container: dict[str, Any]) -> dict[str, str]:
        """What the container would see, where it cannot be the same: our ports and folders."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            found |= self._object("ConfigMap", source["configMapRef"]["name"])["data"]
        for variable in container.get("env", ()):
            found[variable["name"]] = self._value(pod, variable)
        mapped = {name: self._local(value, container) for name, value in found.items()}
        ports = self.ports[pod.component]
        renamed = {"RTMS_HEALTH_PORT": "health", "RTMS_API_PORT": "http"}
        mapped |= {name: str(ports[port]) for name, port in renamed.items() if name in mapped}
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **mapped}

    def _value(self, pod: Pod, variable: dict[str, Any]) -> str:
        if "value" in variable:
            return str(variable["value"])
        source = variable["valueFrom"]
        if "fieldRef" in source:
            fields = {"metadata.name": f"{pod.owner['metadata']['name']}-0", "status.podIP": "127.0.0.1"}
            return fields[source["fieldRef"]["fieldPath"]]
        wanted = source["secretKeyRef"]
        return self._secrets[wanted["name"]][wanted["key"]]

    def _local(self, value: str, container: dict[str, Any]) -> str:
        """Mounted paths in our folder, our own Services at their pods' ports."""
        for mount in container["volumeMounts"]:
            if value.startswith(mount["mountPath"] + "/") or value == mount["mountPath"]:
                folder = self._folder / mount["name"]
                folder.mkdir(exist_ok=True)
                self._write_secret(container, mount, folder)
                value = str(folder) + value.removeprefix(mount["mountPath"])
        for service in (manifest for manifest in self._manifests if manifest["kind"] == "Service"):
            component = service["spec"]["selector"]["app.kubernetes.io/component"]
            for port in service["spec"]["ports"]:
                pattern = rf"\b{re.escape(service['metadata']['name'])}:{port['port']}\b"
                value = re.sub(pattern, f"{LOOPBACK}:{self.ports[component][port['targetPort']]}", value)
        return value

    def _write_secret(self, container: dict[str, Any], mount: dict[str, Any], folder: Path) -> None:
        (pod,) = {id(pod): pod for pod in self._pods if container in pod.containers}.values()
        (volume,) = [volume for volume in pod.spec["volumes"] if volume["name"] == mount["name"]]
        if "secret" in volume:
            for name, content in self._secrets[volume["secret"]["secretName"]].items():
                (folder / name).write_text(content)

    def _command(self, container: dict[str, Any]) -> list[str]:
        command = [self._local(argument, container) for argument in (*container["command"], *container["args"])]
        assert command[0] == "python"
        return [sys.executable, *command[1:]]

    def _object(self, kind: str, name: str) -> Manifest:
        (found,) = [m for m in self._manifests if m["kind"] == kind and m["metadata"]["name"] == name]
        return found

    @staticmethod
    def _ports_of(pod: Pod) -> dict[str, int]:
        names = [port["name"] for container in pod.containers for port in container.get("ports", ())]
        return dict(zip(names, free_ports(len(names)), strict=True))
