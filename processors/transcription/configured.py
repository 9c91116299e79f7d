"""The engines of this process, as its settings say."""

from collections.abc import Sequence

from connectors.speech.client import SpeechClient
from connectors.speech.custom_async import CustomAsync
from connectors.speech.deepgram import Deepgram
from connectors.speech.exchange import Service
from connectors.speech.openai import OpenAI
from processors.transcription.accounts import Accounts
from processors.transcription.chain import Chain, Patience
from processors.transcription.child import COMMAND
from processors.transcription.engines import SpeechEngine
from processors.transcription.keys import Keys
from processors.transcription.local import LocalEngine
from processors.transcription.pool import Pool
from processors.transcription.remote import RemoteEngine
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.yielding import Yielding
from schemas.settings import Engine


def accounts_of(settings: TranscriptionSettings) -> Accounts:
    """Those of this process: a key's places are the same ones, whatever they are wanted for."""
    return Accounts(settings.remote_in_flight, settings.remote_waiting // 2)


def chain_of(
    settings: TranscriptionSettings,
    keys: Keys,
    custom_async_url: str,
    accounts: Accounts | Yielding,
    command: Sequence[str] = COMMAND,
) -> Chain:
    """All engines there are; those that were given no credentials say so when they are asked. `command` starts a
    recogniser process."""
    patience = Patience(settings.retry_budget_s, settings.fallback_after_s, settings.retry_delay_s)
    engines: dict[Engine, SpeechEngine] = {Engine.MOONSHINE: LocalEngine(Pool(settings, command))}
    services = _services(settings, custom_async_url)
    # Nobody waits for a connection: whoever has a place with one key would wait for who hangs with another.
    client = SpeechClient(settings.remote_limit_s, settings.remote_in_flight * len(services) + settings.remote_waiting)
    for engine, service in services.items():
        engines[engine] = RemoteEngine(engine, service, client, keys, accounts, delay_s=settings.retry_delay_s)
    return Chain(engines, patience)


def _services(settings: TranscriptionSettings, custom_async_url: str) -> dict[Engine, Service]:
    return {
        Engine.DEEPGRAM: Deepgram(settings.deepgram_base_url, settings.deepgram_api_key.get_secret_value()),
        Engine.OPENAI: OpenAI(settings.openai_base_url, settings.openai_api_key.get_secret_value()),
        Engine.CUSTOM_ASYNC: CustomAsync(custom_async_url),
    }
