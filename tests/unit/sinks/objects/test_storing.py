"""A session's recording from its records, in a real folder: complete or with a reason why not."""

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import LocalStore

from connectors.kafka.errors import DeliveryFailed
from connectors.objects.errors import BadKey
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from schemas import deletion, object_names
from schemas.codec import Codec
from schemas.deletion import Part
from schemas.keys import objects_folder
from schemas.records import Deletion, FactKind, Segment, SessionFact
from schemas.topics import ALL, SESSION_FACTS, Topic
from sinks.objects.patience import Patience
from sinks.objects.settings import SinkObjectsSettings
from sinks.objects.storing import Destinations, Storing
from tests.soak.storage import Storage
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.memory_deletions import deleted
from tests.support.muxed import SESSION, decoded, muxed

T = START_MS


class Log:
    """Takes facts like a producer whose first deliveries fail."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.sent: list[tuple[str, bytes, bytes | None, int]] = []

    def send_blocking(self, topic: Topic, key: bytes, value: bytes | None, partition: int) -> int:
        if self.failures:
            self.failures -= 1
            raise DeliveryFailed("away")
        self.sent.append((topic.name, key, value, partition))
        return len(self.sent)


class Sink:
    """The sink's work on a folder of its own."""

    def __init__(self, folder: Path, failures: int = 0) -> None:
        self.store = ObjectStore(ObjectsSettings(url=f"file://{folder}/objects"))
        self.log = Log(failures)
        self.codec = Codec({topic.name: number for number, topic in enumerate(ALL, 1)})
        self.settings = SinkObjectsSettings(scratch_dir=folder / "scratch", retry_s=0.001)
        self.settings.scratch_dir.mkdir(exist_ok=True)
        self.patience = Patience(self.settings, lambda _: None)
        destinations = Destinations(self.store, self.log, self.codec)  # type: ignore[arg-type]
        self.storing = Storing(destinations, self.settings)

    def finish(self, end: Segment, is_deleted: Callable[[], bool] = lambda: False) -> SessionFact:
        self.storing.finish(end, 3, self.patience, is_deleted)
        name, key, value, partition = self.log.sent[-1]
        assert (name, key, partition) == (SESSION_FACTS.name, end.session_id.encode(), 3)
        fact = self.codec.decode(SESSION_FACTS, value or b"")
        assert isinstance(fact, SessionFact)
        return fact


@pytest.fixture(scope="module")
def recording() -> list[Segment]:
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 9000)]))
    return muxed(audio, wrapped(SESSION, video_records(SESSION, [Shot(T + 100, T + 9000)])))


@pytest.fixture
def sink(tmp_path: Path) -> Sink:
    return Sink(tmp_path)


