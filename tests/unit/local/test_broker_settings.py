"""The broker's settings file says what the rest of the system relies on."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.local.broker.archive import archive_flags, archive_path, training_flags
from deploy.local.broker.java import Java
from deploy.local.broker.properties import Listeners, broker_properties
from deploy.local.settings import REPOSITORY
from schemas.topics import MAX_BATCH_BYTES


def settings() -> dict[str, str]:
    text = broker_properties(Path("/data"), Listeners(1111, 2222))
    return dict(line.split("=", 1) for line in text.splitlines())


def test_nothing_listens_beyond_loopback() -> None:
    found = settings()

    assert found["listeners"] == "PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1111"


def test_the_largest_record_of_ours_fits() -> None:
    found = settings()

    assert int(found["message.max.bytes"]) == int(found["replica.fetch.max.bytes"]) == MAX_BATCH_BYTES


def test_topics_are_made_by_the_topic_job_alone() -> None:
    assert settings()["auto.create.topics.enable"] == "false"


def test_an_archive_belongs_to_one_java_and_one_class_path(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"1")
    java17, java25 = Java(Path("java"), 17, "17.0.15"), Java(Path("java"), 25, "25.0.2")
    paths = [archive_path(java17, [jar], tmp_path), archive_path(java25, [jar], tmp_path)]
    jar.write_bytes(b"22")
    paths.append(archive_path(java17, [jar], tmp_path))

    assert len(set(paths)) == 3


def test_flags_differ_between_the_two_kinds_of_archive(tmp_path: Path) -> None:
    for major, use, make in (
        (17, "-XX:SharedArchiveFile=", "-XX:ArchiveClassesAtExit="),
        (25, "-XX:AOTCache=", "-XX:AOTCacheOutput="),
    ):
        java = Java(Path("java"), major, f"{major}.0.1")
        assert archive_flags(java, [], tmp_path) == ()

        path = archive_path(java, [], tmp_path)
        path.parent.mkdir(exist_ok=True)
        path.touch()

        assert archive_flags(java, [], tmp_path)[0] == f"{use}{path}"
        assert training_flags(java, path)[0] == f"{make}{path}"


def test_what_operators_are_told_is_what_all_tests_run_with() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text().partition("## What your brokers are to be told")[2]
    told = dict(re.findall(r"^\| `(group\.\S+)` \| (\d+) ", page.partition("\n## ")[0], re.M))

    assert len(told) == 4
    assert {name: settings()[name] for name in told} == told
