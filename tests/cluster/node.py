"""The cluster's node: containerd, kubelet, kube-proxy and the cluster's names, as processes of this machine."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local.unit import Program, Unit
from tests.cluster.enclosure import CGROUP
from tests.cluster.image import PAUSE
from tests.cluster.kubectl import Kubectl, is_ready
from tests.cluster.machine import CNI
from tests.cluster.network import BRIDGE, HOST, PODS

NAME = "node-0"
DOMAIN = "cluster.local"
_READY_S = 90.0
_PROXY_HEALTH = 10256
_CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "/run/containerd"
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
restrict_oom_score_adj = true
sandbox_image = "{pause}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni}"
conf_dir = "{folder}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
"""
_NAMES = """\
.:53 {{
    errors
    kubernetes {domain} {{
        kubeconfig {config} test
    }}
}}
"""


class Node:
    """`start` returns when pods can be put on it."""

    def __init__(self, programs: Mapping[str, Path], config: Path, folder: Path, logs: Path) -> None:
        self._programs = programs
        self._config = config
        self._folder = folder
        self._logs = logs
        self._socket = folder / "containerd.sock"

    def start(self, archives: Sequence[Path], kubectl: Kubectl) -> list[Unit]:
        """`archives` are the images that it has; nothing can be pulled."""
        self._write_files()
        containerd = self._unit("containerd", ["-c", str(self._folder / "containerd.toml")], self._unreachable)
        containerd.start(_READY_S)
        for archive in archives:
            self._ctr("images", "import", str(archive))
        names = self._unit("coredns", ["-conf", str(self._folder / "names")], lambda: _silent(53))
        others = [self._kubelet(kubectl), self._proxy(), names]
        for unit in others:
            unit.launch()
        for unit in others:
            unit.wait_ready(_READY_S)
        return [containerd, *others]

    def _write_files(self) -> None:
        folder = self._folder
        (folder / "cni").mkdir(parents=True, exist_ok=True)
        told = _CONTAINERD.format(folder=folder, socket=self._socket, pause=PAUSE, cni=CNI)
        (folder / "containerd.toml").write_text(told)
        (folder / "cni" / "10-bridge.conflist").write_text(json.dumps(_pod_network()))
        (folder / "kubelet.yaml").write_text(json.dumps(_kubelet_settings(folder, self._socket)))
        (folder / "names").write_text(_NAMES.format(domain=DOMAIN, config=self._config))
        (folder / "resolv.conf").write_text(f"nameserver {HOST}\n")

    def _kubelet(self, kubectl: Kubectl) -> Unit:
        arguments = {
            "config": self._folder / "kubelet.yaml",
            "kubeconfig": self._config,
            "root-dir": self._folder / "kubelet",
            "cert-dir": self._folder / "kubelet-certificates",
            "hostname-override": NAME,
            "node-ip": HOST,
        }

        def unready() -> str:
            return "" if any(is_ready(node) for node in kubectl.get("nodes")) else "the node is not ready"

        return self._unit("kubelet", [f"--{name}={value}" for name, value in arguments.items()], unready)

    def _proxy(self) -> Unit:
        arguments = ["--proxy-mode=iptables", "--masquerade-all", "--conntrack-max-per-core=0"]
        arguments += [f"--kubeconfig={self._config}", f"--hostname-override={NAME}"]
        return self._unit("kube-proxy", arguments, lambda: _silent(_PROXY_HEALTH))

    def _unreachable(self) -> str:
        answer = subprocess.run(self._client("version"), capture_output=True, text=True, check=False)
        return "" if answer.returncode == 0 else answer.stderr.strip()[-300:]

    def _ctr(self, *arguments: str) -> None:
        subprocess.run(self._client(*arguments), check=True, capture_output=True, text=True)

    def _client(self, *arguments: str) -> list[str]:
        return ["ctr", "--address", str(self._socket), "--namespace", "k8s.io", *arguments]

    def _unit(self, name: str, arguments: list[str], unready: Callable[[], str] = lambda: "") -> Unit:
        command = [str(self._programs.get(name, name)), *arguments]
        return Unit(Program(name, command, 0, self._logs / f"{name}.log"), unready)


def _silent(port: int) -> str:
    """Empty when somebody listens there."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError as problem:
        return str(problem)
    return ""


def _pod_network() -> dict[str, object]:
    addresses = {"type": "host-local", "ranges": [[{"subnet": PODS}]]}
    bridge = {"type": "bridge", "bridge": BRIDGE, "isDefaultGateway": True, "hairpinMode": True, "ipam": addresses}
    plugins = [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}]
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}


def _kubelet_settings(folder: Path, runtime: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": HOST,
        "port": 10250,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "clusterDNS": [HOST],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{runtime}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": False,
        "resolvConf": str(folder / "resolv.conf"),
        "volumePluginDir": str(folder / "volume-plugins"),
    }
