"""The programs of a Kubernetes cluster, built once from pinned Go modules and kept by what they were built from.

Nobody publishes them where packages come from; their sources are Go modules like any other, with checksums in the
go.sum files beside this one.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.local.unit import child_environment
from tests.cluster.stopwatch import Stopwatch

SOURCES = Path(__file__).with_name("modules")
_VERSION = "k8s.io/component-base/version"
_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


class BuildFailed(Exception):
    """Go could not build something; the text is what it said."""


class Module(NamedTuple):
    """One Go module of ours: import paths of what is built from it, by program."""

    name: str
    packages: Mapping[str, str]

    @property
    def folder(self) -> Path:
        return SOURCES / self.name

    @property
    def key(self) -> str:
        """Changes with anything that the programs are made of."""
        digest = hashlib.sha256()
        for file in sorted(self.folder.iterdir()):
            digest.update(file.read_bytes())
        return f"{self.name}-{digest.hexdigest()[:12]}"


MODULES = (
    Module("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Module("coredns", {"coredns": "."}),
    Module("pause", {"pause": "."}),
    Module("kubernetes", {name: f"k8s.io/kubernetes/cmd/{name}" for name in _SERVERS}),
)


def kubernetes_version() -> str:
    """As in go.mod: v1.37.2."""
    found = re.search(r"^require k8s\.io/kubernetes (v\S+)$", (SOURCES / "kubernetes" / "go.mod").read_text(), re.M)
    assert found is not None
    return found[1]


def are_built(cache: Path) -> bool:
    """Whether nothing has to be built."""
    return all((cache / module.key).is_dir() for module in MODULES)


def ensure(cache: Path, watch: Stopwatch) -> dict[str, Path]:
    """The programs by name; builds what is not there. Raises BuildFailed."""
    if not are_built(cache):
        watch.say("once: about a quarter of an hour on two cores, 0.6 GB kept in .cache, 5 GB needed meanwhile", "dim")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="go-", dir=cache) as work:
            for module in MODULES:
                if not (cache / module.key).is_dir():
                    _build(module, cache / module.key, Path(work), watch)
    return {program: cache / module.key / program for module in MODULES for program in module.packages}


def _build(module: Module, target: Path, work: Path, watch: Stopwatch) -> None:
    draft = work / module.key
    for program, package in module.packages.items():
        with watch.step(f"building {program}"):
            _go(module.folder, work, "build", "-trimpath", "-ldflags", _flags(), "-o", str(draft / program), package)
    draft.rename(target)


def _flags() -> str:
    """Without its version the API server calls itself v0.0.0, and charts refuse it."""
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".")
    said = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X {_VERSION}.{name}={value}" for name, value in said.items())])


def _go(folder: Path, work: Path, *arguments: str) -> None:
    go = shutil.which("go")
    assert go is not None
    caches = {"GOCACHE": str(work / "build"), "GOMODCACHE": str(work / "modules"), "CGO_ENABLED": "0"}
    # Modules are read-only by default, which their removal would stumble over.
    command = [go, arguments[0], "-modcacherw", *arguments[1:]]
    answer = subprocess.run(
        command, cwd=folder, env=child_environment(caches), capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise BuildFailed(f"{' '.join(command)}:\n{answer.stdout}{answer.stderr}")
