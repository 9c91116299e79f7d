"""The OpenAPI document: it promises what is done, and nothing else."""

from contextlib import asynccontextmanager

import jsonschema
import pytest

from api.app import create_app
from api.app_sessions.request_schemas import CREATE, CREATE_EXAMPLE, END
from api.app_sessions.requests import ended_stream, session_order
from connectors.host.clock import SystemClock
from connectors.rtms.protocol.addresses import AddressPolicy

SESSION = "/api/v1/app_sessions"
PROJECT = "/api/v1/projects"


@asynccontextmanager
async def nothing():
    raise AssertionError("a document needs no services")
    yield


@pytest.fixture(scope="module")
def document():
    return create_app(nothing, SystemClock(), serves_objects=True).openapi()


PLAYLISTS = "/playlists/sessions/{session_id}"


def test_every_route_is_in_it(document):
    found = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert found == {
        (SESSION, "post"),
        (SESSION, "get"),
        (f"{SESSION}/end", "post"),
        (f"{SESSION}/{{session_id}}", "get"),
        (f"{SESSION}/{{session_id}}/media", "get"),
        (f"{SESSION}/{{session_id}}/playlist", "get"),
        (f"{SESSION}/{{session_id}}/transcript", "get"),
        (f"{SESSION}/{{session_id}}/participant_events", "get"),
        (PROJECT, "post"),
        (PROJECT, "get"),
        (f"{PROJECT}/{{project_id}}/api_keys", "post"),
        (f"{PROJECT}/{{project_id}}/zoom_apps", "post"),
        ("/objects/{key}", "get"),
        (f"{PLAYLISTS}/index.m3u8", "get"),
        (f"{PLAYLISTS}/recording.m3u8", "get"),
        (f"{PLAYLISTS}/transcript.m3u8", "get"),
        (f"{PLAYLISTS}/subtitles/{{origin_ms}}-{{start_ms}}-{{duration_ms}}.vtt", "get"),
    }


def test_objects_are_only_served_from_a_folder():
    app = create_app(nothing, SystemClock(), serves_objects=False)
    assert "/objects/{key}" not in app.openapi()["paths"]


def test_it_promises_no_422_and_says_what_opens_each_route(document):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            schemes = [name for entry in operation.get("security", []) for name in entry]
            wanted = {"/api/v1/app": "API key", "/api/v1/pro": "Admin token"}.get(path[:11])
            assert schemes == ([wanted] if wanted else [])
            assert ("401" in operation["responses"]) == bool(wanted)
            assert ("requestBody" in operation) == ("415" in operation["responses"])


def test_the_described_bodies_are_those_that_are_read(document):
    jsonschema.validate(CREATE_EXAMPLE, CREATE)
    assert session_order(CREATE_EXAMPLE, AddressPolicy())
    end = {"zoom_rtms": {"rtms_stream_id": "s"}}
    jsonschema.validate(end, END)
    assert ended_stream(end) == "s"
    content = document["paths"][SESSION]["post"]["requestBody"]["content"]["application/json"]
    assert content["examples"]["meeting"]["value"] == CREATE_EXAMPLE


def test_answers_are_described_key_by_key(document):
    session = document["components"]["schemas"]["AppSessionDocument"]
    assert set(session["required"]) == set(session["properties"])
    event = document["components"]["schemas"]["EventDocument"]
    assert set(event["required"]) == {"type", "created_at"}
