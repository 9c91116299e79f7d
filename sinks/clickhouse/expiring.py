"""Says of sessions whose data was kept for as long as it was to be that it is to be deleted; erasing follows from that.

Whoever holds the session's partition says it, and again after a while as long as nothing came of it: the fold goes by
the log's clock, which may be behind this one, and takes it once.
"""

from collections.abc import Collection

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.kafka.decoder import Decoder
from connectors.kafka.deletions import Deletions
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.producer import Producer
from schemas import ids
from schemas.deletion import RETENTION
from schemas.records import FactKind, SessionFact
from schemas.topics import SESSION_FACTS
from sinks.clickhouse.completeness import SOURCE

log = get_logger(__name__)

CHECK_S = 1.0
AGAIN_S = 10.0


class Expiring:
    """`step` from the sink's loop: it waits for nothing."""

    def __init__(
        self, deletions: Deletions, producer: Producer, decoder: Decoder, partitions: int, clock: Clock
    ) -> None:
        self._deletions, self._producer, self._decoder = deletions, producer, decoder
        self._partitions, self._clock = partitions, clock
        self._next_s = 0.0
        self._again_s: dict[str, float] = {}

    def step(self, partitions: Collection[int]) -> None:
        """Say what is due in these partitions. Raises Fatal."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + CHECK_S
        due = self._deletions.terms.passed(partitions, self._clock.now_ms())
        self._again_s = {session_id: self._again_s.get(session_id, now_s) for session_id in due}
        for session_id in [session_id for session_id in due if self._again_s[session_id] <= now_s]:
            try:
                self._say(session_id)
            except KafkaError as error:
                if isinstance(error, Fatal):
                    raise
                log.warning("the end of a term is not said yet", session_id=session_id, code=error.code)
                return
            self._again_s[session_id] = now_s + AGAIN_S

    def _say(self, session_id: str) -> None:
        fact = SessionFact(session_id=session_id, kind=FactKind.DATA_DELETED, source=SOURCE, reason=RETENTION)
        value, partition = (
            self._decoder.codec.encode(SESSION_FACTS, fact),
            ids.partition_of(session_id, self._partitions),
        )
        self._producer.send(SESSION_FACTS, session_id.encode(), value, partition)
        log.info("kept for as long as it was to be", session_id=session_id)
