"""Folders that a broker and its registry start on, made once per state of the code and copied for each test stack.

To format a folder takes a Java of its own, and to make all topics takes a broker a second: not again for every module.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path

from deploy.local.broker.broker import Broker, Runtime, find_runtime
from deploy.local.broker.jars import lock_digest
from deploy.local.settings import REPOSITORY, LocalSettings

# What decides how the folders look: the broker's settings, the topics, the schemas, and the commands that make them.
_MAKERS = ("connectors/kafka", "deploy/local", "schemas", "tests/support/stack.py", "tests/support/made_before.py")
_CLUSTER_ID = re.compile(r"^cluster\.id=.*$", re.MULTILINE)

Make = Callable[[Path], None]


@cache
def runtime() -> Runtime:
    """Java and jars, looked for once in this process."""
    return find_runtime(LocalSettings())


def put_formatted(folder: Path) -> None:
    """Make `folder` a broker's that has never run."""
    put_cluster(made_before("formatted", lambda made: Broker(runtime(), made).prepare()), folder)


def put_cluster(made: Path, folder: Path) -> None:
    """Make `folder` a broker's with the data of a stopped one, as a cluster of its own."""
    shutil.copytree(made / "data", folder / "data")
    identity = folder / "data" / "meta.properties"
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    identity.write_text(_CLUSTER_ID.sub(f"cluster.id={cluster}", identity.read_text()))


def made_before(name: str, make: Make) -> Path:
    """What `make` does to an empty folder, for this state of the code; who comes first makes it, the others wait."""
    kept = LocalSettings().cache_dir / "test-folders" / f"{name}-{_digest()}"
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
                made = Path(scratch) / name
                make(made)
                made.rename(kept)
    return kept


@cache
def _digest() -> str:
    found = hashlib.sha256(f"{lock_digest(runtime().jars)} {runtime().java.version}".encode())
    for maker in _MAKERS:
        path = REPOSITORY / maker
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in (".py", ".avsc", ".json"):
                found.update(f"{file.relative_to(REPOSITORY)}\n".encode() + file.read_bytes())
    return found.hexdigest()[:16]
