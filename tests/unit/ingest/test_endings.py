"""Whatever was stated about a session, a worker that holds its partition brings it to its end, and it ends once.

The worst case on purpose: Zoom never answers and nobody ever stores anything, so that only the worker's own facts come;
and where it tries to disconnect, it may get nowhere, or die and leave that to the next one.
"""

from hypothesis import given
from hypothesis import strategies as st

from ingest.ownership import Action, Deadlines, decide
from schemas import sessions
from schemas.records import AppSession, FactKind, SessionFact, Stored, StreamRequest

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://a",), zoom_app_id="z")
REQUESTED = SessionFact(session_id="s", project_id="p", kind=FactKind.REQUESTED, source="api", request=REQUEST)
DEADLINES = Deadlines(connecting_ms=300, disconnecting_ms=300, post_processing_ms=1800, total_ms=9000)
REASONS = (None, "connecting", "disconnecting", "post_processing", "total", "stopped")

facts = st.builds(
    SessionFact,
    session_id=st.just("s"),
    kind=st.sampled_from(FactKind),
    epoch=st.one_of(st.none(), st.integers(-1, 30)),
    reason=st.sampled_from(REASONS),
    request=st.one_of(st.none(), st.just(REQUEST)),
    stored=st.one_of(st.none(), st.just(Stored(count=1))),
)


class Log:
    """The facts of one session and what lifecycle makes of them."""

    def __init__(self) -> None:
        self.offset = 0
        self.finished: int | None = None
        state = sessions.fold(None, REQUESTED, 0, 0)
        assert state is not None
        self.state: AppSession = state

    def state_fact(self, fact: SessionFact, at_ms: int) -> int:
        self.offset += 1
        state = sessions.fold(self.state, fact, self.offset, at_ms)
        assert state is not None
        self.state = state
        return self.offset

    @property
    def ends(self) -> list[str]:
        return [entry.new_state for entry in self.state.history if entry.new_state in sessions.DELETABLE]


def act(log: Log, held: int | None, at_ms: int, *, disconnects: bool) -> int | None:
    """One thing that the worker does; the epoch that it holds after it."""
    match decide(log.state, held, log.finished):
        case Action.CLAIM | Action.CLAIM_TO_FINISH:
            return log.state_fact(SessionFact(session_id="s", kind=FactKind.CLAIMED, worker="w"), at_ms)
        case Action.FINISH if disconnects:
            log.state_fact(SessionFact(session_id="s", kind=FactKind.DISCONNECTED, epoch=held), at_ms)
            log.finished = held
            return None
        case Action.LET_GO:
            return None
    if (which := DEADLINES.passed(log.state, at_ms, 0)) is not None:
        log.state_fact(SessionFact(session_id="s", kind=FactKind.DEADLINE_PASSED, reason=which), at_ms)
    return held


@given(
    st.lists(facts, max_size=30), st.lists(facts, max_size=5), st.booleans(), st.sets(st.integers(0, 15), max_size=6)
)
def test_every_session_ends_once(before, after, disconnects, deaths):
    log = Log()
    for at_ms, fact in enumerate(before):
        log.state_fact(fact, at_ms)
    held, at_ms = None, len(before)
    for turn in range(20):
        if log.state.state in sessions.TERMINAL:
            break
        if turn in deaths:
            held = log.finished = None
        held, at_ms = act(log, held, at_ms, disconnects=disconnects), at_ms + 10_000
    assert log.state.state in sessions.TERMINAL, log.state
    assert log.state.awaiting == ()
    for fact in after:
        log.state_fact(fact, at_ms)
    assert len(log.ends) == 1
    assert log.state.history[-1].new_state == log.state.state
    assert log.state.state in (log.ends[0], sessions.State.DATA_DELETED), "after the end there is only the deletion"
