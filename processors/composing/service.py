"""Draws what is due, a few recordings at a time, each in a thread; the loop itself only follows sessions' states.

Nothing is kept of what is under way: what is to be made stands in the states, what is made in the store.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from connectors.host.backoff import delays_s
from connectors.host.clock import Clock
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.program import Leave
from connectors.kafka.errors import Fatal, KafkaError
from connectors.objects.errors import ObjectsError
from processors.composing import metrics
from processors.composing.due import Order
from processors.composing.making import Abandoned, Making
from processors.composing.turns import Turns
from processors.shell.faults import raised_at
from processors.shell.following import Following

log = get_logger(__name__)

GROUP = "composing"
INTERNAL_ERROR = "internal_error"
LONGEST_PAUSE_S = 60.0


@dataclass(slots=True)
class _Trying:
    """How far it is with an order; `running` gives whether all is said of it."""

    order: Order
    making: Making
    running: "Future[bool] | None" = None
    next_s: float = 0.0
    is_settled: bool = False
    is_left_off: bool = False
    pauses_s: Iterator[float] = field(default_factory=lambda: delays_s(longest_s=LONGEST_PAUSE_S))


class Composing:
    """Call `step` until it is time to stop, then `close`. `make` gives an order's work, not begun."""

    def __init__(
        self, following: Following[Order], make: Callable[[Order], Making], sessions: int, health: Health, clock: Clock
    ) -> None:
        self._following, self._make, self._sessions = following, make, sessions
        self._health, self._clock = health, clock
        self._threads = ThreadPoolExecutor(sessions, thread_name_prefix="composing")
        self._trying: dict[str, _Trying] = {}
        metrics.PLACES.set(sessions)
        self._turns = Turns()

    def step(self) -> None:
        """One round. Raises Leave: begin anew as another process."""
        try:
            orders = {order.session_id: order for order in self._following.step()}
        except KafkaError as error:
            raise Leave(str(error)) from error
        metrics.UNDER_WAY.set(len(orders))
        self._settle(orders)
        self._begin([order for order in orders.values() if self._is_waiting(order)])
        self._health.beat()

    def close(self) -> None:
        """Leave off what is under way: a successor goes on with it."""
        for trying in self._trying.values():
            trying.making.leave_off()
        self._threads.shutdown(cancel_futures=True)

    def _is_waiting(self, order: Order) -> bool:
        """Whether a try may begin now."""
        trying = self._trying.get(order.session_id)
        if trying is None:
            trying = self._trying[order.session_id] = _Trying(order, self._make(order))
        return trying.running is None and not trying.is_settled and trying.next_s <= self._clock.monotonic()

    def _begin(self, waiting: list[Order]) -> None:
        """As many of these as there is room for."""
        drawn = Counter(trying.order.project_id for trying in self._trying.values() if trying.running is not None)
        while waiting and drawn.total() < self._sessions:
            order = self._turns.take(waiting, drawn)
            waiting.remove(order)
            drawn[order.project_id] += 1
            trying = self._trying[order.session_id]
            trying.running = self._threads.submit(_attempted, trying.making)

    def _settle(self, due: Mapping[str, Order]) -> None:
        """Take note of what the threads have done, and leave off what nobody wants here, or not so, any more."""
        for session_id, trying in list(self._trying.items()):
            if trying.order != due.get(session_id):
                trying.is_left_off = True
                trying.making.leave_off()
            if trying.running is not None and trying.running.done():
                trying.is_settled = trying.running.result()
                trying.running, trying.next_s = None, self._clock.monotonic() + next(trying.pauses_s)
            if trying.running is None and trying.is_left_off:
                del self._trying[session_id]  # what comes back meanwhile begins anew


def _attempted(making: Making) -> bool:
    """Whether all is said of a recording now; false: try again later, if it is still wanted. Raises Fatal."""
    try:
        _once(making)
    except Fatal:
        raise
    except Abandoned:
        return False
    except (KafkaError, ObjectsError) as error:
        metrics.RETRIES.inc()
        log.warning("recording not composed, beginning again", error=type(error).__name__)
        return False
    return True


def _once(making: Making) -> None:
    try:
        making.run()
    except (KafkaError, ObjectsError, Abandoned):
        raise
    except Exception as error:  # noqa: BLE001  whatever one recording's pictures find must not stop the others
        log.error("composing broke", error=type(error).__name__, at=raised_at(error))
        making.fail(INTERNAL_ERROR)
