"""Whether a project may have one more live session: append a claim, then read what the log's order makes of it.

Whoever is refused looks at who is in the way, gives back for those that are over, and claims again. So the limit and
the deduplication keys hold under any number of replicas, and a session that ended frees its place without anybody
having to watch it.
"""

import asyncio
import uuid

from api.errors import ApiError, refused, unavailable
from api.services import Services
from schemas import topics
from schemas.claims import Decision, Holding, Verdict
from schemas.records import AppSession, Claim, ClaimKind
from schemas.sessions import TERMINAL, State

ROUNDS = 5
"""Each ends with a verdict or gives back a place; others may take it again."""

NEVER_REQUESTED_MS = 600_000
"""When a claim whose session nobody has heard of is given up: its request cannot come any more, as a record that Kafka
does not take is dropped long before."""


async def admit(services: Services, project_id: str, session_id: str, deduplication_key: str | None) -> None:
    """Hold a place for the session. Raises ApiError 400 where there is none, or its key is another's; 503."""
    for _ in range(ROUNDS):
        decision = await _claim(services, project_id, session_id, deduplication_key)
        if decision.verdict is Verdict.WON:
            return
        await services.catch_up(topics.APP_SESSIONS)
        if decision.verdict is Verdict.LIMIT and services.sessions.get(project_id, session_id) is not None:
            return  # it exists already, which another replica knew before us
        if not await _give_back(services, project_id, decision):
            raise _refusal(services, project_id, decision.verdict)
    raise unavailable("Others were quicker, again and again. Try again.")


def limit_of(services: Services, project_id: str) -> int:
    """How many live sessions a project may have."""
    project = services.directory.project(project_id)
    own = None if project is None else project.concurrency_limit
    return services.settings.concurrency_limit if own is None else own


async def _claim(services: Services, project_id: str, session_id: str, key: str | None) -> Decision:
    request_id = uuid.uuid4().hex
    decided = services.claims.expect(request_id)
    claim = Claim(
        project_id=project_id,
        session_id=session_id,
        kind=ClaimKind.CLAIMED,
        request_id=request_id,
        deduplication_key=key,
        limit=limit_of(services, project_id),
    )
    try:
        await services.journal.write(topics.CLAIMS, project_id, claim)
        async with asyncio.timeout(services.settings.fold_timeout_s):
            return await asyncio.wrap_future(decided)
    except TimeoutError:
        raise unavailable("The request is recorded but not decided yet. Try again.") from None
    finally:
        services.claims.forget(request_id)


async def _give_back(services: Services, project_id: str, decision: Decision) -> bool:
    """Give back the places and keys of sessions that are over; whether there were any."""
    back = [
        Claim(project_id=project_id, session_id=holding.session_id, kind=kind, claim_offset=holding.offset)
        for holding in decision.holders
        if (kind := due(services.sessions.get(project_id, holding.session_id), holding, decision)) is not None
    ]
    await asyncio.gather(*(services.journal.write(topics.CLAIMS, project_id, claim) for claim in back))
    return bool(back)


def due(session: AppSession | None, holding: Holding, decision: Decision) -> ClaimKind | None:
    """What is to be given back of a claim whose session is in this state."""
    if session is None:
        return ClaimKind.RELEASED if decision.at_ms - holding.at_ms > NEVER_REQUESTED_MS else None
    if session.state in TERMINAL:
        return ClaimKind.RELEASED
    if session.state == State.POST_PROCESSING and decision.verdict is Verdict.LIMIT:
        return ClaimKind.LEFT
    return None


def _refusal(services: Services, project_id: str, verdict: Verdict) -> ApiError:
    if verdict is Verdict.DUPLICATE:
        return refused("Deduplication key already in use. A session of this project that is not over has it.")
    limit = limit_of(services, project_id)
    return refused(
        f"You have exceeded the maximum number of concurrent bots ({limit}) of this project. "
        "End a session, or ask the operator for more."
    )
