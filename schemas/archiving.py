"""A session's state leaves the log when nothing is to become of it any more, and comes back when somebody asks. Pure.

`archived` says that ClickHouse alone has the state from now on, `recalled` brings it back, with what ClickHouse has.
"""

import msgspec

from schemas import async_transcriptions, recordings, retention
from schemas.deletion import OF_TRANSCRIPT, missing
from schemas.records import AppSession, SessionFact
from schemas.session_states import TERMINAL

_sessions = msgspec.json.Decoder(AppSession)


def is_settled(session: AppSession) -> bool:
    """Whether nothing becomes of it unless somebody asks: it is over, no term runs, nothing is still to be erased."""
    if session.state not in TERMINAL or session.awaiting or retention.due_ms(session) is not None:
        return False
    if async_transcriptions.unfinished(session):
        return False
    if recordings.is_to_be_composed(session) or recordings.is_to_be_copied(session):
        return False
    if session.deletion is not None:
        return not missing(session.deletion)
    asked = session.transcript_deletion
    return asked is None or not missing(asked, OF_TRANSCRIPT)


def archived(session: AppSession, fact: SessionFact, at_ms: int) -> AppSession | None:
    """After an `archived` fact: none, if it means this very state and the session is settled."""
    return None if fact.folded_offset == session.folded_offset and is_settled(session) else session


def recalled(fact: SessionFact) -> AppSession | None:
    """The session that a `recalled` fact brings back; None if it is not whole, of another session, or not over."""
    try:
        session = from_document(fact.document or "")
    except ValueError:
        return None
    return session if session.session_id == fact.session_id and session.state in TERMINAL else None


def as_document(session: AppSession) -> str:
    """The session as ClickHouse has it."""
    return msgspec.json.encode(session).decode()


def from_document(document: str) -> AppSession:
    """The session in a document. Raises ValueError; its text may quote the document."""
    try:
        return _sessions.decode(document)
    except RecursionError as error:
        raise ValueError("a document nested too deeply") from error
