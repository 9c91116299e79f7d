"""A session, and something said in it as ClickHouse has it."""

from typing import Any

from schemas.records import AppSession, StreamRequest
from schemas.settings import SessionSettings, dumps

SAID = {
    "utterance_id": "utt_1", "participant_id": 7, "participant_name": "Ada", "start_ms": 5_000, "end_ms": 6_500,
    "language": "en", "text": "hello", "status": "final", "reason": None, "recognised_by": None,
    "model": None, "words": "[]",
}  # fmt: skip


def session(*engines: str, **fields: Any) -> AppSession:
    """One that is over, of project p1; `fields` are what is to be different."""
    request = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
    usual = {
        "session_id": "app_1", "project_id": "p1", "state": "ended", "request": request, "metadata": None,
        "history": (), "settings": dumps(SessionSettings(engines=engines)) if engines else "{}",
        "recording_state": "complete", "transcription_state": "complete", "awaiting": (), "created_at_ms": 1,
        "epoch": -1, "folded_offset": 0,
    }  # fmt: skip
    return AppSession(**(usual | fields))
