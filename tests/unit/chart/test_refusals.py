"""Values that cannot work never reach a cluster; whoever wrote them reads what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chart import Refused, render, smallest

SASL = {"security_protocol": "SASL_SSL"}


def kafka(**settings: Any) -> dict[str, Any]:
    return {"config": {"kafka": settings}}


def workload(name: str, **values: Any) -> dict[str, Any]:
    return {"workloads": {name: values}}


def scaled(name: str, **values: Any) -> dict[str, Any]:
    return workload(name, enabled=True, autoscaling={"enabled": True, **values})


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    (kafka(bootstrap_servers=""), "name your brokers"),
    (kafka(registry_url=""), "name your schema registry"),
    ({"config": {"clickhouse": {"url": ""}}}, "name ClickHouse's HTTP interface"),
    ({"config": {"objects": {"url": ""}}}, "name your bucket"),
    ({"secretRefs": {"secrets": {"keys": {"existingSecret": ""}}}}, "secretRefs.secrets.keys.existingSecret is empty"),
    ({"secretRefs": {"api": {"admin_token": {"existingSecret": ""}}}}, "opens the control plane"),
    (kafka(**SASL), "set config.kafka.sasl_mechanism"),
    (kafka(sasl_mechanism="PLAIN", sasl_username="u"), "set config.kafka.security_protocol to SASL_SSL"),
    (kafka(**SASL, sasl_mechanism="SCRAM-SHA-512", sasl_username="u"), "secretRefs.kafka.sasl_password"),
    (kafka(**SASL, sasl_mechanism="PLAIN"), "set config.kafka.sasl_username"),
    (kafka(**SASL, sasl_mechanism="OAUTHBEARER"), "set config.kafka.oauth_token_url"),
    (kafka(replication_factor=1, min_insync_replicas=2), "nothing could ever be written"),
    ({"tls": {"kafka": {"existingSecret": "ca"}}}, "set it to SSL or SASL_SSL"),
    ({"tls": {"clickhouse": {"existingSecret": "ca"}}}, "config.clickhouse.url is not https://"),
    ({"tls": {"objects": {"existingSecret": "ca"}}}, "config.objects.endpoint is not https://"),
    (
        kafka(security_protocol="SSL") | {"tls": {"kafka": {"existingSecret": "c", "certificateKey": "c"}}},
        "privateKeyKey",
    ),
    ({"config": {"objects": {"url": "file:///objects"}}}, "objectsVolume.existingClaim"),
    ({"config": {"objects": {"url": "file:///objects"}}}, "secretRefs.objects.signing_key"),
    ({"objectsVolume": {"existingClaim": "c"}}, "is a bucket: remove one of them"),
    ({"config": {"objects": {"url": "az://media"}}}, "name the storage account that holds it"),
    ({"config": {"objects": {"access_key_id": "a"}}}, "or neither for the pod's own identity"),
    (
        {
            "config": {"kafka": {"sasl_username": "a"}},
            "secretRefs": {"kafka": {"sasl_username": {"existingSecret": "s", "key": "k"}}},
        },
        "both say what it is: keep one",
    ),
    (workload("processor-composing", enabled=True), "set both or neither"),
    ({"config": {"api": {"composed_views": True}}}, "set both or neither"),
    (kafka(partitions=2) | workload("processor-muxing", replicas=3), "the rest would idle"),
    (scaled("sink-objects", maxReplicas=65), "autoscaling.maxReplicas is more than config.kafka.partitions (64)"),
    (scaled("sink-objects", minReplicas=5, maxReplicas=4), "minReplicas is more than maxReplicas"),
    (scaled("ingest"), "ingest scales on rtms_ingest_sessions"),
    (
        scaled("processor-composing") | {"config": {"api": {"composed_views": True}}},
        "processor-composing scales on rtms_composing_under_way",
    ),
    (
        scaled("sink-objects")
        | kafka(**SASL, sasl_mechanism="PLAIN", sasl_username="u")
        | {"secretRefs": {"kafka": {"sasl_password": {"existingSecret": "s"}}}},
        "autoscaler.kafkaAuthentication",
    ),
    ({"strimzi": {"topics": True}}, "name the Kafka resource"),
    ({"strimzi": {"user": True, "cluster": "c"}}, "strimzi.user needs SCRAM-SHA-512"),
    ({"ingress": {"enabled": True}}, "ingress.enabled needs ingress.host"),
    ({"gateway": {"enabled": True}}, "name your Gateway"),
]


@pytest.mark.parametrize(("changes", "remedy"), CONTRADICTIONS, ids=[remedy[:32] for _, remedy in CONTRADICTIONS])
def test_a_contradiction_is_refused_with_what_to_do(changes: dict[str, Any], remedy: str) -> None:
    with pytest.raises(Refused) as refused:
        smallest(**changes)
    assert remedy in str(refused.value)


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(Refused) as refused:
        render()
    assert str(refused.value).count("\n  - ") == 6


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"config": {"kafka": {"partitons": 8}}}, "partitons"),
        ({"config": {"kafka": {"partitions": "eight"}}}, "partitions"),
        ({"config": {"kafka": {"partitions": 0}}}, "partitions"),
        ({"config": {"kafka": {"sasl_mechanism": "GSSAPI"}}}, "sasl_mechanism"),
        ({"config": {"kafka": {"sasl_password": "written down"}}}, "sasl_password"),
        ({"config": {"health": {"port": 1}}}, "port"),
        ({"config": {"kafkas": {}}}, "kafkas"),
        ({"secretRefs": {"kafka": {"sasl_pasword": {"existingSecret": "s"}}}}, "sasl_pasword"),
        ({"secretRefs": {"kafka": {"sasl_password": {"value": "s"}}}}, "value"),
        ({"workloads": {"injest": {}}}, "injest"),
        ({"workloads": {"ingest": {"replica": 2}}}, "replica"),
        ({"workloads": {"ingest": {"replicas": 0}}}, "replicas"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"persistence": {}}, "persistence"),
    ],
)
def test_what_nobody_reads_is_refused_by_its_name(changes: dict[str, Any], culprit: str) -> None:
    with pytest.raises(Refused, match=culprit) as refused:
        smallest(**changes)
    assert "schema" in str(refused.value)
