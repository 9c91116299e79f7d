"""What transcribing afterwards works with, made of the process's settings."""

import threading
from contextlib import ExitStack

from connectors.host.configuration import Configured
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import TEXT, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from processors.settings import ProcessorsSettings
from processors.shell.following import Following
from processors.shell.outbox import Outbox
from processors.transcription.accounts import Accounts
from processors.transcription.afterwards.asking import Asking
from processors.transcription.afterwards.due import Due
from processors.transcription.afterwards.making import Tools
from processors.transcription.afterwards.service import Afterwards, Connected
from processors.transcription.keys import Keys
from processors.transcription.settings import TranscriptionSettings

GROUP = "transcription-afterwards"
CLOSING_S = 5.0


def afterwards(configured: Configured, keys: Keys, custom_async_url: str, accounts: Accounts) -> Afterwards:
    """Not started yet; `accounts` are those of the meetings, and the keys are started and stopped by whoever else uses
    them. Call it in the loop."""
    settings = configured.of(TranscriptionSettings)
    asking = Asking(settings, keys, custom_async_url, accounts)
    return Afterwards(lambda: _connected(configured, asking), asking, settings.afterwards_sessions)


def _connected(configured: Configured, asking: Asking) -> Connected:
    """What it takes to hear of an order; the rest is opened with the first one. Raises KafkaError."""
    kafka = configured.of(KafkaSettings)
    with ExitStack() as closing:
        decoder = Decoder.from_settings(kafka)
        group = f"{configured.of(ProcessorsSettings).group_prefix}{GROUP}"
        following = Following(kafka, group, decoder, Due())
        closing.callback(following.close)
        later = closing.pop_all()
        return Connected(following, lambda: _tools(configured, decoder, asking, later), later)


def _tools(configured: Configured, decoder: Decoder, asking: Asking, closing: ExitStack) -> Tools:
    kafka, settings = configured.of(KafkaSettings), configured.of(TranscriptionSettings)
    store, scanning = ObjectStore(configured.of(ObjectsSettings)), threading.Lock()
    producer = create_producer(kafka, TEXT)
    closing.callback(producer.close)
    loader = PartitionLoader(kafka, GROUP)
    closing.callback(_close, loader, scanning)
    return Tools(
        store=store,
        outbox=Outbox(producer, decoder.codec),
        loader=loader,
        decoder=decoder,
        recognise=asking.recognise,
        in_flight=settings.afterwards_in_flight,
        scanning=scanning,
    )


def _close(loader: PartitionLoader, scanning: threading.Lock) -> None:
    """Unless a thread still reads: it would be under its feet."""
    if scanning.acquire(timeout=CLOSING_S):
        loader.close()
