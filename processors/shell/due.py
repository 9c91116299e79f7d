"""What is to be made of sessions that are over, as their states say: those in the partitions that are held. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from schemas.records import AppSession


class Order(Protocol):
    """One thing to be made; those with a lower `rank` first."""

    @property
    def partition(self) -> int: ...

    @property
    def rank(self) -> tuple[int | str, ...]: ...


AnOrder = TypeVar("AnOrder", bound=Order)


class Due(Generic[AnOrder]):
    """Hears every state of the sessions in the partitions held, in the order of the log."""

    def __init__(self, orders_of: Callable[[AppSession, int], Sequence[AnOrder]]) -> None:
        self._orders_of = orders_of
        self._sessions: dict[int, dict[str, Sequence[AnOrder]]] = {}

    def hear(self, partition: int, session_id: str, session: AppSession | None) -> None:
        """The newest state of a session; None: it is archived."""
        sessions = self._sessions.setdefault(partition, {})
        if session is not None and (orders := self._orders_of(session, partition)):
            sessions[session_id] = orders
        else:
            sessions.pop(session_id, None)

    def drop(self, partitions: Iterable[int]) -> None:
        """These are somebody else's now."""
        for partition in partitions:
            self._sessions.pop(partition, None)

    def orders(self) -> list[AnOrder]:
        """All that are unfinished, by their rank."""
        orders = [order for held in self._sessions.values() for session in held.values() for order in session]
        return sorted(orders, key=lambda order: order.rank)
