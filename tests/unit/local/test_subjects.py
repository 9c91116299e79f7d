"""What the registry acknowledged it still knows after a restart, under the same ids."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.registry.compatibility import Level
from deploy.local.registry.subjects import Incompatible, Subjects

LONG = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}
STRING = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}


def register(subjects: Subjects, subject: str, schema: object) -> int:
    return subjects.register(subject, schema, json.dumps(schema)).schema_id


def test_ids_survive_a_restart_and_are_shared_between_subjects(tmp_path: Path) -> None:
    before = Subjects(tmp_path)
    ids = [register(before, "one", LONG), register(before, "two", STRING), register(before, "three", LONG)]
    before.set_level("one", Level.FULL_TRANSITIVE)

    after = Subjects(tmp_path)

    assert ids == [1, 2, 1]
    assert after.names() == ["one", "three", "two"]
    assert [register(after, "one", LONG), register(after, "two", STRING)] == [1, 2]
    assert after.level("one") is Level.FULL_TRANSITIVE
    assert register(after, "four", {"type": "string"}) == 3


def test_the_same_schema_in_another_layout_is_the_same_version(tmp_path: Path) -> None:
    subjects = Subjects(tmp_path)
    first = subjects.register("s", LONG, json.dumps(LONG))

    again = subjects.register("s", json.loads(json.dumps(LONG, sort_keys=True)), json.dumps(LONG, indent=2))

    assert again == first


def test_an_incompatible_schema_leaves_no_trace(tmp_path: Path) -> None:
    subjects = Subjects(tmp_path)
    register(subjects, "s", LONG)

    with pytest.raises(Incompatible, match="/a"):
        register(subjects, "s", STRING)

    assert len(Subjects(tmp_path).versions("s")) == 1


@contextmanager
def no_more_than(size: int) -> Iterator[None]:
    """Files of this process grow to that size and no further, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_entry_that_a_full_disk_cut_off_spoils_none_that_follow(tmp_path: Path) -> None:
    subjects = Subjects(tmp_path)
    register(subjects, "one", LONG)
    size = (tmp_path / "subjects.jsonl").stat().st_size
    with no_more_than(size + 10), pytest.raises(OSError, match="No space left"):
        register(subjects, "two", STRING)
    assert register(subjects, "three", STRING) == 2

    after = Subjects(tmp_path)

    assert after.names() == ["one", "three"]


def test_an_entry_cut_off_by_a_crash_is_dropped(tmp_path: Path) -> None:
    register(Subjects(tmp_path), "s", LONG)
    file = tmp_path / "subjects.jsonl"
    file.write_text(file.read_text() + '{"subject": "s", "vers')

    subjects = Subjects(tmp_path)

    assert register(subjects, "t", STRING) == 2
    assert Subjects(tmp_path).names() == ["s", "t"]
