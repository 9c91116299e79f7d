"""A record is taken only under a key that names what it is about."""

import pytest

from schemas.codec import Undecodable
from schemas.keys import FOREIGN_KEY, LONG_KEY, MAX_KEY_BYTES, item_key, keyed, objects_folder, session_of_object
from schemas.records import FactKind, SessionFact


def fact(session_id: str) -> SessionFact:
    return SessionFact(session_id=session_id, kind=FactKind.CONNECTED)


@pytest.mark.parametrize("key", [b"app_1", item_key("app_1", "utt_2")])
def test_the_key_of_a_session_or_of_its_item(key: bytes) -> None:
    assert keyed(key, fact("app_1")) == fact("app_1")


@pytest.mark.parametrize(
    ("key", "reason"), [(None, FOREIGN_KEY), (b"app_12", FOREIGN_KEY), (b"a" * (MAX_KEY_BYTES + 1), LONG_KEY)]
)
def test_any_other_key(key: bytes | None, reason: str) -> None:
    with pytest.raises(Undecodable, match=reason):
        keyed(key, fact((key or b"app_1").decode() if reason == LONG_KEY else "app_1"))


@pytest.mark.parametrize(
    ("key", "session_id"),
    [("sessions/app_1/recording.mp4", "app_1"), ("sessions/app_1/segments/1.m4s", "app_1"), ("sessions/app_1", None),
     ("sessions/", None), ("elsewhere/app_1/x", None), ("", None)],
)  # fmt: skip
def test_an_object_is_known_by_its_folder(key: str, session_id: str | None) -> None:
    assert session_of_object(key) == session_id
    if session_id:
        assert key.startswith(objects_folder(session_id))
