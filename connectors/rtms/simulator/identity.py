"""What a stream is called, and whether a handshake that names it is genuine. Pure."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.rtms.protocol import codes
from connectors.rtms.protocol.codes import Status
from connectors.rtms.protocol.errors import Refused
from connectors.rtms.protocol.messages import PROTOCOL_VERSION, meeting_id_of
from connectors.rtms.protocol.signature import verify_handshake
from connectors.rtms.simulator.rules import Credentials


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of one stream; `meeting_uuid` looks like Zoom's, slashes and all."""

    meeting_uuid: str
    stream_id: str
    session_id: str
    meeting_number: int
    account_id: str
    operator_id: str
    product: str = codes.MEETING

    @classmethod
    def derive(
        cls,
        origin: str,
        meeting_uuid: str | None = None,
        stream_id: str | None = None,
        product: str = codes.MEETING,
    ) -> "Identity":
        """Names that follow from `origin`, which must be another for every stream; two may be given."""
        digest = hashlib.sha256(origin.encode()).digest()
        uuid = base64.b64encode(digest[:16]).decode()
        return cls(
            meeting_uuid=meeting_uuid or uuid,
            stream_id=stream_id or digest[16:].hex(),
            session_id=base64.urlsafe_b64encode(digest[4:16]).decode(),
            meeting_number=80_000_000_000 + int.from_bytes(digest[:4]),
            account_id="simulated-account",
            operator_id="simulated-operator",
            product=product,
        )


def check_handshake(message: Mapping[str, Any], identity: Identity, credentials: Credentials) -> None:
    """Check a decoded message 1 or 3 of this stream as strictly as the documents allow.

    Raises:
        Refused: with the status for what is wrong.
    """
    if message.get("protocol_version") != PROTOCOL_VERSION:
        raise Refused(Status.INVALID_PAYLOAD, "protocol_version is not 1")
    meeting_id = meeting_id_of(message, identity.product)
    if meeting_id is None:
        raise Refused(Status.INVALID_PAYLOAD, "no meeting id")
    signature = message.get("signature")
    if not isinstance(signature, str) or not signature:
        raise Refused(Status.INVALID_SIGNATURE, "no signature")
    if meeting_id != identity.meeting_uuid:
        raise Refused(Status.INVALID_RTMS_STREAM_ID, "the stream belongs to another meeting")
    client = (credentials.client_id, credentials.client_secret)
    if not verify_handshake(signature, *client, meeting_id, identity.stream_id):
        raise Refused(Status.INVALID_SIGNATURE, "the signature does not match")
