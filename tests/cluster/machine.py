"""What a machine must have to be a cluster of its own, and the line that brings what it lacks."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CNI = Path("/usr/lib/cni")
CGROUPS = Path("/sys/fs/cgroup")
GO = (1, 26)
_PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "git": "git",
}
_PLUGINS = ("bridge", "host-local", "loopback", "portmap")


class Unfit(Exception):
    """This machine cannot run a cluster; the text says what it lacks, one thing a line."""


def check(*, is_to_build: bool) -> None:
    """Return when all is there; `is_to_build`: the programs of Kubernetes still have to be made. Raises Unfit."""
    if why := [*_unfit(), *_missing(), *(_go() if is_to_build else ())]:
        raise Unfit("\n".join(why))


def _unfit() -> Iterator[str]:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "amd64"):
        yield f"a node takes Linux on x86-64, this is {platform.system()} on {platform.machine()}"
    elif os.geteuid() != 0:
        yield "a node takes root (namespaces, bridges, cgroups, overlay mounts): sudo make test-cluster"
    elif not CGROUPS.is_dir():
        yield f"a node takes control groups at {CGROUPS}"


def _missing() -> Iterator[str]:
    lacking = {package for program, package in _PACKAGES.items() if shutil.which(program) is None}
    if not all((CNI / plugin).exists() for plugin in _PLUGINS):
        lacking.add("containernetworking-plugins")
    if lacking:
        names = " ".join(sorted(lacking))
        yield f"missing: {names}\n  apt-get update && apt-get install -y --no-install-recommends {names}"


def _go() -> Iterator[str]:
    wanted = ".".join(map(str, GO))
    if shutil.which("go") is None:
        yield f"missing: Go {wanted} or newer on the PATH, to build Kubernetes once"
        return
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"go(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < GO:
        yield f"Go {wanted} or newer builds Kubernetes, this is {said.strip()}"
