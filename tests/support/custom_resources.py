"""What we write into resources of other operators, closed: a field that is not here is one that nobody has looked up.

The fields are those of keda.sh/v1alpha1, monitoring.coreos.com/v1, kafka.strimzi.io/v1 and gateway.networking.k8s.io/v1
as their own definitions have them.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft7Validator

from scripts.chart.values_schema import ANY_MAP, COUNT, TEXT, TEXT_MAP, Schema, closed, listed

_SELECTOR = closed({"matchLabels": TEXT_MAP})

_SCALED_OBJECT = closed(
    {
        "scaleTargetRef": closed({"apiVersion": TEXT, "kind": TEXT, "name": TEXT}, ["name"]),
        "minReplicaCount": COUNT,
        "maxReplicaCount": COUNT,
        "pollingInterval": COUNT,
        "cooldownPeriod": COUNT,
        "advanced": closed({"horizontalPodAutoscalerConfig": closed({"behavior": ANY_MAP})}),
        "triggers": listed(
            closed(
                {
                    "type": TEXT,
                    "metricType": {"enum": ["AverageValue", "Value", "Utilization"]},
                    "metadata": TEXT_MAP,
                    "authenticationRef": closed({"name": TEXT}, ["name"]),
                },
                ["type", "metadata"],
            )
        ),
    },
    ["scaleTargetRef", "triggers"],
)

_SERVICE_MONITOR = closed(
    {
        "selector": _SELECTOR,
        "targetLabels": listed(TEXT),
        "endpoints": listed(
            closed({"port": TEXT, "path": TEXT, "interval": {"type": "string", "pattern": "^[0-9]+s$"}})
        ),
    },
    ["selector", "endpoints"],
)

_PROMETHEUS_RULE = closed(
    {
        "groups": listed(
            closed(
                {
                    "name": TEXT,
                    "rules": listed(
                        closed(
                            {
                                "alert": TEXT,
                                "expr": TEXT,
                                "for": {"type": "string", "pattern": "^[0-9]+[smh]$"},
                                "labels": TEXT_MAP,
                                "annotations": TEXT_MAP,
                            },
                            ["alert", "expr"],
                        )
                    ),
                },
                ["name", "rules"],
            )
        )
    },
    ["groups"],
)

_HTTP_ROUTE = closed(
    {
        "parentRefs": listed(closed({"name": TEXT, "namespace": TEXT, "sectionName": TEXT}, ["name"])),
        "hostnames": listed(TEXT),
        "rules": listed(
            closed(
                {
                    "matches": listed(closed({"path": closed({"type": TEXT, "value": TEXT})})),
                    "backendRefs": listed(closed({"name": TEXT, "port": {"type": "integer"}}, ["name"])),
                }
            )
        ),
    }
)

_KAFKA_TOPIC = closed(
    {"topicName": TEXT, "partitions": COUNT, "replicas": COUNT, "config": TEXT_MAP}, ["partitions", "replicas"]
)

_OPERATIONS = ["Read", "Write", "Create", "Describe", "Alter", "Delete", "DescribeConfigs", "AlterConfigs", "All"]
_KAFKA_USER = closed(
    {
        "authentication": closed({"type": {"enum": ["tls", "tls-external", "scram-sha-512"]}}, ["type"]),
        "authorization": closed(
            {
                "type": {"const": "simple"},
                "acls": listed(
                    closed(
                        {
                            "resource": closed(
                                {
                                    "type": {"enum": ["topic", "group", "cluster", "transactionalId"]},
                                    "name": TEXT,
                                    "patternType": {"enum": ["literal", "prefix"]},
                                },
                                ["type"],
                            ),
                            "operations": listed({"enum": _OPERATIONS}),
                        },
                        ["resource"],
                    )
                ),
            },
            ["type", "acls"],
        ),
    }
)

CUSTOM: dict[str, tuple[str, Schema]] = {
    "ScaledObject": ("keda.sh/v1alpha1", _SCALED_OBJECT),
    "ServiceMonitor": ("monitoring.coreos.com/v1", _SERVICE_MONITOR),
    "PrometheusRule": ("monitoring.coreos.com/v1", _PROMETHEUS_RULE),
    "KafkaTopic": ("kafka.strimzi.io/v1", _KAFKA_TOPIC),
    "KafkaUser": ("kafka.strimzi.io/v1", _KAFKA_USER),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", _HTTP_ROUTE),
}


def custom_problems(manifest: dict[str, Any]) -> list[str]:
    """What the resource's definition would refuse."""
    api_version, spec = CUSTOM[manifest["kind"]]
    resource = closed({"apiVersion": {"const": api_version}, "kind": TEXT, "metadata": ANY_MAP, "spec": spec})
    found = Draft7Validator(resource).iter_errors(manifest)
    return [f"{manifest['kind']} {'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]
