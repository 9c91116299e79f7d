"""What a session has read from Zoom and Kafka has not taken yet, within a budget of bytes.

Pure. The reader must never stop, so when Kafka is away long enough something has to go: share before video before
audio, pictures in whole groups (a group without its key frame shows nothing), the oldest first. Text goes last: it is
next to nothing, unless somebody floods us with it. Control records are never dropped: without them nobody could tell
what is missing, and they are ours to make few of. Whoever puts a record in is told what had to go for it.
"""

from collections import deque
from collections.abc import Container

import msgspec

from schemas import topics
from schemas.topics import Topic

_PICTURES = (topics.SHARE, topics.VIDEO)
_ONE_BY_ONE = (topics.AUDIO, topics.CAPTIONS, topics.CHAT, topics.EVENTS)
_SENDING_ORDER = (topics.EVENTS, topics.CAPTIONS, topics.CHAT, topics.AUDIO, topics.VIDEO, topics.SHARE)


BESIDE_BYTES = 170
"""What a record takes beside its value: of chunks of a few bytes, more than these."""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One encoded record; `is_frame` is false for control records, `key_frame` opens a group of pictures. The
    participant is that of a frame.

    A Struct because these are made thousands of times a second.
    """

    topic: Topic
    value: bytes
    timestamp_ms: int
    is_frame: bool = True
    key_frame: bool = False
    participant_id: int = 0


class Outbox:
    """Order holds within a topic; between topics there is none to keep."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._queues: dict[str, deque[Outgoing]] = {topic.name: deque() for topic in _SENDING_ORDER}
        self._broken: set[str] = set()
        self._dropped: list[Outgoing] = []
        self.bytes = 0

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    @property
    def is_clear(self) -> bool:
        """Whether `put` and `pop` would hand a record through: nothing waits, and no group is being dropped."""
        return not self.bytes and not self._broken

    def is_clear_but_for(self, held: Container[str]) -> bool:
        """Whether they would hand one of any other topic through while these are held."""
        return self.first(held) is None and all(name in held for name in self._broken)

    def put(self, item: Outgoing) -> list[Outgoing]:
        """Take one record in; the answer is the frames that have to go for it, itself perhaps among them."""
        if self._belongs_to_a_dropped_group(item):
            return [item]
        self._queues[item.topic.name].append(item)
        self.bytes += _size(item)
        while self.bytes > self._budget_bytes and self._drop_something():
            pass
        dropped, self._dropped = self._dropped, []
        return dropped

    def first(self, held: Container[str] = ()) -> Outgoing | None:
        """The record to send next, of no topic whose name is held; `pop` its topic once the producer has it."""
        return next((queue[0] for name, queue in self._queues.items() if queue and name not in held), None)

    def pop(self, topic: Topic) -> None:
        self.bytes -= _size(self._queues[topic.name].popleft())

    def _belongs_to_a_dropped_group(self, item: Outgoing) -> bool:
        if item.topic.name not in self._broken or not item.is_frame:
            return False
        if item.key_frame:
            self._broken.discard(item.topic.name)
            return False
        return True

    def _drop_something(self) -> bool:
        """The next in the order in which topics are the least missed; False when only control records are left."""
        return any(map(self._drop_group, _PICTURES)) or any(map(self._drop_oldest, _ONE_BY_ONE))

    def _drop_group(self, topic: Topic) -> bool:
        """The oldest group of pictures; when it is still growing, what comes of it later is dropped as well."""
        queue = self._queues[topic.name]
        frames = [index for index, item in enumerate(queue) if item.is_frame]
        if not frames:
            return False
        end = next((index for index in frames[1:] if queue[index].key_frame), None)
        if end is None:
            self._broken.add(topic.name)
        self._remove(queue, frames[0], len(queue) if end is None else end)
        return True

    def _drop_oldest(self, topic: Topic) -> bool:
        queue = self._queues[topic.name]
        index = next((index for index, item in enumerate(queue) if item.is_frame), None)
        if index is None:
            return False
        self._remove(queue, index, index + 1)
        return True

    def _remove(self, queue: deque[Outgoing], start: int, end: int) -> None:
        queue.rotate(-start)
        kept: list[Outgoing] = []
        for _ in range(end - start):
            item = queue.popleft()
            if item.is_frame:
                self.bytes -= _size(item)
                self._dropped.append(item)
            else:
                kept.append(item)
        queue.extendleft(reversed(kept))
        queue.rotate(start)


def _size(item: Outgoing) -> int:
    return len(item.value) + BESIDE_BYTES
