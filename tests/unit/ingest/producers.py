"""What a publisher sends through, without Kafka: the test says what becomes of the records."""

from collections import deque

from connectors.kafka.errors import QueueFull


class FakeAccount:
    """`connectors.kafka.producer.Account` as far as a publisher knows it."""

    def __init__(self, producer, topic):
        self._producer, self._topic = producer, topic
        self.sent = self.settled = 0
        self.refused = deque()

    def send(self, key, value, partition):
        self._producer.take(self, self._topic, value)
        self._producer.keys.append(key)
        self.sent += 1

    def settle(self, value, *, refused):
        if refused:
            self.refused.append(value)
        self.settled += 1


class FakeProducer:
    """Keeps what it is given, as (account, topic, value), until the test settles it; see `room`."""

    def __init__(self, room=None):
        self.room, self.sent = room, []
        """How many records it takes before it is full; None: any number."""

        self.keys = []
        """Of everything it was ever given."""

    def account(self, topic):
        return FakeAccount(self, topic)

    def take(self, account, topic, value):
        if self.room is not None:
            if not self.room:
                raise QueueFull("full", code="_QUEUE_FULL")
            self.room -= 1
        self.sent.append((account, topic, value))

    def settle(self, *, refused=False):
        """Say of everything sent since the last time that brokers took it, or did not; the (topic, value) of it."""
        sent, self.sent = self.sent, []
        for account, _, value in sent:
            account.settle(value, refused=refused)
        return [(topic, value) for _, topic, value in sent]


class TakingProducer(FakeProducer):
    """Whatever it is given is taken at once."""

    def take(self, account, topic, value):
        super().take(account, topic, value)
        account.settle(value, refused=False)
