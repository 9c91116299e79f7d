"""The registry's memory: schemas, the versions of each subject and the levels, kept in an append-only file."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from deploy.local.registry.compatibility import Level, Schema, violations

DEFAULT_LEVEL = Level.BACKWARD


class Version(NamedTuple):
    """One schema registered under a subject; `number` counts from 1, `schema_id` is global and never changes."""

    subject: str
    number: int
    schema_id: int
    text: str


class Incompatible(ValueError):
    """The subject's level forbids this schema."""


class Subjects:
    """Thread-safe; everything acknowledged has reached the disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "subjects.jsonl"
        self._lock = threading.RLock()
        self._texts: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._versions: dict[str, list[Version]] = defaultdict(list)
        self._levels: dict[str, Level] = {}
        self._load()

    def names(self) -> list[str]:
        """All subjects, sorted."""
        with self._lock:
            return sorted(name for name, versions in self._versions.items() if versions)

    def versions(self, subject: str) -> list[Version]:
        """Oldest first; empty when the subject is unknown."""
        with self._lock:
            return list(self._versions.get(subject, ()))

    def text(self, schema_id: int) -> str | None:
        """The schema as it was first registered."""
        return self._texts.get(schema_id)

    def uses(self, schema_id: int) -> list[Version]:
        """Where the schema is registered."""
        with self._lock:
            return [version for name in self.names() for version in self._versions[name] if version[2] == schema_id]

    def find(self, subject: str, schema: Schema) -> Version | None:
        """The version of the subject that is this schema."""
        schema_id = self._ids.get(_identity(schema))
        return next((version for version in self.versions(subject) if version.schema_id == schema_id), None)

    def register(self, subject: str, schema: Schema, text: str) -> Version:
        """The version for this schema, an existing one where there is; raises Incompatible."""
        with self._lock:
            if known := self.find(subject, schema):
                return known
            if reasons := self.violations(subject, schema):
                raise Incompatible("; ".join(reasons))
            schema_id = self._ids.get(_identity(schema)) or max(self._texts, default=0) + 1
            number = len(self._versions[subject]) + 1
            self._keep({"subject": subject, "version": number, "id": schema_id, "schema": text})
            return self._versions[subject][-1]

    def violations(self, subject: str, schema: Schema, only: Version | None = None) -> list[str]:
        """Why the subject's level forbids the schema, against all versions or just one."""
        against = [only] if only else self.versions(subject)
        return violations(self.level(subject), schema, [json.loads(version.text) for version in against])

    def level(self, subject: str | None) -> Level:
        """The subject's own level, else the global one."""
        everywhere = self._levels.get("", DEFAULT_LEVEL)
        return self._levels.get(subject or "", everywhere)

    def own_level(self, subject: str) -> Level | None:
        """The level set for just this subject."""
        return self._levels.get(subject)

    def set_level(self, subject: str | None, level: Level) -> None:
        """For one subject, or globally (None)."""
        with self._lock:
            self._keep({"config": subject or "", "level": level})

    def _keep(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry).encode() + b"\n"
        with self._path.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)  # what was not acknowledged must not stand before what will be
                raise
        self._apply(entry)

    def _load(self) -> None:
        if not self._path.exists():
            return
        whole, newline, torn = self._path.read_text().rpartition("\n")
        if torn:  # an entry cut off by a crash was never acknowledged
            self._path.write_text(whole + newline)
        for line in whole.splitlines():
            self._apply(json.loads(line))

    def _apply(self, entry: dict[str, Any]) -> None:
        if "config" in entry:
            self._levels[entry["config"]] = Level(entry["level"])
            return
        version = Version(entry["subject"], entry["version"], entry["id"], entry["schema"])
        self._versions[version.subject].append(version)
        self._texts.setdefault(version.schema_id, version.text)
        self._ids.setdefault(_identity(json.loads(version.text)), version.schema_id)


def _identity(schema: Schema) -> str:
    """Equal for schemas that differ in nothing but white space and the order of keys."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))
