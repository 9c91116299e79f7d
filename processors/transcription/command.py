"""Starts transcription: `python -m processors transcription`."""

from connectors.host.program import Running
from connectors.host.settings import SecretsSettings
from connectors.kafka.credentials import Credentials
from connectors.kafka.decoder import Decoder
from connectors.kafka.settings import KafkaSettings
from connectors.speech.settings import CustomAsyncSettings
from processors.shell import service
from processors.transcription.afterwards.connecting import afterwards
from processors.transcription.application import TranscriptionApplication
from processors.transcription.configured import accounts_of
from processors.transcription.keys import ProjectKeys
from processors.transcription.settings import TranscriptionSettings


def run(running: Running) -> int:
    """Run until told to stop."""
    of = running.configured.of

    def create(decoder: Decoder) -> TranscriptionApplication:
        keys = ProjectKeys(Credentials(of(KafkaSettings), decoder, of(SecretsSettings).key_ring()))
        url = of(CustomAsyncSettings).url
        settings = of(TranscriptionSettings)
        accounts = accounts_of(settings)
        again = afterwards(running.configured, keys, url, accounts)
        return TranscriptionApplication(settings, keys, url, again, accounts)

    return service.run(running, create)
