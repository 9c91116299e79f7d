"""What customers find in their own buckets is judged; and their storage troubles every name before it takes it."""

from dataclasses import replace

import pytest

from connectors.host.clock import SystemClock
from connectors.objects.customers import CopyFailed, CustomerBucket, Surroundings, Why
from connectors.webhooks.targets import TargetPolicy
from schemas.credentials import StorageAccess
from schemas.records import Stored as StoredState
from tests.soak.buckets import BUSY_S, FORBIDDEN, KEY_ID, SECRET, TAKING, Body, Buckets, Name, buckets
from tests.soak.copies import differences
from tests.soak.expected import Expected
from tests.soak.stored import Stored

S = "app_0123456789abcdef"
KEY = f"{TAKING}/{S}.mp4"
EXPECTED = Expected((), (), (), Stored({"s/recording.mp4": b"movie"}, "s/recording.mp4"), copy=KEY)
REFUSED = replace(EXPECTED, copy=f"{FORBIDDEN}/{S}.mp4", failures=["external_media_storage: access_denied"])
WHOLE = Body.of(b"movie")
STATED = StoredState(key=KEY, size_bytes=5)


def test_a_copy_may_be_put_again_and_a_refused_one_is_not_there() -> None:
    assert differences({S: EXPECTED}, {KEY: Name([WHOLE, WHOLE])}, {S: STATED}) == []
    assert differences({S: REFUSED}, {REFUSED.copy: Name(refused=3)}, {S: None}) == []
    assert differences({S: replace(EXPECTED, copy="")}, {}, {S: None}) == []


@pytest.mark.parametrize(
    ("expected", "found", "stated", "said"),
    [
        (EXPECTED, {}, STATED, "nobody tried"),
        (EXPECTED, {KEY: Name(refused=2)}, STATED, "no copy"),
        (EXPECTED, {KEY: Name([Body.of(b"mov"), WHOLE])}, STATED, "another file"),
        (EXPECTED, {KEY: Name([WHOLE])}, None, "its state has"),
        (EXPECTED, {KEY: Name([WHOLE])}, replace(STATED, size_bytes=4), "its state has"),
        (EXPECTED, {KEY: Name([WHOLE])}, replace(STATED, key=f"{TAKING}/x.mp4"), "its state has"),
        (EXPECTED, {KEY: Name([WHOLE]), f"{TAKING}/x.mp4": Name([WHOLE])}, STATED, "nobody asked for"),
        (REFUSED, {}, None, "nobody tried"),
        (REFUSED, {REFUSED.copy: Name([WHOLE])}, None, "none may be"),
        (REFUSED, {REFUSED.copy: Name(refused=3)}, STATED, "tells of a copy"),
    ],
)
def test_each_wrong_copy_is_seen(
    expected: Expected, found: dict[str, Name], stated: StoredState | None, said: str
) -> None:
    [line] = differences({S: expected}, found, {S: stated})
    assert said in line


def why(storage: Buckets, bucket: str, key_id: str = KEY_ID) -> Why | None:
    access = StorageAccess(access_key_id=key_id, access_key_secret=SECRET, endpoint_url=storage.url)
    into = CustomerBucket(access, bucket, TargetPolicy(allow_loopback=True), Surroundings(SystemClock(), lambda: None))
    try:
        into.put("a (é+).mp4", [b"mo", b"vie"], 5, "video/mp4")
    except CopyFailed as failed:
        return failed.why
    return None


def test_a_name_meets_all_of_the_trouble() -> None:
    with buckets() as storage:
        assert [why(storage, TAKING) for _ in range(2)] == [Why.UNREACHABLE, Why.UNAVAILABLE]
        name = storage.all()[f"{TAKING}/a (é+).mp4"]
        assert (name.taken, name.refused) == ([], 2)
        assert name.asked_at_s is not None
        name.asked_at_s -= BUSY_S
        assert why(storage, TAKING) is Why.UNREACHABLE, "it was taken, and nobody heard of it"
        assert why(storage, TAKING) is None
        assert name.taken == [WHOLE, WHOLE]
        assert [why(storage, FORBIDDEN) for _ in range(2)] == [Why.UNREACHABLE, Why.ACCESS_DENIED]
        assert why(storage, "nobodys") is Why.BUCKET_NOT_FOUND
        assert why(storage, TAKING, "AKIAOTHER") is Why.CREDENTIALS_INVALID
