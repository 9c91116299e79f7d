"""Which copies are made when, whatever the buckets of customers do, and what is said of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.host.secrets import SecretsError
from connectors.kafka.records import Record
from connectors.objects.customers import CopyFailed, Why
from schemas.credentials import StorageAccess, storage_details
from schemas.records import AppSession, Credential, CredentialKind, FactKind, Stored, StreamRequest
from schemas.settings import SessionSettings, dumps
from schemas.topics import APP_SESSIONS
from sinks.objects.copying import Connections, Copies, Copying, Due, pause_s
from sinks.objects.patience import Abandoned, Patience
from sinks.objects.settings import SinkObjectsSettings

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
RECORDING = Stored(key="sessions/app_1/recording.mp4", size_bytes=3)
SETTINGS = SinkObjectsSettings(copies=4, copy_retry_s=1, attempts=3, copy_patience_s=600)


def session(
    name: str = "app_1", project: str = "proj_1", awaits_copy: bool = True,
    recording: Stored | None = RECORDING, copy_name: str | None = None,
) -> AppSession:  # fmt: skip
    return AppSession(
        session_id=name, project_id=project, state="post_processing", request=REQUEST, metadata=None, history=(),
        settings=dumps(SessionSettings(copy_bucket="acme", copy_name=copy_name)), recording_state="",
        transcription_state="", awaiting=(), awaits_copy=awaits_copy, created_at_ms=1, epoch=1, folded_offset=1,
        recording=recording,
    )  # fmt: skip


class Now:
    """A clock that stands."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def monotonic(self) -> float:
        return self.at_s


class Ready:
    is_ready = True


class Attempts:
    """What attempts are made; each lasts until it is let go, and says then what it is told to."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int, float]] = []
        self.answers: dict[str, bool | Exception] = {}
        self.hold, self.hears = threading.Event(), threading.Event()
        self.hold.set()
        self.hears.set()
        self.news = threading.Condition()

    def await_begun(self, name: str, number: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: any(made[:2] == (name, number) for made in self.made), 60)

    def attempt(self, due: Due, number: int, waited_s: float, patience: Patience) -> bool:
        with self.news:
            self.made.append((due.session_id, number, waited_s))
            self.news.notify_all()
        while not self.hold.wait(0.005):
            if self.hears.is_set():
                patience.check()
        answer = self.answers.get(due.session_id, True)
        if isinstance(answer, Exception):
            raise answer
        return answer


class World:
    def __init__(self) -> None:
        self.clock, self.attempts = Now(), Attempts()
        self.copies = Copies(self.attempts, Ready(), SETTINGS, self.clock)  # type: ignore[arg-type]

    def hear(self, state: AppSession | None, name: str = "app_1", partition: int = 3) -> None:
        self.copies.hear(Record(APP_SESSIONS.name, partition, 0, 0, name.encode(), b"x"), state)

    def step(self, *held: int) -> list[str]:
        """One round, with what it began brought to its end; whose attempts these were."""
        before = len(self.attempts.made)
        self.copies.step(set(held or (3,)))
        for name, trying in list(self.copies._trying.items()):
            if trying.running is None:
                continue
            self.attempts.await_begun(name, trying.attempts)
            if self.attempts.hold.is_set():
                trying.running.exception(10)
        return [name for name, *_ in self.attempts.made[before:]]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.copies.close()


def test_what_a_state_asks_for() -> None:
    due = Due.of(session(), 3)
    assert due is not None
    assert (due.bucket, due.name, due.partition) == ("acme", "app_1.mp4", 3)
    named, sound = Due.of(session(copy_name="a/b"), 3), Due.of(session(recording=Stored(key="x/recording.mp3")), 3)
    assert named is not None
    assert sound is not None
    assert (named.name, sound.name) == ("a/b", "app_1.mp3")
    for other in (session(awaits_copy=False), session(recording=None)):
        assert Due.of(other, 3) is None


def test_it_is_made_once_and_forgotten_when_its_session_says_so(world: World) -> None:
    world.hear(session())
    assert world.step() == ["app_1"]
    for _ in range(3):
        world.clock.at_s += 1000
        assert world.step() == [], "said once, while the state does not know it yet"
    world.hear(session(awaits_copy=False))
    world.step()
    assert not world.copies._trying


def test_only_who_holds_the_partition_makes_it(world: World) -> None:
    world.hear(session())
    assert world.step(1, 2) == []
    assert world.step(3) == ["app_1"]


def test_a_failure_is_tried_again_with_growing_pauses(world: World) -> None:
    world.attempts.answers["app_1"] = False
    world.hear(session())
    for _ in range(1600):
        world.step()
        world.clock.at_s += 0.01
    assert world.attempts.made == [("app_1", n, pytest.approx(at_s, abs=0.5)) for n, at_s in
                                   ((1, 0), (2, 1), (3, 3), (4, 7), (5, 15))]  # fmt: skip


def test_who_was_refused_has_time_to_say_otherwise() -> None:
    settings = SinkObjectsSettings()
    refused_s = sum(pause_s(settings, attempts) for attempts in range(1, settings.attempts))
    assert 60 <= refused_s <= 120, "permissions take a moment to be known everywhere"
    assert pause_s(settings, 5000) == settings.longest_copy_retry_s


def test_time_in_the_queue_is_no_buckets_fault(world: World) -> None:
    world.attempts.hold.clear()
    for name in ("app_1", "app_2", "app_3"):
        world.hear(session(name), name)
    world.step()
    world.clock.at_s += 1000
    world.attempts.hold.set()
    for trying in world.copies._trying.values():
        if trying.running is not None:
            trying.running.result(60)
    assert world.step() == ["app_3"]
    assert world.attempts.made[-1] == ("app_3", 1, 0.0)


def test_a_bucket_that_hangs_leaves_room_for_others(world: World) -> None:
    world.attempts.hold.clear()
    for number in range(5):
        world.hear(session(f"app_{number}"), f"app_{number}")
    world.hear(session("app_b", "proj_2"), "app_b")
    begun = world.step()
    assert begun == ["app_0", "app_1", "app_b"] or sorted(begun) == ["app_0", "app_1", "app_b"]


@pytest.mark.parametrize("gone", ["deleted", "moved"])
def test_what_is_no_longer_due_here_is_left(world: World, gone: str) -> None:
    world.attempts.hold.clear()
    world.hear(session())
    world.step()
    running = world.copies._trying["app_1"].running
    assert running is not None
    if gone == "deleted":
        world.hear(session(awaits_copy=False, recording=None))
    world.step(4)
    with pytest.raises(Abandoned):
        running.result(60)
    world.step(4)
    assert not world.copies._trying


def test_what_comes_back_while_it_is_being_left_is_made(world: World) -> None:
    world.attempts.hold.clear()
    world.attempts.hears.clear()
    world.hear(session())
    world.step()
    running = world.copies._trying["app_1"].running
    assert running is not None
    world.step(4)
    world.step(3)  # here again, and the attempt has not noticed yet that it was to be left
    world.attempts.hears.set()
    assert isinstance(running.exception(10), Abandoned)
    world.attempts.hold.set()
    assert world.step(3) == ["app_1"]
    assert world.step(3) == []
    assert [number for _, number, _ in world.attempts.made] == [1, 1]
    assert world.copies._trying["app_1"].is_settled


def test_a_fault_of_ours_ends_the_process(world: World) -> None:
    world.attempts.answers["app_1"] = KeyError("x")
    world.hear(session())
    world.step()
    with pytest.raises(KeyError):
        world.step()


class Said(Copying):
    """Attempts whose copying goes as it is told; what is said in the log."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__(None, SETTINGS)  # type: ignore[arg-type]
        self.error, self.said = error, list[tuple[FactKind, str | None]]()

    def _copy(self, due: Due, patience: Patience) -> None:
        if self.error is not None:
            raise self.error

    def _say(
        self, due: Due, kind: FactKind, patience: Patience, *, reason: str | None = None, stored: Any = None
    ) -> None:
        self.said.append((kind, reason or stored.key))


