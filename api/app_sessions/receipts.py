"""The receipt of a deletion: what is erased, and what goes by itself and until when. Pure."""

from collections.abc import Mapping

from typing_extensions import TypedDict

from schemas import topics
from schemas.deletion import OF_TRANSCRIPT, Part
from schemas.records import AppSession, Deletion, ErasedPart, Stored
from schemas.sessions import TERMINAL, State
from schemas.times import iso_utc
from schemas.topics import Cleanup, Topic

HOLDING = (
    *topics.MEDIA_TOPICS,
    topics.RECORDING_SEGMENTS,
    topics.TRANSCRIPTS,
    topics.TRANSCRIPT_PARTIALS,
    topics.PARTICIPANT_EVENTS,
    topics.WEBHOOK_NOTICES,
    topics.WEBHOOK_DELIVERIES,
    topics.DEAD_LETTERS,
    topics.PARTICIPANTS_STATE,
    topics.TRANSCRIPTION_STATE,
)
"""The topics on which something that was said or who was there may stand, in the order of the receipt. Of the states
that of who is there has names, that of a session that merges captions the words of the last ones; neither has any more
when the session is over."""

HOLDING_WORDS = (
    topics.CAPTIONS,
    topics.TRANSCRIPTS,
    topics.TRANSCRIPT_PARTIALS,
    topics.WEBHOOK_NOTICES,
    topics.WEBHOOK_DELIVERIES,
    topics.DEAD_LETTERS,
    topics.TRANSCRIPTION_STATE,
)
"""Those on which the words of a transcript may stand."""


class ErasedDocument(TypedDict):
    """One part of the data: how much there was, and since when it is gone (null: not yet).

    `part` is objects, rows or records; the latter are those of topics on which single records can be replaced. Where
    several sinks store objects, each has a part of its own (`objects.…`).
    """

    part: str
    count: int
    size_bytes: int
    erased_at: str | None


class RetainedDocument(TypedDict):
    """A topic from which nobody can take records away at once: by when the broker's disks hold none of it any more.

    `is_replaced`: there is a newer record in the place of each, so that readers are given that one, and the broker's
    files hold the old ones until they are compacted, which takes about a day; `gone_by` is null where that is all that
    can be said. What processors remember of a session (`…-state`) is replaced when it is over.
    """

    topic: str
    gone_by: str | None
    is_replaced: bool


class ExternalCopyDocument(TypedDict):
    """The copy of the recording in the customer's own bucket, which is the customer's to delete."""

    bucket_name: str
    recording_file_name: str
    size_bytes: int


class ReceiptDocument(TypedDict):
    """`reason` is asked, consent_revoked or retention. `complete`: everything that can be erased is.

    It may be asked for again. What is retained is read by nobody: no answer and no webhook is made of it.
    `external_copy` is not ours to erase (null: there is none).
    """

    app_session_id: str
    reason: str
    requested_at: str
    complete: bool
    completed_at: str | None
    erased: list[ErasedDocument]
    retained: list[RetainedDocument]
    external_copy: ExternalCopyDocument | None


class TranscriptReceiptDocument(ReceiptDocument):
    """Of a transcript alone. What began to be said up to `said_until` is gone (null: all of it); its `parts` are rows
    and records: no object holds any of it.
    """

    said_until: str | None


def receipt(session: AppSession, deletion: Deletion, kept_ms: Mapping[Topic, int]) -> ReceiptDocument:
    """What became of a deletion by now; `kept_ms` says how long a topic's records may stay on the brokers' disks."""
    is_over = session.state == State.DATA_DELETED
    return _receipt(session, deletion, kept_ms, (tuple(Part), HOLDING, is_over))


def transcript_receipt(
    session: AppSession, deletion: Deletion, kept_ms: Mapping[Topic, int]
) -> TranscriptReceiptDocument:
    """What became of the deletion of a transcript by now."""
    until_ms = deletion.until_ms
    return {
        **_receipt(session, deletion, kept_ms, (OF_TRANSCRIPT, HOLDING_WORDS, True)),
        "said_until": None if until_ms is None else iso_utc(until_ms),
    }


def _receipt(
    session: AppSession,
    deletion: Deletion,
    kept_ms: Mapping[Topic, int],
    extent: tuple[tuple[Part, ...], tuple[Topic, ...], bool],
) -> ReceiptDocument:
    of, holding, is_over = extent
    known = {part.part: part for part in deletion.parts}
    others = [part for part in known if part not in of]
    parts = [known.get(part, ErasedPart(part=part, count=0)) for part in (*of, *others)]
    times = [part.erased_at_ms for part in parts if part.erased_at_ms is not None]
    is_complete = is_over and len(times) == len(parts)
    return {
        "app_session_id": session.session_id,
        "reason": deletion.reason,
        "requested_at": iso_utc(deletion.asked_at_ms),
        "complete": is_complete,
        "completed_at": iso_utc(max(times)) if is_complete else None,
        "erased": [_erased(part) for part in parts],
        "retained": [_retained(topic, session, _last_ms(session, deletion), kept_ms.get(topic)) for topic in holding],
        "external_copy": _external_copy(session.external_copy),
    }


def _external_copy(copy: Stored | None) -> ExternalCopyDocument | None:
    if copy is None:
        return None
    bucket, _, name = (copy.key or "").partition("/")
    return {"bucket_name": bucket, "recording_file_name": name, "size_bytes": copy.size_bytes}


def _last_ms(session: AppSession, deletion: Deletion) -> int:
    """When something may have been written last: a stream that is revoked is still brought to its end."""
    over = [entry.created_at_ms for entry in session.history if entry.new_state == State.DATA_DELETED]
    erased = [part.erased_at_ms or 0 for part in deletion.parts]
    return max([deletion.asked_at_ms, *over, *erased])


def _erased(part: ErasedPart) -> ErasedDocument:
    erased_at = None if part.erased_at_ms is None else iso_utc(part.erased_at_ms)
    return {"part": part.part, "count": part.count, "size_bytes": part.size_bytes, "erased_at": erased_at}


def _retained(topic: Topic, session: AppSession, last_ms: int, kept_ms: int | None) -> RetainedDocument:
    gone_by = None if kept_ms is None else iso_utc(last_ms + kept_ms)
    is_in_use = topic in topics.STATE_TOPICS and session.state not in TERMINAL
    is_replaced = topic.cleanup is not Cleanup.DELETE and not is_in_use
    return {"topic": topic.name, "gone_by": gone_by, "is_replaced": is_replaced}
