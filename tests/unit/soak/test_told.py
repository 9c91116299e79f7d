"""A client notices every way of being told something else than before."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.soak.told import Told

S = "app_1"


def document(*types: str, state: str = "connected", **changes: object) -> dict[str, Any]:
    events = [{"type": name, "created_at": "2026-01-01T00:00:00Z"} for name in types]
    return {"id": S, "state": state, "events": events, "failures": [], "holes": []} | changes


def item(name: str, text: str = "") -> dict[str, str]:
    return {"id": name, "text": text}


def test_more_is_not_otherwise() -> None:
    told = Told()
    assert told.session(S, document("requested")) == []
    assert told.session(S, document("requested", "connected")) == []
    assert told.items(S, "utterance", [item("1")]) == []
    assert told.items(S, "utterance", [item("0"), item("1")]) == []
    assert told.items(S, "participant event", []) == []
    assert told.media(S, None) == []
    assert told.media(S, {"start_timestamp_ms": 5}) == []
    assert told.media(S, {"start_timestamp_ms": 5}) == []
    assert told.ended(S, document("requested", "connected", "ending", state="disconnecting")) == []
    assert told.listed([S], [S, "app_2"]) == []


def test_what_may_fail_is_told_or_not_yet_and_nothing_else() -> None:
    told, copy = Told(), ["external_media_storage: access_denied"]
    assert told.session(S, document(), copy) == []
    assert told.session(S, document(failures=copy), copy) == []
    assert told.session(S, document(failures=copy)) == [f"{S}: it has failures: {copy}"]
    assert told.session(S, document(failures=["x"]), copy) == [f"{S}: it has failures: ['x']"]


def test_what_may_change_is_still_there_once_only() -> None:
    told = Told()
    assert told.items(S, "caption", [item("1"), item("2")], may_change=True) == []
    assert told.items(S, "caption", [item("2", "x")], may_change=True) == []
    assert told.items(S, "caption", [item("2", "x"), item("2", "x")], may_change=True) == [f"{S}: caption doubled"]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda told: told.session(S, document("requested")), "its history was"),
        (lambda told: told.session(S, document("requested", "other")), "its history was"),
        (lambda told: told.session("app_2", document()), "answered with app_1"),
        (lambda told: told.session(S, document("requested", "connected", failures=["events: x"])), "failures"),
        (lambda told: told.session(S, document("requested", "connected", holes=[{}])), "holes"),
        (lambda told: told.items(S, "utterance", [item("1")]), "utterance 2 is gone"),
        (lambda told: told.items(S, "utterance", [item("1"), item("2", "x")]), "utterance 2 has changed"),
        (lambda told: told.items(S, "utterance", [item("1"), item("2"), item("2")]), "utterance doubled"),
        (lambda told: told.media(S, None), "its recording is gone"),
        (lambda told: told.media(S, {"start_timestamp_ms": 6}), "starts elsewhere"),
        (lambda told: told.ended(S, document("requested", "connected")), "its end was acknowledged"),
        (lambda told: told.listed([S, "app_2"], [S]), "app_2 is not in the list"),
        (lambda told: told.listed([S], [S, S]), "twice"),
    ],
)
def test_each_contradiction_is_seen(ask: Callable[[Told], list[str]], said: str) -> None:
    told = Told()
    told.session(S, document("requested", "connected"))
    told.items(S, "utterance", [item("1"), item("2")])
    told.media(S, {"start_timestamp_ms": 5})
    [line] = ask(told)
    assert said in line


def test_an_end_that_was_acknowledged_stays() -> None:
    told = Told()
    told.ended(S, document("requested", state="disconnecting"))
    assert told.session(S, document("requested", state="post_processing")) == []
    [line] = told.session(S, document("requested", state="connecting"))
    assert "its end was acknowledged" in line
