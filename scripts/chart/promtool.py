"""Prometheus' own program for rules, built once, by `make test-alerts`: it takes minutes, which few runs can spare.

It is in no package index, but its sources are a Go module like any other; modules/promtool pins all of them with their
checksums. It is built without the discovery of targets, of which rules know nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.chart.tools import CACHE, Unavailable

SOURCES = Path(__file__).parent / "modules" / "promtool"
_PACKAGE = "github.com/prometheus/prometheus/cmd/promtool"
_BUILD = ("build", "-modcacherw", "-trimpath", "-tags", "remove_all_sd", "-ldflags", "-s -w")


def promtool(*, make: bool = True) -> Path:
    """The program: ours, made if it has to and may be; where there is no Go one of the PATH. Raises Unavailable."""
    go, found = shutil.which("go"), shutil.which("promtool")
    if go is None and found is not None:
        return Path(found)
    CACHE.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(SOURCES.iterdir()))).hexdigest()
    program = CACHE / f"promtool-{digest[:12]}"
    with (CACHE / "promtool.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            if not make:
                raise Unavailable("no promtool was made yet: make test-alerts")
            _build(program, go)
    return program


def _build(program: Path, go: str | None) -> None:
    """With caches of its own, a gigabyte that is gone afterwards."""
    if go is None:
        raise Unavailable("no promtool for this machine: install Prometheus' promtool, or Go to build it with")
    print("promtool: building it, once, which takes two minutes", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="go-", dir=CACHE) as work:
        caches = {"GOCACHE": f"{work}/build", "GOMODCACHE": f"{work}/modules", "CGO_ENABLED": "0"}
        draft = Path(work) / "promtool"
        answer = subprocess.run(
            [go, *_BUILD, "-o", str(draft), _PACKAGE],
            cwd=SOURCES, env=os.environ | caches, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if answer.returncode != 0:
            raise Unavailable(f"promtool could not be built: {answer.stderr.strip().rpartition(chr(10))[2]}")
        draft.rename(program)


if __name__ == "__main__":
    try:
        promtool()
    except Unavailable as missing:
        sys.exit(str(missing))
