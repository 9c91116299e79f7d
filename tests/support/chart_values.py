"""Values that the chart is rendered with."""

from __future__ import annotations

from typing import Any

from tests.support.chart import SMALLEST, merged

SCALED: dict[str, Any] = {
    "defaults": {"autoscaling": {"enabled": True}},
    "autoscaler": {"prometheusAddress": "http://prometheus:9090"},
    "gateway": {"enabled": True, "parentRefs": [{"name": "public"}]},
    "ingress": {"enabled": True, "host": "rtms.example.com"},
    "monitoring": {name: {"enabled": True} for name in ("serviceMonitor", "alerts", "dashboards")},
}
EVERYTHING: dict[str, Any] = {
    "config": {"api": {"composed_views": True}},
    "workloads": {"processor-composing": {"enabled": True}},
}
"""What is off unless somebody wants it."""

MATRIX = {
    "smallest": SMALLEST,
    "everything": merged(SMALLEST, EVERYTHING),
    "keda": merged(SMALLEST, SCALED),
    "hpa": merged(merged(SMALLEST, SCALED), {"autoscaler": {"kind": "hpa"}}),
    "strimzi": merged(
        SMALLEST,
        {
            "config": {"kafka": {"security_protocol": "SSL"}},
            "tls": {"kafka": {"existingSecret": "user", "certificateKey": "user.crt", "privateKeyKey": "user.key"}},
            "strimzi": {"cluster": "events", "topics": True, "user": True},
        },
    ),
    "authorities": merged(
        SMALLEST,
        {
            "config": {"clickhouse": {"url": "https://clickhouse"}, "objects": {"endpoint": "https://objects"}},
            "tls": {"clickhouse": {"existingSecret": "authority"}, "objects": {"existingSecret": "authority"}},
        },
    ),
    "open": merged(SMALLEST, {"networkPolicy": {"enabled": False}, "defaults": {"spread": False}}),
    "oauth": merged(
        SMALLEST,
        {
            "config": {
                "kafka": {
                    "registry_url": "https://registry:8081",
                    "security_protocol": "SASL_SSL",
                    "sasl_mechanism": "OAUTHBEARER",
                    "oauth_token_url": "https://id.example.com/token",
                    "oauth_client_id": "rtms",
                }
            },
            "secretRefs": {"kafka": {"oauth_client_secret": {"existingSecret": "rtms-kafka"}}},
            "tls": {"oauth": {"existingSecret": "id-ca"}, "registry": {"existingSecret": "registry-ca"}},
        },
    ),
    "azure": merged(
        SMALLEST,
        {
            "config": {"objects": {"url": "az://media/rtms", "account": "ours"}},
            "secretRefs": {"objects": {"account_key": {"existingSecret": "bucket"}}},
        },
    ),
    "google": merged(
        SMALLEST,
        {
            "config": {"objects": {"url": "gs://media"}},
            "secretRefs": {"objects": {"service_account_key": {"existingSecret": "bucket"}}},
        },
    ),
    "words": merged(
        SMALLEST,
        {
            "config": {
                "custom_async": {"url": "http://own.speech:9000/transcribe"},
                "otel": {"endpoint": "http://collector.tracing:4318"},
                "transcription": {"deepgram_base_url": "https://deepgram.internal", "dictations": 64},
                "zoom": {"oauth_url": "https://zoom.us"},
            },
            "secretRefs": {"transcription": {"deepgram_api_key": {"existingSecret": "speech"}}},
        },
    ),
}
"""Installations, by what is special about each."""
