"""A broker that is reached in every way that production brokers are: TLS, mutual TLS, SCRAM, PLAIN and OAUTHBEARER."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from connectors.kafka.settings import KafkaSettings
from deploy.local.broker.broker import Broker, find_runtime
from deploy.local.ports import free_ports
from deploy.local.settings import LocalSettings
from tests.support.certificates import Authority
from tests.support.tokens import AUDIENCE, CLIENT, SECRET, TokenServer

USER, PASSWORD = "rtms", "broker-secret"
_JAAS = "org.apache.kafka.common.security"
WAYS = {
    "tls": "SSL",
    "mtls": "SSL",
    "scram": "SASL_SSL",
    "plain": "SASL_PLAINTEXT",
    "oauth": "SASL_SSL",
}


class SecuredBroker(Broker):
    """The local stack's broker with one more listener for each of WAYS."""

    def __init__(self, folder: Path, tokens: TokenServer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(folder)
        self._pem = folder / "broker.pem"
        self._pem.write_bytes(b"".join(file.read_bytes() for file in self.authority.issue("broker")))
        self.tokens = tokens
        self.ports = dict(zip(WAYS, free_ports(len(WAYS)), strict=True))
        super().__init__(find_runtime(LocalSettings()), folder)

    def prepare(self) -> None:
        super().prepare()
        plain = f"PLAINTEXT://{self.bootstrap}"
        added = ",".join(f"{way.upper()}://127.0.0.1:{port}" for way, port in self.ports.items())
        controller = f"CONTROLLER://127.0.0.1:{self._listeners.controller}"
        protocols = ",".join(f"{way.upper()}:{protocol}" for way, protocol in WAYS.items())
        settings = {
            "listeners": f"{plain},{added},{controller}",
            "advertised.listeners": f"{plain},{added}",
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,{protocols}",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._pem,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.authority.file,
            "listener.name.mtls.ssl.client.auth": "required",
            **self._sasl(),
        }
        with self._properties.open("a") as file:  # the last of two equal names counts
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def _sasl(self) -> dict[str, object]:
        oauth = "listener.name.oauth"
        validator = f"{_JAAS}.oauthbearer.OAuthBearerValidatorCallbackHandler"
        user = f'{_JAAS}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
        return {
            "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
            "listener.name.plain.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.plain.plain.sasl.jaas.config": user,
            f"{oauth}.sasl.enabled.mechanisms": "OAUTHBEARER",
            f"{oauth}.oauthbearer.sasl.server.callback.handler.class": validator,
            f"{oauth}.oauthbearer.sasl.jaas.config": f"{_JAAS}.oauthbearer.OAuthBearerLoginModule required;",
            f"{oauth}.sasl.oauthbearer.jwks.endpoint.url": self.tokens.jwks.as_uri(),
            f"{oauth}.sasl.oauthbearer.expected.audience": AUDIENCE,
        }

    def _command(self, *arguments: str) -> list[str]:
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.tokens.jwks.as_uri()}"
        return super()._command(allowed, *arguments)

    def settings(self, way: str) -> dict[str, str]:
        """What a client that comes this way is told, in the words of KafkaSettings."""
        certificate, key = self.authority.issue("client")
        told = {"bootstrap_servers": f"127.0.0.1:{self.ports[way]}", "security_protocol": WAYS[way]}
        if WAYS[way].endswith("SSL"):
            told["ssl_ca_location"] = str(self.authority.file)
        user = {"sasl_username": USER, "sasl_password": PASSWORD}
        oauth = {
            "oauth_token_url": self.tokens.url,
            "oauth_client_id": CLIENT,
            "oauth_client_secret": SECRET,
            "oauth_scope": "kafka",
        }
        return (
            told
            | {
                "tls": {},
                "mtls": {"ssl_certificate_location": str(certificate), "ssl_key_location": str(key)},
                "scram": {"sasl_mechanism": "SCRAM-SHA-512"} | user,
                "plain": {"sasl_mechanism": "PLAIN"} | user,
                "oauth": {"sasl_mechanism": "OAUTHBEARER"} | oauth,
            }[way]
        )


@contextmanager
def secured_broker(folder: Path) -> Iterator[SecuredBroker]:
    """Running, with its SCRAM user; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with TokenServer(folder).serving() as tokens:
        broker = SecuredBroker(folder, tokens)
        broker.start()
        try:
            admin = AdminClient(KafkaSettings(bootstrap_servers=broker.bootstrap).admin_config())
            scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
            added = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())])
            added[USER].result(30)
            yield broker
        finally:
            broker.stop()
