"""The class path is exactly what was locked, or what the user named, or a clear refusal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from deploy.local.broker import jars
from deploy.local.broker.jars import Jar, JarsUnavailable, broker_jars, locked_jars, matches


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jar:
    """A lock of one jar, whose repository is a folder."""
    content = b"the jar"
    (tmp_path / "origin.jar").write_bytes(content)
    jar = Jar("group:name:1", "name-1.jar", len(content), hashlib.sha512(content).hexdigest())
    monkeypatch.setattr(jars, "locked_jars", lambda: [jar])
    return jar


def offer(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """A repository that has `content` for everything; says what it was asked for."""
    asked: list[str] = []

    def resolver(download: Path):  # type: ignore[no-untyped-def]
        def resolve(gav: str) -> Path:
            asked.append(gav)
            download.mkdir(parents=True, exist_ok=True)
            path = download / "fetched.jar"
            path.write_bytes(content)
            return path

        return resolve

    monkeypatch.setattr(jars, "_resolver", resolver)
    return asked


def test_the_lock_is_one_kafka_with_full_digests() -> None:
    lock = locked_jars()

    versions = {jar.gav.rpartition(":")[2] for jar in lock if jar.gav.startswith("org.apache.kafka:")}
    assert versions == {"4.3.1"}
    assert len({jar.file for jar in lock}) == len(lock) == 46
    assert all(len(jar.sha512) == 128 and jar.size > 0 for jar in lock)


def test_a_cached_jar_is_not_fetched_again(tmp_path: Path, locked: Jar, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = offer(monkeypatch, b"the jar")

    first = broker_jars(None, tmp_path / "cache")
    second = broker_jars(None, tmp_path / "cache")

    assert first == second == [tmp_path / "cache" / "kafka-jars" / "name-1.jar"]
    assert asked == ["group:name:1"]


def test_a_damaged_jar_is_fetched_again(tmp_path: Path, locked: Jar, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = offer(monkeypatch, b"the jar")
    [path] = broker_jars(None, tmp_path / "cache")
    path.write_bytes(b"the j4r")

    broker_jars(None, tmp_path / "cache")

    assert matches(path, locked)
    assert len(asked) == 2


def test_a_repositorys_wrong_file_is_never_used(tmp_path: Path, locked: Jar, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, b"evil")

    with pytest.raises(JarsUnavailable, match="group:name:1 is not the file"):
        broker_jars(None, tmp_path / "cache")

    assert list((tmp_path / "cache" / "kafka-jars").iterdir()) == []


def test_an_installation_of_the_users_is_taken_as_it_is(tmp_path: Path) -> None:
    libs = tmp_path / "libs"
    libs.mkdir()
    for name in ("kafka_2.13-4.1.0.jar", "a.jar"):
        (libs / name).touch()

    assert [jar.name for jar in broker_jars(tmp_path, tmp_path / "cache")] == ["a.jar", "kafka_2.13-4.1.0.jar"]


@pytest.mark.parametrize("name", ["kafka_2.13-3.9.1.jar", "something.jar"])
def test_an_installation_that_cannot_serve_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / name).touch()

    with pytest.raises(JarsUnavailable, match="KAFKA_HOME"):
        broker_jars(tmp_path, tmp_path / "cache")
