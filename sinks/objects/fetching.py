"""Reads many objects one after the other, without waiting a round trip for each."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor


def in_order(keys: Iterable[str], get: Callable[[str], bytes], at_once: int) -> Generator[bytes]:
    """What `get` returns or raises for each key, in order; up to `at_once` calls are under way or wait to be taken.

    Close it where it is not read to its end: that waits for those calls, and makes no others.
    """
    ahead: deque[Future[bytes]] = deque()
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="fetch")
    try:
        for key in keys:
            ahead.append(pool.submit(get, key))
            if len(ahead) == at_once:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
