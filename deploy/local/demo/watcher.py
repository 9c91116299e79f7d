"""Follows one session on the topics, as any consumer outside the pipeline would: no API, no database.

A thread reads the media topics for the accounts and the output topics for the screen; `Watcher.wait` returns when the
session has ended and everything it wrote has been read.
"""

import threading
from collections.abc import Callable

from connectors.host.clock import Clock
from connectors.kafka.decoder import Decoder
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import Reader
from connectors.kafka.records import Place
from connectors.kafka.records import Record as KafkaRecord
from connectors.kafka.settings import KafkaSettings
from deploy.local.demo.accounting import MediumAccount
from schemas import chat_messages, sessions, topics
from schemas.codec import Undecodable
from schemas.participant_events import CHAT_MESSAGE
from schemas.records import MediaRecord, OutputKind, ParticipantEvent, Record, SessionChange, Utterance

OUTPUT_TOPICS = (topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.SESSION_CHANGES, topics.DEAD_LETTERS)

OnOutput = Callable[[Record, int], None]
"""Called with each item of the session and the time (µs) at which this consumer had it."""


class Watcher:
    """Start it before the session exists; `follow` says which one to count."""

    def __init__(self, kafka: KafkaSettings, clock: Clock, on_output: OnOutput) -> None:
        self._decoder = Decoder.from_settings(kafka)
        self._clock = clock
        self._on_output = on_output
        self._reader = Reader(kafka, "demo")
        places = [
            Place(topic.name, number)
            for topic in (*topics.MEDIA_TOPICS, *OUTPUT_TOPICS)
            for number in range(kafka.partition_count(topic))
        ]
        self._reader.assign(OffsetDirectory(kafka).ends(places))
        self._session_id: str | None = None
        self._early: list[tuple[KafkaRecord, int]] = []
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-watcher", daemon=True)
        self._lock = threading.Lock()
        self.accounts = {topic.name: MediumAccount() for topic in topics.MEDIA_TOPICS}
        self.outputs_doubled = 0
        self.dead_letters = 0
        self.final_state = ""
        self._seen: set[tuple[str, str, int]] = set()

    def start(self) -> None:
        self._thread.start()

    def follow(self, session_id: str) -> None:
        """Count this session; what came before the call is not lost."""
        with self._lock:
            self._session_id = session_id
            for record, now_us in self._early:
                self._take(record, now_us)
            self._early.clear()

    def wait(self, timeout_s: float) -> bool:
        """Whether the session ended, and all its topics with it, in time."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._reader.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            records = self._reader.consume()
            now_us = self._clock.now_us()
            with self._lock:
                for record in records:
                    if self._session_id is None:
                        self._early.append((record, now_us))
                    else:
                        self._take(record, now_us)
                if self.final_state and all(account.ended for account in self.accounts.values()):
                    self._over.set()

    def _take(self, record: KafkaRecord, now_us: int) -> None:
        topic = topics.BY_NAME[record.topic]
        if topic is topics.DEAD_LETTERS:
            self.dead_letters += 1
            return
        key = (record.key or b"").decode(errors="replace")
        if record.value is None or not key.startswith(self._session_id or ""):
            return
        try:
            value = self._decoder.decode(topic, record.value)
        except Undecodable:
            self.dead_letters += 1
            return
        if isinstance(value, MediaRecord):
            self.accounts[record.topic].feed(value, now_us)
        else:
            self._take_output(value, now_us)

    def _take_output(self, value: Record, now_us: int) -> None:
        """Outputs may be repeated after a crash, with the same id and content: shown once, counted."""
        if isinstance(value, Utterance) and value.kind is OutputKind.ITEM:
            identity = ("utterance", value.utterance_id, value.revision)
        elif isinstance(value, ParticipantEvent) and value.kind is OutputKind.ITEM:
            if value.event == CHAT_MESSAGE and chat_messages.is_emptied(chat_messages.readable(value.details)):
                return  # stands in the place of one that was told already
            identity = ("event", value.event_id, 0)
        elif isinstance(value, SessionChange):
            identity = ("change", value.session_id, value.sequence)
            if value.change.new_state in sessions.TERMINAL:
                self.final_state = value.change.new_state
        else:
            return
        if identity in self._seen:
            self.outputs_doubled += 1
            return
        self._seen.add(identity)
        self._on_output(value, now_us)
