"""values.schema.json: what may stand in the chart's values, made from the settings classes and a little of its own.

Everything is closed: a key that nobody reads is an error of whoever wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scripts.chart.catalogue import Group, Setting

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
ANY_MAP: Schema = {"type": "object"}
TEXT_MAP: Schema = {"type": "object", "additionalProperties": TEXT}
PORT: Schema = {"type": ["integer", "string"]}
NAME: Schema = {"type": "string", "pattern": "^([a-z]([-a-z0-9]*[a-z0-9])?)?$"}
_QUANTITY = r"^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$"
QUANTITY: Schema = {"type": ["number", "string"], "pattern": _QUANTITY}
_NULL: Schema = {"type": "null"}
COUNT: Schema = {"type": "integer", "minimum": 1}


def closed(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
        **({"required": list(required)} if required else {}),
    }


def listed(items: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items}


SECRET_REF = closed({"existingSecret": TEXT, "key": {"type": "string", "minLength": 1}})

_POD: dict[str, Schema] = {
    "enabled": FLAG,
    "replicas": COUNT,
    "resources": closed(dict.fromkeys(("requests", "limits"), {"type": "object", "additionalProperties": QUANTITY})),
    "terminationGracePeriodSeconds": COUNT,
    "preStopSeconds": {"type": "integer", "minimum": 0},
    "spread": FLAG,
    "autoscaling": closed(
        {
            "enabled": FLAG,
            "minReplicas": COUNT,
            "maxReplicas": COUNT,
            "threshold": COUNT,
            "cpuPercent": COUNT,  # of what is requested, so it may be more than a hundred
            "scaleDownMovesMeetings": FLAG,
        }
    ),
    "serviceAccountAnnotations": TEXT_MAP,
    "podAnnotations": TEXT_MAP,
    "podLabels": TEXT_MAP,
    "priorityClassName": TEXT,
    "nodeSelector": TEXT_MAP,
    "tolerations": listed(ANY_MAP),
    "affinity": ANY_MAP,
    "extraEnv": listed(closed({"name": TEXT, "value": TEXT, "valueFrom": ANY_MAP}, ["name"])),
    "extraVolumes": listed(ANY_MAP),
    "extraVolumeMounts": listed(ANY_MAP),
}

_PORT_NUMBER: Schema = {"type": ["integer", "string"], "minimum": 1, "maximum": 65535, "pattern": "^[1-9][0-9]{0,4}$"}
_PEERS = listed(ANY_MAP)
_EGRESS = closed({"to": _PEERS, "ports": listed(PORT)})
_DURATION: Schema = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))*$"}
_CA = {"existingSecret": TEXT, "caKey": TEXT}

_OWN: dict[str, Schema] = {
    "global": ANY_MAP,
    "nameOverride": NAME,
    "fullnameOverride": NAME,
    "image": closed(
        {
            "repository": {"type": "string", "minLength": 1},
            "tag": TEXT,
            "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
            "pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
            "pullSecrets": listed(closed({"name": TEXT}, ["name"])),
        }
    ),
    "tls": closed(
        {
            "kafka": closed(_CA | {"certificateKey": TEXT, "privateKeyKey": TEXT}),
            "registry": closed(_CA),
            "oauth": closed(_CA),
            "clickhouse": closed(_CA),
            "objects": closed(_CA),
        }
    ),
    "objectsVolume": closed({"existingClaim": TEXT}),
    "scratchVolume": {"type": "object", "maxProperties": 1},
    "defaults": closed(_POD),
    "setup": closed(_POD | {"backoffLimit": {"type": "integer", "minimum": 0}, "activeDeadlineSeconds": COUNT}),
    "autoscaler": closed({"kind": {"enum": ["keda", "hpa"]}, "prometheusAddress": TEXT, "kafkaAuthentication": TEXT}),
    "service": closed({"type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]}, "port": _PORT_NUMBER}),
    "ingress": closed({"enabled": FLAG, "className": TEXT, "host": TEXT, "tlsSecret": TEXT, "annotations": TEXT_MAP}),
    "gateway": closed({"enabled": FLAG, "parentRefs": listed(ANY_MAP), "hostnames": listed(TEXT)}),
    "strimzi": closed({"cluster": TEXT, "topics": FLAG, "user": FLAG}),
    "monitoring": closed(
        {
            "serviceMonitor": closed({"enabled": FLAG, "interval": _DURATION, "labels": TEXT_MAP}),
            "alerts": closed({"enabled": FLAG, "labels": TEXT_MAP}),
            "dashboards": closed({"enabled": FLAG, "labels": TEXT_MAP}),
        }
    ),
}


def document(groups: Sequence[Group], table: Mapping[str, Any], fixed: set[str], values: Mapping[str, Any]) -> str:
    """The whole file. `table` is files/workloads.yaml, `values` the chart's own; `fixed` are the variables that the
    chart gives by itself."""
    running = [name for name, facts in table.items() if "args" in facts]
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rtms-pipeline",
        "description": "Made by `make made` from the settings classes.",
        **closed(
            _OWN
            | {
                "config": closed({group.name: _config(group, fixed) for group in groups}),
                "secretRefs": closed({group.name: _secrets(group, fixed) for group in groups}),
                "workloads": closed(dict.fromkeys(running, closed(_POD))),
                "networkPolicy": _network({target for facts in table.values() for target in facts["egress"]}),
            }
        ),
    }
    own = {**values, "workloads": dict.fromkeys(values["workloads"], {})}  # what they lack, the defaults have
    return json.dumps(_with_sections(schema, own), indent=1, sort_keys=True) + "\n"


def _with_sections(schema: Schema, values: Mapping[str, Any]) -> Schema:
    """Templates look into every section that the chart's values have, which a null would take away."""
    properties = schema.get("properties", {})
    sections = {
        name: _with_sections(properties[name], inner)
        for name, inner in values.items()
        if isinstance(inner, dict) and properties[name].get("additionalProperties") is False
    }
    return {**schema, "properties": properties | sections, "required": sorted(sections)} if sections else schema


def _network(targets: Iterable[str]) -> Schema:
    return closed(
        {
            "enabled": FLAG,
            "metricsFrom": _PEERS,
            "requestsFrom": _PEERS,
            "egress": closed(dict.fromkeys(targets, _EGRESS)),
            "extraEgress": listed(ANY_MAP),
        }
    )


def _config(group: Group, fixed: set[str]) -> Schema:
    return closed(
        {
            setting.name: _value(setting)
            for setting in group.settings
            if not setting.is_secret and setting.variable not in fixed
        }
    )


def _secrets(group: Group, fixed: set[str]) -> Schema:
    return closed({setting.name: SECRET_REF for setting in group.settings if setting.variable not in fixed})


def _value(setting: Setting) -> Schema:
    """Empty means "to be said" for addresses, and null is "not said" everywhere."""
    kept = {key: value for key, value in setting.schema.items() if key not in ("description", "format")}
    if "anyOf" in kept:
        kept["anyOf"] = [*(one for one in kept["anyOf"] if one != _NULL), _NULL]
    else:
        kept["type"] = [kept["type"], "null"]
    if "enum" in kept:
        kept["enum"] = [*kept["enum"], None]
    return kept | ({"description": setting.description} if setting.description else {})
