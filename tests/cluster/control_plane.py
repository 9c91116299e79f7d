"""Store, API server, controllers and scheduler of a real Kubernetes, as processes of this machine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.ports import LOOPBACK
from deploy.local.unit import Program, Unit
from tests.cluster.network import HOST, SERVICES

ADMIN = "cluster-admin-of-this-run"
API_PORT = 16443
_ETCD_PORT, _ETCD_PEERS = 23790, 23800
_READY_S = 90.0


class ControlPlane:
    """`config` is an administrator's kubeconfig."""

    def __init__(self, programs: Mapping[str, Path], folder: Path, logs: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._logs = logs
        self.config = folder / "kubeconfig"

    def start(self) -> list[Unit]:
        """Return when it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(_kubeconfig()))
        self._write_keys()
        units = [self._etcd(), self._api_server(), self._controllers(), self._scheduler()]
        for unit in units:
            unit.start(_READY_S)
        return units

    def _write_keys(self) -> None:
        private, public = str(self._folder / "accounts.key"), str(self._folder / "accounts.pub")
        for command in (["genrsa", "-out", private, "2048"], ["rsa", "-in", private, "-pubout", "-out", public]):
            subprocess.run(["openssl", *command], check=True, capture_output=True)
        (self._folder / "tokens.csv").write_text(f'{ADMIN},admin,1,"system:masters"\n')

    def _etcd(self) -> Unit:
        clients, peers = (f"http://{LOOPBACK}:{port}" for port in (_ETCD_PORT, _ETCD_PEERS))
        arguments = {
            "data-dir": self._folder / "etcd",
            "listen-client-urls": clients,
            "advertise-client-urls": clients,
            "listen-peer-urls": peers,
        }
        return self._unit("etcd", _flags(arguments) + ["--unsafe-no-fsync"], _ETCD_PORT)

    def _api_server(self) -> Unit:
        arguments = {
            "etcd-servers": f"http://{LOOPBACK}:{_ETCD_PORT}",
            "bind-address": "0.0.0.0",
            "advertise-address": HOST,
            "secure-port": API_PORT,
            "cert-dir": self._folder / "certificates",
            "service-cluster-ip-range": SERVICES,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self._folder / "accounts.pub",
            "service-account-signing-key-file": self._folder / "accounts.key",
            "token-auth-file": self._folder / "tokens.csv",
            "authorization-mode": "RBAC",
            "allow-privileged": "true",
            "kubelet-preferred-address-types": "InternalIP",
        }
        return self._unit("kube-apiserver", _flags(arguments), API_PORT, self._unready)

    def _controllers(self) -> Unit:
        arguments = {
            "kubeconfig": self.config,
            "service-account-private-key-file": self._folder / "accounts.key",
            "leader-elect": "false",
            "controllers": "*,-node-ipam-controller",
            "secure-port": 0,
        }
        return self._unit("kube-controller-manager", _flags(arguments))

    def _scheduler(self) -> Unit:
        arguments = {"kubeconfig": self.config, "leader-elect": "false", "secure-port": 0}
        return self._unit("kube-scheduler", _flags(arguments))

    def _unready(self) -> str:
        """Asked as everybody asks."""
        kubectl = [str(self._programs["kubectl"]), f"--kubeconfig={self.config}"]
        answer = subprocess.run([*kubectl, "get", "--raw", "/readyz"], capture_output=True, text=True, check=False)
        return "" if answer.returncode == 0 else answer.stderr.strip()[-300:]

    def _unit(self, name: str, arguments: list[str], port: int = 0, unready: Callable[[], str] = lambda: "") -> Unit:
        command = [str(self._programs[name]), *arguments]
        return Unit(Program(name, command, port, self._logs / f"{name}.log"), unready)


def _flags(arguments: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in arguments.items()]


def _kubeconfig() -> dict[str, object]:
    server = {"server": f"https://{LOOPBACK}:{API_PORT}", "insecure-skip-tls-verify": True}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": ADMIN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
