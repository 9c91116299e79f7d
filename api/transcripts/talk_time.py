"""How long each participant of a session spoke, by the transcript: what to read, and how clients see it. Pure.

An utterance lasts from its first word to its last; pauses within it count, failed ones do too. Who speak at once have
the time each; nobody has a moment twice.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from typing_extensions import TypedDict

from schemas import ids
from schemas.records import AppSession
from schemas.settings import Engine

MOST = 10_000
"""Participants that are answered, those who spoke longest."""

QUERY = f"""
SELECT participant_id, argMax(participant_name, start_ms) AS name, sum(new_ms) AS speaking_ms, count() AS utterances
FROM (
    SELECT participant_id, participant_name, start_ms, greatest(0, end_ms - greatest(start_ms, max(end_ms) OVER (
        PARTITION BY participant_id ORDER BY start_ms, utterance_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ))) AS new_ms
    FROM utterances
    WHERE session_id = {{session_id:String}} AND engine = {{engine:String}}
      AND (status = 'final' AND text != '' OR status = 'failed')
      AND start_ms > {{deleted_ms:Int64}}
)
GROUP BY participant_id
ORDER BY speaking_ms DESC, participant_id
LIMIT {MOST}
"""  # noqa: S608  a number of ours


class SpeakerDocument(TypedDict):
    """How long somebody spoke, and which part that is of what all spoke together (0 to 1)."""

    uuid: str
    name: str | None
    speaking_ms: int
    share: float
    utterances: int


class TalkTimeDocument(TypedDict):
    """Who spoke, the longest first; `speaking_ms` is the sum of theirs, more than the clock's where some speak at once.

    While `transcription_state` is `not_started` or `in_progress` it is as of now.
    """

    app_session_id: str
    engine: str
    transcription_state: str
    speaking_ms: int
    participants: list[SpeakerDocument]


def document(session: AppSession, engine: Engine, rows: Iterable[Mapping[str, Any]]) -> TalkTimeDocument:
    """The rows of `QUERY` as clients see them."""
    rows = list(rows)
    whole_ms = sum(row["speaking_ms"] for row in rows)
    return {
        "app_session_id": session.session_id,
        "engine": str(engine),
        "transcription_state": session.transcription_state,
        "speaking_ms": whole_ms,
        "participants": [
            {
                "uuid": ids.participant_uuid(session.session_id, row["participant_id"]),
                "name": row["name"],
                "speaking_ms": row["speaking_ms"],
                "share": round(row["speaking_ms"] / whole_ms, 4) if whole_ms else 0.0,
                "utterances": row["utterances"],
            }
            for row in rows
        ],
    }
