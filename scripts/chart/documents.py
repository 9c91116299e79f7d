"""Every file that we make of the settings classes, the chart's values and its tables, with the text it must have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scripts.chart import (
    configuration,
    dashboards,
    image_lock,
    metrics_reference,
    session_lists,
    topics_table,
    values_schema,
    variables_table,
)
from scripts.chart.catalogue import REPOSITORY, groups

CHART = REPOSITORY / "deploy" / "helm" / "rtms-pipeline"


def workloads() -> dict[str, Any]:
    """The chart's table of what each workload is."""
    table: dict[str, Any] = yaml.safe_load((CHART / "files" / "workloads.yaml").read_text())
    return table


def fixed_variables() -> set[str]:
    """What the chart sets by itself, whatever the values say."""
    fixed = yaml.safe_load((CHART / "files" / "fixed.yaml").read_text())
    identities = {name for facts in workloads().values() for name in facts.get("identity", ())}
    peers = {facts["peers"] for facts in workloads().values() if "peers" in facts}
    return {
        *fixed["environment"],
        *fixed["http"],
        *identities,
        *peers,
        "RTMS_KAFKA_CLIENT_ID",
        "RTMS_SINK_OBJECTS_SCRATCH_DIR",
    }


def documents() -> dict[Path, str]:
    """Every made file with the text it must have."""
    catalogue, table = groups(), workloads()
    readers = {name: facts["settings"] for name, facts in table.items()}
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = values_schema.document(catalogue, table, fixed_variables(), values)
    pages = {CHART / "dashboards" / f"{page.uid}.json": dashboards.document(page) for page in dashboards.DASHBOARDS}
    pages[CHART / "dashboards" / f"{session_lists.UID}.json"] = session_lists.document()
    return pages | {
        REPOSITORY / "deploy" / "docker" / "requirements.lock": image_lock.document(),
        CHART / "files" / "topics.yaml": topics_table.document(),
        CHART / "files" / "variables.yaml": variables_table.document(catalogue, fixed_variables()),
        CHART / "values.schema.json": schema,
        REPOSITORY / "docs" / "metrics.md": metrics_reference.document(),
        REPOSITORY / "docs" / "configuration.md": configuration.document(catalogue, readers),
    }
