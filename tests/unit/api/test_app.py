"""The OpenAPI document: it promises what is done, and nothing else."""

from contextlib import asynccontextmanager

import jsonschema
import pytest

from api.app import create_app
from api.app_sessions.request_schemas import CREATE, CREATE_EXAMPLE, END
from api.app_sessions.requests import ended_stream, session_order
from api.bots.routes import REFUSED
from connectors.host.clock import SystemClock
from connectors.rtms.protocol.addresses import AddressPolicy

SESSION = "/api/v1/app_sessions"
BOT = "/api/v1/bots"
PROJECT = "/api/v1/projects"
WEBHOOK = "/api/v1/webhooks"
DELIVERY = "/api/v1/webhook_deliveries"


@asynccontextmanager
async def nothing():
    raise AssertionError("a document needs no services")
    yield


@pytest.fixture(scope="module")
def document():
    return create_app(nothing, SystemClock(), serves_objects=True).openapi()


PLAYLISTS = "/playlists/sessions/{session_id}"

BOTH = {
    (f"{prefix}/{{session_id}}{path}", method)
    for prefix in (SESSION, BOT)
    for path, methods in {
        "": ("get", "patch", "delete"),
        "/transcript": ("get", "post", "delete"),
        "/participant_events": ("get",),
        "/participants": ("get",),
        "/chat_messages": ("get",),
        "/delete_data": ("post",),
        "/data_deletion": ("get",),
        "/transcript_deletion": ("get",),
    }.items()
    for method in methods
}


def test_every_route_is_in_it(document):
    found = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert found == BOTH | {(f"{BOT}/{{session_id}}/{action}", method.lower()) for method, action in REFUSED} | {
        (SESSION, "post"),
        (SESSION, "get"),
        (BOT, "get"),
        (f"{SESSION}/end", "post"),
        *(
            (f"{SESSION}/{{session_id}}/{what}", "get")
            for what in ("media", "media/tracks", "playlist", "transcript/export", "talk_time")
        ),
        ("/api/v1/transcripts/search", "get"),
        (f"{SESSION}/{{session_id}}/media", "get"),
        (f"{SESSION}/{{session_id}}/playlist", "get"),
        (f"{SESSION}/{{session_id}}/stream", "get"),
        (f"{SESSION}/{{session_id}}/transcript/stream", "get"),
        (f"{SESSION}/{{session_id}}/participant_events/stream", "get"),
        (f"{BOT}/{{session_id}}/recording", "get"),
        (PROJECT, "post"),
        (PROJECT, "get"),
        (f"{PROJECT}/{{project_id}}", "get"),
        (f"{PROJECT}/{{project_id}}", "patch"),
        (f"{PROJECT}/{{project_id}}/rotate_webhook_secret", "post"),
        (f"{PROJECT}/{{project_id}}/api_keys", "post"),
        (f"{PROJECT}/{{project_id}}/api_keys", "get"),
        (f"{PROJECT}/{{project_id}}/api_keys/{{key_id}}", "delete"),
        (f"{PROJECT}/{{project_id}}/zoom_apps", "post"),
        (f"{PROJECT}/{{project_id}}/zoom_apps", "get"),
        (f"{PROJECT}/{{project_id}}/zoom_apps/{{zoom_app_id}}", "delete"),
        (f"{PROJECT}/{{project_id}}/credentials", "get"),
        (f"{PROJECT}/{{project_id}}/credentials/{{type}}", "put"),
        (f"{PROJECT}/{{project_id}}/credentials/{{type}}", "get"),
        (f"{PROJECT}/{{project_id}}/credentials/{{type}}", "delete"),
        (f"{PROJECT}/{{project_id}}/template", "put"),
        (f"{PROJECT}/{{project_id}}/template", "get"),
        ("/api/v1/control_plane", "get"),
        ("/api/v1/control_plane", "put"),
        ("/api/v1/control_plane/reencrypt", "post"),
        (WEBHOOK, "post"),
        (WEBHOOK, "get"),
        (f"{WEBHOOK}/{{webhook_id}}", "get"),
        (f"{WEBHOOK}/{{webhook_id}}", "patch"),
        (f"{WEBHOOK}/{{webhook_id}}", "delete"),
        (f"{WEBHOOK}/{{webhook_id}}/rotate_secret", "post"),
        (f"{WEBHOOK}/{{webhook_id}}/retire_secret", "post"),
        (f"{WEBHOOK}/{{webhook_id}}/ping", "post"),
        (DELIVERY, "get"),
        (f"{DELIVERY}/replay", "post"),
        (f"{DELIVERY}/{{delivery_id}}", "get"),
        (f"{DELIVERY}/{{delivery_id}}/resend", "post"),
        ("/zoom/{zoom_app_id}", "post"),
        ("/objects/{key}", "get"),
        (f"{PLAYLISTS}/index.m3u8", "get"),
        (f"{PLAYLISTS}/recording.m3u8", "get"),
        (f"{PLAYLISTS}/transcript.m3u8", "get"),
        (f"{PLAYLISTS}/chat.m3u8", "get"),
        (f"{PLAYLISTS}/chat/{{origin_ms}}-{{start_ms}}-{{duration_ms}}.vtt", "get"),
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
            wanted = "Admin token" if path.startswith((PROJECT, "/api/v1/control_plane")) else "API key"
            wanted = wanted if path.startswith("/api/v1") else None
            assert set(schemes) == ({wanted} if wanted else set())
            assert ("401" in operation["responses"]) == (not path.startswith(("/objects/", "/playlists/")))
            assert ("requestBody" in operation) == ("413" in operation["responses"])
            assert operation["description"].strip()
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                for example in content["examples"].values():
                    jsonschema.validate(example["value"], content["schema"])


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


def test_every_answer_has_an_example_that_is_one(document):
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        [example] = schema["examples"]
        resolved = schema | {"components": document["components"]}
        jsonschema.validate(example, resolved)
        assert schema.get("description"), name


def test_what_is_always_refused_promises_no_success(document):
    for path, method in ((f"{SESSION}/{{session_id}}", "delete"), (f"{BOT}/{{session_id}}/leave", "post")):  # fmt: skip
        statuses = document["paths"][path][method]["responses"]
        assert not [status for status in statuses if status.startswith("2")]
        assert "400" in statuses
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["responses"]
            assert not [key for key in operation if key.startswith("x-")]
