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
    (kafka(bootstrap_servers="kafka"), 'bootstrap_servers has "kafka", which is no broker'),
    (kafka(bootstrap_servers="a:9092,kafka://b:9092"), 'has "kafka://b:9092", which is no broker'),
    (kafka(registry_url="registry:8081"), "config.kafka.registry_url is no address"),
    (kafka(registry_url="http://me:secret@registry"), "without a name and password in it"),
    ({"config": {"clickhouse": {"url": "tcp://clickhouse:9000"}}}, "config.clickhouse.url is no address"),
    ({"config": {"transcription": {"openai_base_url": "whisper/v1"}}}, "openai_base_url is no address"),
    ({"config": {"custom_async": {"url": "own:8000"}}}, "config.custom_async.url is no address"),
    ({"config": {"api": {"public_url": "rtms.example.com"}}}, "config.api.public_url is no address"),
    ({"config": {"objects": {"url": "https://minio/bucket"}}}, "config.objects.url is none of s3://"),
    (kafka(**SASL), "set config.kafka.sasl_mechanism"),
    ({"secretRefs": {"kafka": {"sasl_password": {"existingSecret": "s"}}}}, "security_protocol is PLAINTEXT: set it"),
    (kafka(sasl_mechanism="PLAIN", sasl_username="u"), "set config.kafka.security_protocol to SASL_SSL"),
    (kafka(**SASL, sasl_mechanism="SCRAM-SHA-512", sasl_username="u"), "secretRefs.kafka.sasl_password"),
    (kafka(**SASL, sasl_mechanism="PLAIN"), "set config.kafka.sasl_username"),
    (kafka(**SASL, sasl_mechanism="OAUTHBEARER"), "set config.kafka.oauth_token_url"),
    (kafka(replication_factor=1, min_insync_replicas=2), "nothing could ever be written"),
    ({"tls": {"kafka": {"existingSecret": "ca"}}}, "set it to SSL or SASL_SSL"),
    (
        kafka(security_protocol="SSL") | {"tls": {"kafka": {"certificateKey": "c", "privateKeyKey": "k"}}},
        "but no Secret",
    ),
    ({"tls": {"registry": {"existingSecret": "ca"}}}, "config.kafka.registry_url is not https://"),
    ({"tls": {"oauth": {"existingSecret": "ca"}}}, "sasl_mechanism is not OAUTHBEARER"),
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
    ({"config": {"objects": {"account": "a"}}}, "objects.account is for az://"),
    ({"secretRefs": {"objects": {"service_account_key": {"existingSecret": "s"}}}}, "service_account_key is for gs://"),
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
    ({"defaults": {"extraEnv": [{"name": "RTMS_KAFKA_PARTITONS", "value": "8"}]}}, "extraEnv has RTMS_KAFKA_PARTITONS"),
    (
        {"defaults": {"extraEnv": [{"name": "RTMS_LOG_LEVEL", "value": "debug"}]}},
        "RTMS_LOG_LEVEL: settings have their places in config",
    ),
    (workload("api", extraEnv=[{"name": "RTMS_LOG_LEVLE", "value": "debug"}]), "extraEnv has RTMS_LOG_LEVLE"),
    (workload("api", extraEnv=[{"name": "RTMS_KAFKA_SASL_PASSWORD", "value": "s"}]), "extraEnv has RTMS_KAFKA_SASL"),
    (workload("ingest", terminationGracePeriodSeconds=2), "not longer than the 2.5 s that it takes to leave"),
    (
        workload("ingest", terminationGracePeriodSeconds=60) | {"config": {"ingest": {"hand_over_s": 60}}},
        "not longer than the 60 s",
    ),
    (workload("api", preStopSeconds=25), "not longer than the 30 s"),
    (
        workload("api", enabled=False) | {"ingress": {"enabled": True, "host": "a"}},
        "workloads.api is not: there is nothing to lead to",
    ),
    ({"ingress": {"enabled": True}}, "ingress.enabled needs ingress.host"),
    ({"gateway": {"enabled": True}}, "name your Gateway"),
]


@pytest.mark.parametrize(("changes", "remedy"), CONTRADICTIONS, ids=[remedy[:32] for _, remedy in CONTRADICTIONS])
def test_a_contradiction_is_refused_with_what_to_do(changes: dict[str, Any], remedy: str) -> None:
    with pytest.raises(Refused) as refused:
        smallest(**changes)
    assert remedy in str(refused.value)


ON_THE_NODE = [
    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
    {"name": "RTMS_OTEL_ENDPOINT", "value": "http://$(NODE):4318"},
]
ODD_BUT_RIGHT: list[dict[str, Any]] = [
    *(workload("api", resources={"requests": {"cpu": cpu}}) for cpu in (".5", "1.", "+2", "250000u", "5e-1", 1, 0.5)),
    workload("api", resources={"limits": {"memory": None}}),
    workload("api", autoscaling={"enabled": True, "cpuPercent": 150}),
    workload("api", terminationGracePeriodSeconds=6) | {"config": {"api": {"shutdown_grace_s": 0}}},
    workload("api", extraEnv=[{"name": "RTMS_LOG_LEVEL", "value": "debug"}]),
    {"defaults": {"extraEnv": ON_THE_NODE}},
    {"defaults": {"extraEnv": None, "tolerations": None}},
    {"service": {"port": "8080"}},
    {"monitoring": {"serviceMonitor": {"enabled": True, "interval": ""}}},
    kafka(bootstrap_servers="[fd00::1]:9092,\n b:9092", registry_url="http://[fd00::1]:8081/apis/ccompat/v7"),
    {
        "config": {"objects": {"url": "az://media"}},
        "secretRefs": {"objects": {"account": {"existingSecret": "s", "key": "k"}}},
    },
]


@pytest.mark.parametrize("changes", ODD_BUT_RIGHT, ids=str)
def test_what_is_odd_but_right_is_taken(changes: dict[str, Any]) -> None:
    assert smallest(**changes)


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
        ({"config": {"zoom": None}}, "missing property 'zoom'"),
        ({"defaults": {"autoscaling": None}}, "missing property 'autoscaling'"),
        ({"workloads": {"ingest": {"resources": {"requests": {"cpu": "lots"}}}}}, "lots"),
        ({"workloads": {"ingest": {"resources": {"requests": {"memory": "1GB"}}}}}, "1GB"),
        ({"service": {"port": 70000}}, "port"),
        ({"service": {"port": "http"}}, "port"),
        ({"fullnameOverride": "RTMS"}, "fullnameOverride"),
        ({"monitoring": {"serviceMonitor": {"interval": "15"}}}, "interval"),
    ],
)
def test_what_nobody_reads_is_refused_by_its_name(changes: dict[str, Any], culprit: str) -> None:
    with pytest.raises(Refused, match=culprit) as refused:
        smallest(**changes)
    assert "schema" in str(refused.value)
