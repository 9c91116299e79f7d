"""What a service does first: it waits for the registry and for Kafka, because without them it can do nothing at all."""

from connectors.host.configuration import NotConfigured
from connectors.host.health import Health
from connectors.host.signals import StopSignal
from connectors.host.waiting import Waiting
from connectors.kafka.decoder import REGISTRY, Decoder
from connectors.kafka.errors import KafkaError
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.kafka.registry import load_codec
from connectors.kafka.settings import KafkaSettings
from schemas.topics import SESSION_FACTS

KAFKA = "kafka"
ASK_S = 5.0


def await_registry(settings: KafkaSettings, health: Health, stop: StopSignal) -> Decoder:
    """A decoder with the ids of all schemas, once the registry tells them.

    Raises:
        Stopped: told to stop before.
        NotConfigured: the registry answers, but not with what this release needs; the text names the remedy.
    """
    waiting = Waiting(REGISTRY, health, settings.registry_url)
    try:
        return Decoder(settings, waiting.until_there(lambda: load_codec(settings), stop), waiting)
    except KafkaError as error:
        raise NotConfigured(f"the registry at {settings.registry_url} does not have what is needed: {error}") from error


def await_kafka(settings: KafkaSettings, health: Health, stop: StopSignal) -> Waiting:
    """Return when Kafka says where a topic ends, with what says that Kafka is waited for. Raises Stopped."""
    waiting, offsets = Waiting(KAFKA, health, settings.bootstrap_servers), OffsetDirectory(settings)
    waiting.until_there(lambda: offsets.ends([Place(SESSION_FACTS.name, 0)], ASK_S), stop)
    return waiting
