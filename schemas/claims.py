"""Who may have a live session: a project's claims, decided by the order of the log alone. Pure.

Any number of API replicas read the same records and come to the same verdicts: a claim carries the limit it is to be
held to, and the only clock is the one that stamped the records. A claim that nobody gave back stops counting after
`LONGEST_MS`, by the stamps of those that come after it; no session lives that long.

Finished sessions give nothing back by themselves. Whoever is refused looks at the holders, gives back for those that
are over, and claims again: so nothing has to run in the background, and nothing leaks for good.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.records import Claim, ClaimKind

LONGEST_MS = 48 * 3_600_000
"""A session is ended after 30 hours and has half an hour for what follows."""


class Verdict(StrEnum):
    WON = "won"
    DUPLICATE = "duplicate"
    LIMIT = "limit"


@dataclass(slots=True)
class Holding:
    """A claim that holds. `counted`: whether it takes one of the project's places, beside its deduplication key."""

    session_id: str
    offset: int
    at_ms: int
    deduplication_key: str | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """`holders` are those in the way as of `at_ms`: the one with the key, or all that are counted."""

    verdict: Verdict
    at_ms: int
    holders: tuple[Holding, ...] = ()


class ProjectClaims:
    """The claims of one project, fed in log order."""

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}
        self._by_key: dict[str, Holding] = {}
        self._counted = 0

    def apply(self, claim: Claim, offset: int, at_ms: int) -> Decision | None:
        """Take the record at `offset`, appended at `at_ms`; what was decided, if it was a claim."""
        self._expire(at_ms)
        if claim.kind is ClaimKind.CLAIMED:
            return self._claimed(claim, offset, at_ms)
        holding = self._holdings.get(claim.session_id)
        if holding is None or holding.offset != claim.claim_offset:
            return None
        if claim.kind is ClaimKind.LEFT:
            self._uncount(holding)
        elif claim.kind is ClaimKind.RELEASED:
            self._forget(holding)
        return None

    def holds(self, session_id: str) -> bool:
        """Whether the session has a claim that nobody gave back."""
        return session_id in self._holdings

    def _claimed(self, claim: Claim, offset: int, at_ms: int) -> Decision:
        key, own = claim.deduplication_key, self._holdings.get(claim.session_id)
        in_the_way = self._by_key.get(key) if key is not None else None
        if in_the_way is not None and in_the_way is not own:
            return Decision(Verdict.DUPLICATE, at_ms, (in_the_way,))
        if own is None:
            if self._counted >= claim.limit:
                counted = tuple(holding for holding in self._holdings.values() if holding.counted)
                return Decision(Verdict.LIMIT, at_ms, counted)
            own = self._holdings[claim.session_id] = Holding(claim.session_id, offset, at_ms)
            self._counted += 1
        if key is not None and own.deduplication_key is None:  # the same session again, this time with a key
            own.deduplication_key = key
            self._by_key[key] = own
        return Decision(Verdict.WON, at_ms)

    def _uncount(self, holding: Holding) -> None:
        self._counted -= holding.counted
        holding.counted = False

    def _forget(self, holding: Holding) -> None:
        self._uncount(holding)
        del self._holdings[holding.session_id]
        if holding.deduplication_key is not None:
            del self._by_key[holding.deduplication_key]

    def _expire(self, at_ms: int) -> None:
        while self._holdings:  # they stand in the order of the log
            oldest = next(iter(self._holdings.values()))
            if at_ms - oldest.at_ms <= LONGEST_MS:
                return
            self._forget(oldest)