def test_a_complete_recording_becomes_one_file(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    for part in reversed(parts):
        sink.storing.store(part, sink.patience)
    fact = sink.finish(end)
    assert fact.kind is FactKind.RECORDING_STORED
    assert fact.stored is not None
    movie = sink.store.get(object_names.movie_key(SESSION))
    assert (fact.stored.key, fact.stored.size_bytes) == (object_names.movie_key(SESSION), len(movie))
    assert (fact.stored.duration_ms, fact.stored.count) == (end.duration_ms, len(parts))
    assert decoded(movie).errors == []
    assert list(sink.settings.scratch_dir.iterdir()) == []


def test_doing_everything_again_changes_nothing(tmp_path: Path, recording: list[Segment]) -> None:
    *parts, end = recording
    folders = []
    for times in (1, 3):
        sink = Sink(tmp_path)
        for part in parts * times:
            sink.storing.store(part, sink.patience)
            Sink(tmp_path).storing.store(part, sink.patience)
        assert {sink.finish(end) for _ in range(times)} == {sink.finish(end)}
        folders.append({item.key: sink.store.get(item.key) for item in sink.store.list("sessions")})
    assert folders[0] == folders[1]
    assert len(folders[0]) == len(parts) + len({part.init for part in parts}) + 1


def test_a_missing_segment_is_a_failed_recording(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    for part in parts[:1] + parts[2:]:
        sink.storing.store(part, sink.patience)
    fact = sink.finish(end)
    assert (fact.kind, fact.reason) == (FactKind.RECORDING_FAILED, "segments_missing")


def test_an_object_that_somebody_deleted_is_a_failed_recording_and_holds_nothing_up(
    sink: Sink, recording: list[Segment]
) -> None:
    *parts, end = recording
    for part in parts:
        sink.storing.store(part, sink.patience)
        sink.store.delete(object_names.header_key(SESSION, object_names.header_name(part.init)))
    fact = sink.finish(end)
    assert (fact.kind, fact.reason) == (FactKind.RECORDING_FAILED, "segments_missing")


def test_no_media_is_a_failed_recording(sink: Sink, recording: list[Segment]) -> None:
    assert sink.finish(replace(recording[-1], count=0)).reason == "no_media"


def test_rubbish_is_a_failed_recording(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    for part in parts:
        sink.storing.store(replace(part, init=b"rubbish", payload=b"rubbish"), sink.patience)
    assert sink.finish(end).reason == "unreadable"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Storage]:
    """A small file system for the scratch folder."""
    made = Storage(tmp_path / "scratch", 1)
    yield made
    made.close()


def test_a_full_scratch_disk_is_waited_for(disk: Storage, tmp_path: Path, recording: list[Segment]) -> None:
    if not disk.can_fail:
        pytest.skip("mounting a file system takes root")
    *parts, end = recording
    sink = Sink(tmp_path)
    troubles: queue.Queue[str | None] = queue.Queue()
    sink.patience = Patience(sink.settings, troubles.put)
    for part in parts:
        sink.storing.store(part, sink.patience)
    with ThreadPoolExecutor(1) as pool:
        with disk.full():
            finishing = pool.submit(sink.finish, end)
            heard = [troubles.get(timeout=60) for _ in range(5)]
        fact = finishing.result(60)
    assert heard == ["recording: the scratch folder takes no file (ENOSPC)"] * 5
    assert list(troubles.queue)[-1] is None
    assert fact.kind is FactKind.RECORDING_STORED
    assert decoded(sink.store.get(object_names.movie_key(SESSION))).errors == []
    assert list(disk.path.iterdir()) == []


def test_a_scratch_folder_that_is_gone_is_waited_for(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    for part in parts:
        sink.storing.store(part, sink.patience)
    sink.settings.scratch_dir.rmdir()
    sink.patience = Patience(sink.settings, lambda trouble: sink.settings.scratch_dir.mkdir(exist_ok=True))
    assert sink.finish(end).kind is FactKind.RECORDING_STORED


def test_a_recording_that_no_scratch_disk_of_ours_can_hold_is_a_failed_one(
    disk: Storage, tmp_path: Path, recording: list[Segment]
) -> None:
    if not disk.can_fail:
        pytest.skip("mounting a file system takes root")
    *parts, end = recording
    sink = Sink(tmp_path)
    for part in parts:
        sink.storing.store(replace(part, payload=part.payload + bytes(1024 * 1024)), sink.patience)
    assert sink.finish(end).reason == "scratch_too_small"


def test_a_fact_is_stated_until_it_is_acknowledged(tmp_path: Path, recording: list[Segment]) -> None:
    sink = Sink(tmp_path, failures=3)
    assert sink.finish(replace(recording[-1], count=0)).kind is FactKind.RECORDING_FAILED
    assert len(sink.log.sent) == 1


def test_a_session_id_that_is_no_name_is_refused(sink: Sink, recording: list[Segment]) -> None:
    with pytest.raises(BadKey):
        sink.storing.store(replace(recording[0], session_id="../../etc"), sink.patience)
    with pytest.raises(BadKey):
        sink.storing.check(replace(recording[-1], session_id="../../etc"))


class Killed(BaseException):
    """Here a process ended."""


def stored(sink: Sink, recording: list[Segment]) -> int:
    """Everything of the recording stored, and something of another session's; how many objects are its own."""
    *parts, end = recording
    for part in parts:
        sink.storing.store(part, sink.patience)
        sink.storing.store(replace(part, session_id="app_kept"), sink.patience)
    sink.finish(end)
    sink.log.sent.clear()
    return len(sink.store.list(objects_folder(SESSION)))


def receipt(*sinks: Sink) -> Deletion:
    state = Deletion(reason="asked", asked_at_ms=0)
    for sink in sinks:
        for _, _, value, _ in sink.log.sent:
            fact = sink.codec.decode(SESSION_FACTS, value or b"")
            assert isinstance(fact, SessionFact)
            state = deletion.folded(state, fact, 1)
    return state


def test_all_objects_of_a_deleted_session_go_and_are_counted(sink: Sink, recording: list[Segment]) -> None:
    count = stored(sink, recording)
    size_bytes = sum(item.size_bytes for item in sink.store.list(objects_folder(SESSION)))
    sink.storing.erase(deleted(SESSION), sink.patience)
    assert sink.store.list(objects_folder(SESSION)) == []
    assert sink.store.list(objects_folder("app_kept"))
    (part,) = receipt(sink).parts
    assert (part.part, part.count, part.size_bytes, part.erased_at_ms) == ("objects", count, size_bytes, 1)


def test_killed_at_any_step_of_a_deletion_the_next_one_completes_it(
    tmp_path: Path, recording: list[Segment], monkeypatch: pytest.MonkeyPatch
) -> None:
    sink, lives = Sink(tmp_path), 0
    count = stored(sink, recording)
    while True:
        first, left = Sink(tmp_path), lives

        def step(call: Callable[..., Any]) -> Callable[..., Any]:
            def stepped(*arguments: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return call(*arguments)

            return stepped

        for owner, name in ((first.store, "list"), (first.store, "delete"), (first.log, "send_blocking")):
            monkeypatch.setattr(owner, name, step(getattr(owner, name)))
        try:
            first.storing.erase(deleted(SESSION), first.patience)
        except Killed:
            said = deletion.missing(receipt(first))
            assert Part.OBJECTS in said or not sink.store.list(objects_folder(SESSION))
        else:
            break
        second = Sink(tmp_path)
        second.storing.erase(deleted(SESSION), second.patience)
        assert sink.store.list(objects_folder(SESSION)) == []
        assert receipt(first, second).parts[0].count == count
        assert Part.OBJECTS not in deletion.missing(receipt(second))
        stored(Sink(tmp_path), recording)
        lives += 1
    assert lives == count + 3


def test_what_a_record_became_is_forgotten(sink: Sink, recording: list[Segment]) -> None:
    """Whoever reads the records of a deleted session again takes away what a predecessor may have made of them."""
    stored(sink, recording)
    for segment in recording:
        sink.storing.forget(segment, deleted(SESSION), sink.patience)
        sink.storing.forget(segment, deleted(SESSION), sink.patience)
    assert sink.store.list(objects_folder(SESSION)) == []


def test_what_is_forgotten_before_the_session_is_erased_is_counted(sink: Sink, recording: list[Segment]) -> None:
    """Who was writing when the deletion was asked for may be faster than who erases."""
    count = stored(sink, recording)
    sink.storing.forget(recording[-1], deleted(SESSION), sink.patience)
    assert len(sink.store.list(objects_folder(SESSION))) < count
    sink.storing.erase(deleted(SESSION), sink.patience)
    assert receipt(sink).parts[0].count == count


def test_where_nothing_is_found_nothing_is_stated(sink: Sink, recording: list[Segment]) -> None:
    """Whoever reads a deleted meeting again does not write a fact for each of its segments."""
    sink.storing.forget(recording[0], deleted(SESSION), sink.patience)
    assert sink.log.sent == []


def test_of_what_is_erased_nothing_is_counted_again(sink: Sink, recording: list[Segment]) -> None:
    stored(sink, recording)
    sink.storing.forget(recording[0], deleted(SESSION)._replace(missing=frozenset()), sink.patience)
    assert sink.log.sent == []


def test_a_session_that_could_never_be_stored_is_erased_at_once(sink: Sink) -> None:
    sink.storing.erase(deleted("../../etc"), sink.patience)
    assert receipt(sink).parts[0].count == 0
    assert Part.OBJECTS not in deletion.missing(receipt(sink))


def left_by_who_is_killed(folder: Path, key: str) -> Path:
    """What is on the disk when a writer dies in the middle of a file."""
    left: list[Path] = []

    def pieces() -> Iterator[bytes]:
        yield b"said" * 4_000_000
        left.extend(path for path in folder.rglob("*") if path.is_file())

    obstore.put(LocalStore(str(folder), mkdir=True), key, pieces())
    [path] = left
    (folder / key).rename(path)
    return path


def test_what_a_killed_writer_has_left_of_a_deleted_session_is_gone(tmp_path: Path, sink: Sink) -> None:
    """It is in no listing, and may be all of a recording."""
    ours = left_by_who_is_killed(tmp_path / "objects", object_names.movie_key(SESSION))
    other = left_by_who_is_killed(tmp_path / "other", object_names.movie_key("app_2"))
    kept = tmp_path / "objects" / other.relative_to(tmp_path / "other")
    kept.parent.mkdir(parents=True)
    other.rename(kept)
    sink.storing.erase(deleted(SESSION), sink.patience)
    assert [path.exists() for path in (ours, kept)] == [False, True]


def test_what_a_killed_writer_has_left_is_forgotten_with_its_record(
    tmp_path: Path, sink: Sink, recording: list[Segment]
) -> None:
    left = left_by_who_is_killed(tmp_path / "objects", object_names.segment_key(recording[0]))
    sink.storing.forget(recording[0], deleted(SESSION), sink.patience)
    assert not left.exists()
