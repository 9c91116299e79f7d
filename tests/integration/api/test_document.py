"""Every route asked as its OpenAPI document says it may be, by schemathesis: nothing is answered that is not in it.

What a document does not know, `test_every_route` asks. Here every answer is held to it: its status, type and shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from connectors.host.clock import SystemClock
from tests.support.house import ADMIN_TOKEN, House, Tenant, stream

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

DOCUMENT = create_app(lambda: None, SystemClock(), serves_objects=True).openapi()  # type: ignore[arg-type,return-value]
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = [
    (operation, example)
    for operation in OPERATIONS
    for content in operation.definition.raw.get("requestBody", {}).get("content", {}).values()
    for example in content["examples"].values()
]


@pytest.fixture(scope="module")
def known(house: House, tenant: Tenant) -> Iterator[Mapping[str, str]]:
    """Values for the parameters of paths that name something; nothing that was asked broke anything."""
    session_id = str(tenant.create().raise_for_status().json()["id"])
    house.finish(session_id)
    hook = {"url": "https://example.com/known", "triggers": ["bot.state_change"]}
    webhook = tenant.http.post("/webhooks", json=hook).raise_for_status().json()
    yield {"session_id": session_id, "project_id": tenant.project_id, "webhook_id": webhook["id"]}
    log = house.api.log.read_text()
    assert "request failed" not in log
    assert "Traceback" not in log


def headers_for(path: str, tenant: Tenant) -> dict[str, str]:
    is_admins = path.startswith(("/api/v1/projects", "/api/v1/control_plane"))
    return {"Authorization": f"Token {ADMIN_TOKEN if is_admins else tenant.key}"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_in_the_document(
    house: House, tenant: Tenant, known: Mapping[str, str], operation: Any
) -> None:
    @FEW
    @given(case=operation.as_strategy(), is_known=st.booleans())
    def ask(case: Any, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {**case.path_parameters, **named(operation.path, known)}
        case.call_and_validate(
            base_url=house.url, headers=headers_for(operation.path, tenant), checks=checks_for(operation), timeout=20
        )

    ask()


def named(path: str, known: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in known.items() if f"{{{name}}}" in path}


def checks_for(operation: Any) -> list[Any]:
    """The shape of a feed's text is no JSON Schema's affair; `tests/support/feeds.py` reads it as browsers do."""
    is_feed = "text/event-stream" in operation.definition.raw["responses"].get("200", {}).get("content", {})
    return [check for check in CHECKS if not (is_feed and check is response_schema_conformance)]


@pytest.mark.parametrize(
    ("operation", "example"),
    EXAMPLES,
    ids=[f"{operation.label} {number}" for number, (operation, _) in enumerate(EXAMPLES)],
)
def test_every_example_of_a_body_is_understood(
    house: House, tenant: Tenant, known: Mapping[str, str], operation: Any, example: Any
) -> None:
    """What the document shows is taken, or refused for what is not there, and never for how it looks."""
    value = json.loads(
        json.dumps(example["value"]).replace("609340fb2a7946909659956c8aa9250c", stream()["rtms_stream_id"])
    )
    names = dict.fromkeys(re.findall("{([^}]*)}", operation.path), "x") | named(operation.path, known)
    case = operation.Case(path_parameters=names, body=value, media_type="application/json")
    answer = case.call(base_url=house.url, headers=headers_for(operation.path, tenant), timeout=20)
    case.validate_response(answer, checks=CHECKS)


def test_every_route_says_how_it_refuses_and_shows_what_it_takes() -> None:
    for operation in OPERATIONS:
        responses, body = operation.definition.raw["responses"], operation.definition.raw.get("requestBody")
        if operation.path.startswith("/api/"):
            assert {"401", "503"} <= responses.keys(), operation.label
        if "{" in operation.path:
            assert responses.keys() & {"403", "404"}, operation.label
        if body is not None:
            assert {"400"} <= responses.keys(), operation.label
            assert all(content["examples"] for content in body["content"].values()), operation.label
        for status, response in responses.items():
            assert response["description"], (operation.label, status)


def test_the_document_that_is_served_is_this_one(house: House) -> None:
    served = httpx.get(f"{house.url}/openapi.json", trust_env=False).json()
    assert served == json.loads(json.dumps(DOCUMENT))
