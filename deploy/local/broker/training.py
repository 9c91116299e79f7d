"""Makes the start-up archive: one start and stop of a broker that nobody uses, once per Java and class path."""

from __future__ import annotations

import tempfile
from pathlib import Path

from deploy.local.broker.archive import archive_path, training_flags
from deploy.local.broker.broker import Broker, Runtime, find_runtime
from deploy.local.settings import LocalSettings
from deploy.local.unit import UnitFailed

# Writing the archive happens after the broker has stopped, and takes a while on a small machine.
_WRITE_S = 180.0


def train_archive(settings: LocalSettings) -> Path | None:
    """The archive, made now if it is missing; None when this Java cannot make one, which costs nothing but time."""
    runtime = find_runtime(settings)
    path = archive_path(runtime.java, runtime.jars, settings.cache_dir)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        made = Path(scratch) / path.name
        try:
            _one_life(runtime, made, Path(scratch) / "broker")
        except UnitFailed:
            return None
        if not made.exists():
            return None
        made.replace(path)
    return path


def _one_life(runtime: Runtime, archive: Path, folder: Path) -> None:
    plain = runtime._replace(archive=())
    Broker(plain, folder).prepare()
    broker = Broker(plain._replace(archive=training_flags(runtime.java, archive)), folder)
    try:
        broker.start()
    finally:
        broker.stop(_WRITE_S)
