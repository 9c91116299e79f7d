"""What became of a deletion, under both names of a session."""

from fastapi import APIRouter

from api.answers import answers
from api.app_sessions.commands import as_of_now
from api.app_sessions.current import CurrentBot
from api.app_sessions.receipts import (
    ReceiptDocument,
    TranscriptReceiptDocument,
    receipt,
    transcript_receipt,
)
from api.errors import not_found
from api.paths import APP_SESSION, BOT
from api.services import Here

router = APIRouter(tags=["Data deletion"])


@router.get(f"{APP_SESSION}/data_deletion", responses=answers(401, 403, 404, 503))
@router.get(f"{BOT}/data_deletion", responses=answers(401, 403, 404, 503))
async def get_data_deletion(session: CurrentBot, services: Here) -> ReceiptDocument:
    """The receipt: what is erased since when and how much it was, and by when the topics' retention has taken the rest.

    404 while nobody has asked for the data to be deleted.
    """
    if session.deletion is None:
        session = await as_of_now(services, session)
    if session.deletion is None:
        raise not_found("No data deletion was asked for")
    return receipt(session, session.deletion, services.kept_ms)


@router.get(f"{APP_SESSION}/transcript_deletion", responses=answers(401, 403, 404, 503))
@router.get(f"{BOT}/transcript_deletion", responses=answers(401, 403, 404, 503))
async def get_transcript_deletion(session: CurrentBot, services: Here) -> TranscriptReceiptDocument:
    """The receipt of the last time that the transcript alone was deleted.

    404 while nobody has asked for that.
    """
    if session.transcript_deletion is None:
        session = await as_of_now(services, session)
    if session.transcript_deletion is None:
        raise not_found("No transcript deletion was asked for")
    return transcript_receipt(session, session.transcript_deletion, services.kept_ms)
