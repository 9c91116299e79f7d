"""Where the workers that claimed a session can be reached by its next owner, past Kafka (ADR 39). Pure."""

from schemas.records import SessionFact

KEPT = 3
"""More than one: whoever claims a session may die, or claim it again, before the one before it has let it go."""


def claimed(known: tuple[str, ...], fact: SessionFact) -> tuple[str, ...]:
    """The addresses after a claim, the newest first."""
    if fact.address is None:
        return known
    return (fact.address, *(each for each in known if each != fact.address))[:KEPT]
