"""What one worker tells another past Kafka: that somebody has claimed a session, and under which epoch. Pure.

It is true for ever, so who repeats it does no harm; only who holds the key ring that all workers share can say it.
"""

from typing import Annotated

import msgspec

from connectors.host.secrets import KeyRing
from ingest.ownership import Reply

PATH = "/claims"
SIGNATURE = "X-Rtms-Signature"
_PURPOSE = "rtms-pipeline: a claim, told by one worker to another"

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class ToldClaim(msgspec.Struct, frozen=True):
    """`worker` has claimed the session; `epoch` is the offset of its claim."""

    session_id: _Name
    worker: _Name
    epoch: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


_decode = msgspec.json.Decoder(ToldClaim).decode


class NotTold(Exception):
    """A message that says nothing here; `status` is HTTP's."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


STATUS = {Reply.LET_GO: 200, Reply.NOT_HELD: 404, Reply.NOT_NEWER: 409}
"""How each is answered."""


def written(claim: ToldClaim, ring: KeyRing) -> tuple[bytes, str]:
    """The body and its signature."""
    body = msgspec.json.encode(claim)
    return body, ring.signature(_PURPOSE, body)


def read(body: bytes, signature: str, ring: KeyRing) -> ToldClaim:
    """What is told; unsigned nothing is looked into. Raises NotTold."""
    if not ring.is_signed(_PURPOSE, body, signature):
        raise NotTold(403, "not signed by a worker")
    try:
        return _decode(body)
    except (ValueError, RecursionError):
        raise NotTold(400, "not a claim") from None


def address(host: str, port: int) -> str:
    """host:port as it stands in a URL: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
