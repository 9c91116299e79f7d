"""The broker's jars: an installation the user names, else a cache of our own in which every byte matches the lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

LOCK_FILE = Path(__file__).parents[1] / "kafka.lock.json"
OLDEST_KAFKA = 4
_BROKER_JAR = re.compile(r"kafka_2\.13-(\d+)\.")
_FETCHES_AT_ONCE = 8
Progress = Callable[[int, int], None]


class Jar(NamedTuple):
    """One locked artefact: coordinates, file name, size in bytes, digest."""

    gav: str
    file: str
    size: int
    sha512: str


class JarsUnavailable(RuntimeError):
    """The broker's jars can neither be found nor fetched."""


def locked_jars() -> list[Jar]:
    """The closure of Kafka's broker, as pinned in kafka.lock.json."""
    return [Jar(**entry) for entry in json.loads(LOCK_FILE.read_text())]


def lock_digest(jars: Sequence[Path]) -> str:
    """Short name for exactly these files on the class path; changes when one of them does."""
    described = "\n".join(f"{jar.name} {jar.stat().st_size}" for jar in jars)
    return hashlib.sha256(described.encode()).hexdigest()[:16]


def broker_jars(kafka_home: Path | None, cache: Path, progress: Progress | None = None) -> list[Path]:
    """The class path, sorted. Fetches what is missing from the cache; `progress` hears (done, all) jars."""
    if kafka_home is not None:
        return _installed(kafka_home)
    folder, jars = cache / "kafka-jars", locked_jars()
    have_jars(folder, jars, progress)
    return [folder / name for name in sorted(jar.file for jar in jars)]


def have_jars(folder: Path, jars: list[Jar], progress: Progress | None = None) -> None:
    """Each of them is in the folder afterwards, as it was locked. Raises JarsUnavailable."""
    if not all(matches(folder / jar.file, jar) for jar in jars):
        with _alone(folder.with_suffix(".lock")):
            _fill(folder, jars, folder.with_name(f"{folder.name}-download"), progress)


def matches(path: Path, jar: Jar) -> bool:
    """Whether the file is there and is, byte for byte, what was locked."""
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    return hashlib.sha512(path.read_bytes()).hexdigest() == jar.sha512


def _installed(kafka_home: Path) -> list[Path]:
    jars = sorted((kafka_home / "libs").glob("*.jar"))
    versions = [int(found[1]) for jar in jars if (found := _BROKER_JAR.match(jar.name))]
    if not versions or min(versions) < OLDEST_KAFKA:
        raise JarsUnavailable(f"KAFKA_HOME={kafka_home} holds no Kafka {OLDEST_KAFKA}: correct it or unset it")
    return jars


@contextmanager
def _alone(lock_path: Path) -> Iterator[None]:
    """One process at a time: two test runs may find the cache empty together."""
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    with lock_path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(folder: Path, jars: list[Jar], download: Path, progress: Progress | None) -> None:
    missing = [jar for jar in jars if not matches(folder / jar.file, jar)]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    resolve = _resolver(download)
    try:
        with ThreadPoolExecutor(_FETCHES_AT_ONCE) as pool:
            fetches = [pool.submit(_fetch, resolve, jar, folder) for jar in missing]
            for done, fetch in enumerate(as_completed(fetches), start=len(jars) - len(missing) + 1):
                fetch.result()
                if progress is not None:
                    progress(done, len(jars))
    finally:
        shutil.rmtree(download, ignore_errors=True)


def _resolver(download: Path) -> Callable[[str], Path]:
    try:
        from jgo.maven import MavenContext
    except ImportError as missing:
        raise JarsUnavailable(
            "the broker's jars are not in the cache and the package jgo, which fetches them, is not installed: "
            "install it, or point KAFKA_HOME at a Kafka 4 installation"
        ) from missing
    context = MavenContext(repo_cache=download, timeout=60)
    # Resolved one by one from full coordinates: jgo's own resolver picks other versions than the broker was built with.
    return lambda gav: Path(context.create_dependency(gav).artifact.resolve())


def _fetch(resolve: Callable[[str], Path], jar: Jar, folder: Path) -> None:
    try:
        fetched = resolve(jar.gav)
    except Exception as failure:  # jgo promises no error types; all of them mean "not had"
        raise JarsUnavailable(
            f"could not fetch {jar.gav} ({failure}): check the network, or point KAFKA_HOME at a Kafka 4 installation"
        ) from failure
    if not matches(fetched, jar):
        fetched.unlink()
        raise JarsUnavailable(f"{jar.gav} is not the file that kafka.lock.json names; it was deleted, not used")
    fetched.replace(folder / jar.file)
