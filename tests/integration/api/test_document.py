"""Every route asked as its OpenAPI document says it may be, by schemathesis: nothing is answered that is not in it.

What a document does not know, `test_every_route` asks. Here every answer is held to it: its status, type and shape.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

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

from api.transcripts.exports import FORMATS
from schemas import topics
from schemas.records import DeliveryAttempt, DeliveryStatus, WebhookDelivery
from tests.integration.api.test_contract import T0_MS, fill
from tests.support.document import document
from tests.support.house import ADMIN_TOKEN, House, Tenant, fetched, stream
from tests.support.processes import ANSWER_S, PATIENCE_S, wait_for

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

DOCUMENT = document()
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
            base_url=house.url,
            headers=headers_for(operation.path, tenant),
            checks=checks_for(operation),
            timeout=ANSWER_S,
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
    answer = case.call(base_url=house.url, headers=headers_for(operation.path, tenant), timeout=ANSWER_S)
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
    served = fetched(f"{house.url}/openapi.json").json()
    assert served == json.loads(json.dumps(DOCUMENT))


ASKED_OF_ONE = {"record_async_transcription_audio_chunks": True}
TOLD = WebhookDelivery(
    delivery_id=f"whd_{uuid.uuid4().hex[:16]}", session_id="", project_id="", subscription_id="webhook_1", sequence=0,
    url="https://example.com/hook", trigger="transcript.update", body='{"data":{},"sequence":0}',
    status=DeliveryStatus.PENDING, attempts=(DeliveryAttempt(at_ms=1, status_code=500, excerpt="no"),), due_ms=2,
    created_at_ms=T0_MS, notice_offset=0,
)  # fmt: skip


def test_so_are_those_about_a_session_of_which_there_is_everything(house: House) -> None:
    """Words, people, messages, a recording with tracks, one more transcript, deliveries; then what is left of it."""
    tenant = house.tenant("of whom there is everything")  # the other's has been through a lot by now
    session_id = str(tenant.create(recording_settings=ASKED_OF_ONE).raise_for_status().json()["id"])
    fill(house, session_id)
    told = replace(TOLD, session_id=session_id, project_id=tenant.project_id)
    house.others.write(topics.WEBHOOK_DELIVERIES, session_id, told)
    by_name = {(found.method.upper(), found.path): found for found in OPERATIONS}

    def answer(method: str, path: str, body: Any = None, **query: str) -> Any:
        operation = by_name[method, f"/api/v1{path}"]
        names = {"session_id": session_id, "delivery_id": told.delivery_id}
        names = {name: value for name, value in names.items() if f"{{{name}}}" in path}
        sent = {} if body is None else {"body": body, "media_type": "application/json"}
        case = operation.Case(path_parameters=names, query=query, **sent)
        response = case.call(base_url=house.url, headers=headers_for(operation.path, tenant), timeout=ANSWER_S)
        case.validate_response(response, checks=CHECKS)
        assert response.status_code < 300, (path, response.text)
        return response.json() if response.content and "json" in response.headers["content-type"][0] else response.text

    def is_all_there() -> bool:
        found = [entry["id"] for entry in answer("GET", "/webhook_deliveries", app_session_id=session_id)["results"]]
        return answer("GET", "/app_sessions/{session_id}")["state"] == "ended" and found == [told.delivery_id]

    wait_for(is_all_there, PATIENCE_S, lambda: f"not all of it is stored; see {house.sink.log}")
    afterwards: dict[str, Any] = {"transcription_settings": {"moonshine": {}}}
    answer("POST", "/app_sessions/{session_id}/transcript", afterwards)
    assert answer("GET", "/app_sessions/{session_id}")["async_transcriptions"]
    for namespace in ("app_sessions", "bots"):
        for what in ("transcript", "participant_events", "chat_messages", "participants"):
            assert answer("GET", f"/{namespace}/{{session_id}}/{what}"), what
        assert answer("GET", f"/{namespace}", states="ended")["results"]
    for what in ("media", "media/tracks", "talk_time"):
        assert answer("GET", f"/app_sessions/{{session_id}}/{what}"), what
    assert answer("GET", "/bots/{session_id}/recording")["url"]
    for form in FORMATS:
        assert answer("GET", "/app_sessions/{session_id}/transcript/export", format=form)
    assert answer("GET", "/transcripts/search", query="word", app_session_id=session_id)["results"]
    assert answer("GET", "/webhook_deliveries/{delivery_id}")["attempts"]
    assert answer("DELETE", "/app_sessions/{session_id}/transcript") == ""
    assert answer("GET", "/app_sessions/{session_id}/transcript_deletion")["erased"]
    assert answer("POST", "/app_sessions/{session_id}/delete_data")["state"] == "data_deleted"
    assert answer("GET", "/bots/{session_id}/data_deletion")["erased"]
