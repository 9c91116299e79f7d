"""Kafka's security in the words of Faust and aiokafka."""

import asyncio
import ssl

import faust
from aiokafka.abc import AbstractTokenProvider
from faust.types.auth import CredentialsT

from connectors.kafka.oauth import Tokens
from connectors.kafka.settings import OAUTH, KafkaSettings


class _Provider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return await asyncio.to_thread(self._tokens.current)


def credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """What Faust is to identify itself with; None for a plain connection."""
    context = _context(kafka) if kafka.is_encrypted else None
    if kafka.sasl_mechanism == OAUTH:
        return faust.OAuthCredentials(oauth_cb=_Provider(Tokens(kafka)), ssl_context=context)
    if kafka.is_sasl:
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None


def _context(kafka: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=kafka.ssl_ca_location or None)
    if kafka.ssl_certificate_location:
        password = kafka.ssl_key_password.get_secret_value() or None
        context.load_cert_chain(kafka.ssl_certificate_location, kafka.ssl_key_location, password)
    return context
