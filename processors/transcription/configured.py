"""The engines of this process, as its settings say."""

from connectors.speech.client import SpeechClient
from connectors.speech.custom_async import CustomAsync
from connectors.speech.deepgram import Deepgram
from connectors.speech.deepgram_live import DeepgramLive
from connectors.speech.dictating import DictationClient
from connectors.speech.exchange import Service
from connectors.speech.openai import OpenAI
from processors.transcription.accounts import Accounts
from processors.transcription.chain import Chain, Patience
from processors.transcription.dictated import DictatedEngine
from processors.transcription.dictations import Bounds, Dictations
from processors.transcription.engines import SpeechEngine
from processors.transcription.keys import Keys
from processors.transcription.local import LocalEngine
from processors.transcription.remote import RemoteEngine
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.yielding import Yielding
from schemas.settings import Engine


def accounts_of(settings: TranscriptionSettings) -> Accounts:
    """Those of this process: a key's places are the same ones, whatever they are wanted for."""
    return Accounts(settings.remote_in_flight, settings.remote_waiting // 2)


CONNECTING_S = 5.0


def dictations_of(settings: TranscriptionSettings, keys: Keys) -> Dictations:
    """What a service hears while it is spoken, with the same keys and at the same place as what it hears afterwards."""
    service = DeepgramLive(settings.deepgram_base_url, settings.deepgram_api_key.get_secret_value())
    bounds = Bounds(settings.dictations, settings.dictations_per_project, settings.dictation_limit_s)
    return Dictations(Engine.DEEPGRAM, service, DictationClient(CONNECTING_S), keys, bounds)


def chain_of(
    settings: TranscriptionSettings,
    keys: Keys,
    custom_async_url: str,
    accounts: Accounts | Yielding,
    local: LocalEngine,
    dictations: Dictations | None = None,
) -> Chain:
    """All engines there are; those that were given no credentials say so when they are asked. Of `dictations` the
    service knows the words already."""
    patience = Patience(settings.retry_budget_s, settings.fallback_after_s, settings.retry_delay_s)
    engines: dict[Engine, SpeechEngine] = {Engine.MOONSHINE: local}
    services = _services(settings, custom_async_url)
    # Nobody waits for a connection: whoever has a place with one key would wait for who hangs with another.
    client = SpeechClient(settings.remote_limit_s, settings.remote_in_flight * len(services) + settings.remote_waiting)
    for engine, service in services.items():
        engines[engine] = RemoteEngine(engine, service, client, keys, accounts, delay_s=settings.retry_delay_s)
    if dictations is not None:
        engines[Engine.DEEPGRAM] = DictatedEngine(dictations, engines[Engine.DEEPGRAM])
    return Chain(engines, patience)


def _services(settings: TranscriptionSettings, custom_async_url: str) -> dict[Engine, Service]:
    return {
        Engine.DEEPGRAM: Deepgram(settings.deepgram_base_url, settings.deepgram_api_key.get_secret_value()),
        Engine.OPENAI: OpenAI(settings.openai_base_url, settings.openai_api_key.get_secret_value()),
        Engine.CUSTOM_ASYNC: CustomAsync(custom_async_url),
    }