def attempted(
    error: Exception | None, number: int, waited_s: float = 0.0
) -> tuple[bool, list[tuple[FactKind, str | None]]]:
    due, copying = Due.of(session(), 3), Said(error)
    assert due is not None
    patience = Patience(SETTINGS, lambda _: None)
    return copying.attempt(due, number, waited_s, patience), copying.said


def test_what_is_said() -> None:
    refused, away = CopyFailed(Why.ACCESS_DENIED), CopyFailed(Why.TIMED_OUT)
    assert attempted(None, 1) == (True, [(FactKind.RECORDING_COPIED, "acme/app_1.mp4")])
    assert [attempted(refused, number)[0] for number in (1, 2, 3)] == [False, False, True]
    assert attempted(refused, 3)[1] == [(FactKind.RECORDING_COPY_FAILED, "access_denied")]
    assert attempted(away, 50, waited_s=599) == (False, [])
    assert attempted(CopyFailed(Why.CREDENTIALS_UNREADABLE), 50, waited_s=599) == (False, [])
    assert attempted(away, 50, waited_s=600) == (True, [(FactKind.RECORDING_COPY_FAILED, "timed_out")])


class Given:
    """Credentials of which one comes while it is looked for."""

    def __init__(self, found: Credential | None, *, is_readable: bool = True) -> None:
        self.late, self.is_readable = found, is_readable
        self.known: Credential | None = None

    def get(self, project_id: str, kind: CredentialKind) -> Credential | None:
        return self.known

    def catch_up_blocking(self, timeout_s: float) -> bool:
        self.known = self.late
        return True

    def secret(self, credential: Credential) -> str:
        if not self.is_readable:
            raise SecretsError("no key for it")
        return "s3cret"


def test_whose_access_it_is_made_with() -> None:
    given = Credential(
        credential_id="c", project_id="proj_1", kind=CredentialKind.EXTERNAL_MEDIA_STORAGE, secret_encrypted="x",
        details=storage_details(StorageAccess(access_key_id="AKIA1")), created_at_ms=1,
    )  # fmt: skip

    def access(credentials: Given) -> StorageAccess | Why:
        connections = Connections(None, credentials, None, None)  # type: ignore[arg-type]
        try:
            return Copying(connections, SETTINGS)._access("proj_1")
        except CopyFailed as error:
            return error.why

    assert access(Given(given)) == StorageAccess(access_key_id="AKIA1", access_key_secret="s3cret")
    assert access(Given(None)) is Why.CREDENTIALS_NOT_FOUND
    assert access(Given(given, is_readable=False)) is Why.CREDENTIALS_UNREADABLE
