"""Resources of other operators, closed: KEDA's and Prometheus' by their own definitions.

Strimzi's and the Gateway API's are in no package that Python can read: of those we have the fields that we write,
looked up by hand in the definitions of kafka.strimzi.io/v1 and gateway.networking.k8s.io/v1; one that is not here is
one that nobody has looked up.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft7Validator

from scripts.chart.values_schema import ANY_MAP, COUNT, TEXT, TEXT_MAP, Schema, closed, listed
from tests.support.operator_definitions import KINDS, definition

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

_LOOKED_UP: dict[str, tuple[str, Schema]] = {
    "KafkaTopic": ("kafka.strimzi.io/v1", _KAFKA_TOPIC),
    "KafkaUser": ("kafka.strimzi.io/v1", _KAFKA_USER),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", _HTTP_ROUTE),
}


CUSTOM = _LOOKED_UP.keys() | KINDS.keys()


def _looked_up(kind: str) -> Schema:
    api_version, spec = _LOOKED_UP[kind]
    return closed({"apiVersion": {"const": api_version}, "kind": TEXT, "metadata": ANY_MAP, "spec": spec})


def custom_problems(manifest: dict[str, Any]) -> list[str]:
    """What the resource's definition would refuse."""
    kind = manifest["kind"]
    found = Draft7Validator(definition(kind) if kind in KINDS else _looked_up(kind)).iter_errors(manifest)
    return [f"{manifest['kind']} {'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]
