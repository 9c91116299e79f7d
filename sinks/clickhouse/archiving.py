"""Says of sessions that have been settled for long that they are archived: ClickHouse alone has them from then on.

Said is it only of a state that ClickHouse was just seen to have; lifecycle takes it only if the state is still that
one. Whoever holds the session's partition says it, and again after a while as long as nothing came of it.
"""

from collections import deque
from collections.abc import Collection, Sequence

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.clock import Clock
from connectors.host.configuration import NotConfigured
from connectors.host.logs import get_logger
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.producer import Producer
from connectors.kafka.settings import KafkaSettings
from schemas.records import FactKind, SessionFact
from schemas.topics import DAY_MS, SESSION_FACTS
from sinks.clickhouse import metrics
from sinks.clickhouse.completeness import SOURCE
from sinks.clickhouse.settings import ClickHouseSinkSettings
from sinks.clickhouse.settled import Patience, Settled, SettledSessions

log = get_logger(__name__)

CHECK_S = 1.0
AGAIN_S = 600.0
MOST = 500
"""Sessions asked about at a time."""

_STORED = """
SELECT session_id, max(_offset) AS newest FROM app_sessions
WHERE created_at_ms >= {from_ms:Int64} AND created_at_ms <= {to_ms:Int64}
  AND session_id IN {session_ids:Array(String)}
GROUP BY session_id
"""


def patience(settings: ClickHouseSinkSettings, kafka: KafkaSettings) -> Patience:
    """How long sessions stay on the log. Raises NotConfigured when that is set to less than it takes."""
    least = Patience.least(kafka)
    if settings.archive_after_days is None:
        return least
    after_ms = int(settings.archive_after_days * DAY_MS)
    if after_ms < least.after_ms:
        raise NotConfigured(
            f"RTMS_SINK_CLICKHOUSE_ARCHIVE_AFTER_DAYS is {settings.archive_after_days:g}, but what topics keep may"
            f" concern a session for {least.after_ms / DAY_MS:.1f} days: set it to that or more, or leave it out"
        )
    return Patience(after_ms, max(after_ms, least.deleted_after_ms))


class Archiving:
    """`step` from the sink's loop; it waits for one question to ClickHouse at most."""

    def __init__(
        self, settled: SettledSessions, clickhouse: ClickHouse, producer: Producer, decoder: Decoder, clock: Clock
    ) -> None:
        self._settled, self._clickhouse = settled, clickhouse
        self._producer, self._decoder, self._clock = producer, decoder, clock
        self._next_s = 0.0
        self._said: deque[tuple[float, Sequence[Settled]]] = deque()

    def step(self, partitions: Collection[int]) -> None:
        """Say what is due in these partitions. Raises Fatal."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + CHECK_S
        while self._said and self._said[0][0] <= now_s:
            self._settled.put_back(self._said.popleft()[1])
        taken = self._settled.take(partitions, MOST)
        if taken and self._is_said(taken):
            self._said.append((now_s + AGAIN_S, taken))
        else:
            self._settled.put_back(taken)
        metrics.UNARCHIVED.set(self._settled.waiting())

    def _is_said(self, taken: Sequence[Settled]) -> bool:
        try:
            stored = self._stored(taken)
            for settled in stored:
                self._say(settled)
        except (ClickHouseError, KafkaError) as error:
            if isinstance(error, Fatal):
                raise
            log.warning("not archived yet", sessions=len(taken), error=type(error).__name__)
            return False
        log.info("archived by ClickHouse", sessions=len(stored), not_stored=len(taken) - len(stored))
        return True

    def _stored(self, taken: Sequence[Settled]) -> Sequence[Settled]:
        """Those of which ClickHouse has the very state."""
        created = [settled.created_at_ms for settled in taken]
        parameters = {
            "from_ms": min(created), "to_ms": max(created), "session_ids": [settled.session_id for settled in taken],
        }  # fmt: skip
        rows = self._clickhouse.query(_STORED, parameters, patience_s=0)
        newest = {row["session_id"]: row["newest"] for row in rows}
        return [settled for settled in taken if newest.get(settled.session_id) == settled.offset]

    def _say(self, settled: Settled) -> None:
        fact = SessionFact(
            session_id=settled.session_id, kind=FactKind.ARCHIVED, source=SOURCE, folded_offset=settled.folded_offset
        )
        value = self._decoder.codec.encode(SESSION_FACTS, fact)
        self._producer.send(SESSION_FACTS, settled.session_id.encode(), value, settled.partition)
