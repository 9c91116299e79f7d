"""What a client has been told, answer by answer: nothing of it may be untrue later. Pure.

Every method takes an answer and says in a line each what contradicts those before it. One `Told` is for one client that
asks one question after the other: of two answers under way at once, nobody can say which is the later one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]

BEFORE_THE_END = frozenset({"connecting", "connected"})


class Told:
    """All about the sessions of one act."""

    def __init__(self) -> None:
        self._steps: dict[str, Sequence[Document]] = {}
        self._ending: set[str] = set()
        self._items: dict[tuple[str, str], dict[str, Document]] = {}
        self._with_media: dict[str, int | None] = {}

    def session(self, session_id: str, document: Document, failures: Sequence[str] = ()) -> list[str]:
        """A session's state: its history only grows, and nothing about it is incomplete but for these `failures`."""
        steps, known = document["events"], self._steps.get(session_id, ())
        found = []
        if document["id"] != session_id:
            found.append(f"answered with {document['id']}")
        if list(steps[: len(known)]) != list(known):
            found.append(f"its history was {_types(known)} and is {_types(steps)}")
        if session_id in self._ending and document["state"] in BEFORE_THE_END:
            found.append(f"its end was acknowledged and it is {document['state']}")
        may_be = {"failures": list(failures), "holes": []}
        found += [f"it has {name}: {document[name]}" for name in may_be if document[name] not in ([], may_be[name])]
        self._steps[session_id] = steps
        return _of(session_id, found)

    def ended(self, session_id: str, document: Document) -> list[str]:
        """The answer to a request for its end."""
        self._ending.add(session_id)
        return self.session(session_id, document)

    def items(
        self, session_id: str, what: str, documents: Sequence[Document], *, may_change: bool = False
    ) -> list[str]:
        """Utterances or participant events: all that were there before still are, as they were, and each once.

        Of those that `may_change`, because Zoom changes its mind, only that each is there once.
        """
        now = {document["id"]: document for document in documents}
        before = {} if may_change else self._items.get((session_id, what), {})
        self._items[session_id, what] = now
        return _of(session_id, [
            *([f"{what} doubled"] if len(now) != len(documents) else []),
            *(f"{what} {key} is gone" for key in before.keys() - now.keys()),
            *(f"{what} {key} has changed" for key in before.keys() & now.keys() if before[key] != now[key]),
        ])  # fmt: skip

    def media(self, session_id: str, document: Document | None) -> list[str]:
        """A link, or none yet: once there is one, there always is."""
        if document is None:
            return _of(session_id, ["its recording is gone"] if session_id in self._with_media else [])
        start_ms = self._with_media.setdefault(session_id, document["start_timestamp_ms"])
        return _of(session_id, ["its recording starts elsewhere"] if start_ms != document["start_timestamp_ms"] else [])

    def listed(self, acknowledged: Iterable[str], listed: Sequence[str]) -> list[str]:
        """The whole list: whoever was acknowledged before it was asked for is in it, nobody twice."""
        missing = sorted(set(acknowledged) - set(listed))
        found = [f"{session_id} is not in the list" for session_id in missing]
        return found + (["the list has a session twice"] if len(set(listed)) != len(listed) else [])


def _types(steps: Iterable[Document]) -> list[str]:
    return [step["type"] for step in steps]


def _of(session_id: str, found: Iterable[str]) -> list[str]:
    return [f"{session_id}: {line}" for line in found]
