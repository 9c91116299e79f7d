"""Kafka settings come from the environment and keep the counts consistent."""

import pytest
from pydantic import ValidationError

from connectors.kafka.settings import KafkaSettings
from schemas.topics import APP_SESSIONS, AUDIO, DEAD_LETTERS


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTMS_KAFKA_BOOTSTRAP_SERVERS", "broker:9093")
    monkeypatch.setenv("RTMS_KAFKA_PARTITIONS", "8")
    settings = KafkaSettings()
    assert settings.client_config()["bootstrap.servers"] == "broker:9093"
    assert settings.partition_count(AUDIO) == settings.partition_count(APP_SESSIONS) == 8
    assert settings.partition_count(DEAD_LETTERS) == 1


@pytest.mark.parametrize(("replicas", "insync"), [(1, 1), (2, 1), (3, 2)])
def test_one_replica_may_be_away(replicas: int, insync: int) -> None:
    assert KafkaSettings(replication_factor=replicas).insync_replicas() == insync


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValidationError):
        KafkaSettings(partitions=0)
    with pytest.raises(ValidationError):
        KafkaSettings(group_protocol="eager")  # type: ignore[arg-type]


def test_sasl_reaches_the_client_and_stays_out_of_repr() -> None:
    settings = KafkaSettings(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="u", sasl_password="pa55"
    )  # type: ignore[arg-type]
    assert settings.client_config()["sasl.password"] == "pa55"
    assert "pa55" not in repr(settings)


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        ({"min_insync_replicas": 2}, "lower it"),
        ({"security_protocol": "SASL_SSL"}, "SASL_MECHANISM is not set"),
        ({"sasl_mechanism": "PLAIN", "sasl_username": "u"}, "set RTMS_KAFKA_SECURITY_PROTOCOL"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512"}, "SASL_USERNAME"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER"}, "OAUTH_TOKEN_URL"),
        ({"security_protocol": "SSL", "ssl_certificate_location": __file__}, "SSL_KEY_LOCATION"),
        ({"ssl_ca_location": __file__}, "SSL or SASL_SSL"),
    ],
)
def test_contradictions_are_refused_with_their_remedy(told: dict[str, object], remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy):
        KafkaSettings(**told)  # type: ignore[arg-type]
