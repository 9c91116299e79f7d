"""Writing the control plane's records: to the log, then wait until this replica knows it too."""

import secrets

from api.errors import unavailable
from api.services import Services
from schemas import ids
from schemas.records import Record
from schemas.topics import Topic


async def written(services: Services, topic: Topic, key: str, record: Record | None) -> None:
    """Write a record, None to delete the key's. Raises ApiError 503."""
    at = await services.journal.write(topic, key, record)
    if not await services.followed[topic].applied(at.partition, at.offset, services.settings.fold_timeout_s):
        raise unavailable("The request is recorded but not visible yet.")


def new_id(prefix: str) -> str:
    """An id that nobody has."""
    return prefix + random_text(ids.LENGTH)


def random_text(length: int) -> str:
    """Letters and digits, for ids and keys."""
    return "".join(secrets.choice(ids.ALPHABET) for _ in range(length))
