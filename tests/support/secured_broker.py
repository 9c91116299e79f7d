"""A broker that is reached in every way that production brokers are: TLS, mutual TLS, SCRAM, PLAIN and OAUTHBEARER."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from connectors.kafka.settings import KafkaSettings
from deploy.local.broker.broker import Broker
from deploy.local.ports import free_ports
from tests.support.certificates import Authority
from tests.support.made_before import put_formatted, runtime
from tests.support.processes import PATIENCE_S
from tests.support.stack import running_broker
from tests.support.tokens import AUDIENCE, CLIENT, SECRET, TokenServer

USER, PASSWORD = "rtms", "broker-secret"
_JAAS = "org.apache.kafka.common.security"
# Nobody may do anything that no rule allows, but whoever comes by the plain listener.
_GUARD = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}
WAYS = {
    "tls": "SSL",
    "mtls": "SSL",
    "scram": "SASL_SSL",
    "plain": "SASL_PLAINTEXT",
    "oauth": "SASL_SSL",
}


class SecuredBroker(Broker):
    """The local stack's broker with one more listener for each of WAYS."""

    def __init__(self, folder: Path, tokens: TokenServer, *, guarded: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(folder)
        self._pem = folder / "broker.pem"
        self._pem.write_bytes(b"".join(file.read_bytes() for file in self.authority.issue("broker")))
        self.tokens = tokens
        self._guarded = guarded
        self.ports = dict(zip(WAYS, free_ports(len(WAYS)), strict=True))
        super().__init__(runtime(), folder)

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
            **(_GUARD if self._guarded else {}),
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

    def admin(self) -> AdminClient:
        """Somebody who may do anything."""
        return AdminClient(KafkaSettings(bootstrap_servers=self.bootstrap).admin_config())

    def allow(self, acls: Iterable[Mapping[str, Any]]) -> None:
        """What Strimzi's operator does with the rules of a KafkaUser."""
        rules = [
            AclBinding(
                ResourceType[_snake(rule["resource"]["type"])],
                rule["resource"]["name"],
                ResourcePatternType[{"literal": "LITERAL", "prefix": "PREFIXED"}[rule["resource"]["patternType"]]],
                f"User:{USER}",
                "*",
                AclOperation[_snake(operation)],
                AclPermissionType.ALLOW,
            )
            for rule in acls
            for operation in rule["operations"]
        ]
        admin = self.admin()  # must outlive the answers
        for made in admin.create_acls(rules).values():
            made.result(PATIENCE_S)

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


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", camel).upper()


@contextmanager
def secured_broker(folder: Path, *, guarded: bool = False) -> Iterator[SecuredBroker]:
    """Running, with its SCRAM user, who may do nothing yet when it is guarded; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with TokenServer(folder).serving() as tokens:
        put_formatted(folder)
        with running_broker(SecuredBroker(folder, tokens, guarded=guarded)) as broker:
            admin = broker.admin()
            scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
            added = admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())])
            added[USER].result(PATIENCE_S)
            yield broker
