"""The AsyncAPI document is what `schemas` says, and the page about consuming speaks of the same topics."""

from __future__ import annotations

import json
import re

import fastavro
import pytest

from schemas.topics import ALL, DAY_MS, HOUR_MS, Topic
from scripts.asyncapi import READABLE, TARGET, document

PAGE = TARGET.with_name("consuming.md").read_text()


def test_the_document_is_up_to_date() -> None:
    assert TARGET.read_text() == document(), "run python -m scripts.asyncapi"


def test_its_references_lead_somewhere() -> None:
    whole = json.loads(document())
    found = re.findall(r'"\$ref": "#/([^"]+)"', document())
    assert len(found) == 3 * len(READABLE)
    for path in found:
        at = whole
        for step in path.split("/"):
            at = at[step]
    for message in whole["components"]["messages"].values():
        fastavro.parse_schema(message["payload"]["schema"])


def test_the_page_names_the_topics_that_may_be_read_and_no_others() -> None:
    table = PAGE[PAGE.index("## Topics") : PAGE.index("All others")]
    assert {topic.name for topic in ALL if f"`{topic.name}`" in table} == {topic.name for topic in READABLE}


@pytest.mark.parametrize("topic", READABLE, ids=lambda topic: topic.name)
def test_the_page_says_how_long_they_are_kept(topic: Topic) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{topic.name}`" in line]
    assert row.split("|")[-2].strip() == kept(topic.retention_ms)


def kept(retention_ms: int | None) -> str:
    if retention_ms is None:
        return "until archived"
    return f"{retention_ms // HOUR_MS} h" if retention_ms <= DAY_MS else f"{retention_ms // DAY_MS} days"
