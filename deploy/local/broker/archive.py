"""A start-up archive of the broker's classes: saves a second per start, and nothing depends on its being there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deploy.local.broker.jars import lock_digest
from deploy.local.broker.java import Java

# The first Java whose ahead-of-time cache is made in one step; older ones share class data instead.
_AOT_JAVA = 25
_QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")


def archive_path(java: Java, jars: Sequence[Path], cache: Path) -> Path:
    """Where the archive for exactly this Java and class path belongs."""
    suffix = "aot" if java.major >= _AOT_JAVA else "jsa"
    version = "".join(character if character.isalnum() else "-" for character in java.version)
    return cache / "kafka-archive" / f"{version}-{lock_digest(jars)}.{suffix}"


def archive_flags(java: Java, jars: Sequence[Path], cache: Path) -> tuple[str, ...]:
    """Flags that use the archive; none when it was not made."""
    path = archive_path(java, jars, cache)
    if not path.exists():
        return ()
    if java.major >= _AOT_JAVA:
        return (f"-XX:AOTCache={path}", *_QUIET)
    return (f"-XX:SharedArchiveFile={path}", "-Xshare:auto", *_QUIET)


def training_flags(java: Java, path: Path) -> tuple[str, ...]:
    """Flags that write the archive when the process ends."""
    if java.major >= _AOT_JAVA:
        return (f"-XX:AOTCacheOutput={path}", *_QUIET)
    return (f"-XX:ArchiveClassesAtExit={path}", *_QUIET)
