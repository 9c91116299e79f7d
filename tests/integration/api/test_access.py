"""Keys and tenants: nobody sees what is somebody else's, and refusals have the shapes that clients know."""

import base64
import uuid

import pytest

from connectors.host.secrets import KeyRing
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from schemas import ids, topics
from schemas.records import ZoomApp
from tests.support.house import ADMIN_TOKEN, fetched, stream
from tests.support.processes import PATIENCE_S


@pytest.fixture(scope="module")
def session_id(tenant):
    return tenant.create("theirs").json()["id"]


SESSION_ROUTES = ["", "/media", "/media/tracks", "/transcript", "/transcript?format=vtt",
                  "/transcript/export?format=txt", "/talk_time", "/participant_events"]  # fmt: skip


@pytest.mark.parametrize("route", SESSION_ROUTES)
def test_a_foreign_key_sees_nothing(tenant, stranger, session_id, route):
    path = f"/app_sessions/{session_id}{route}"
    expected = 404 if route.startswith("/media") else 200
    assert tenant.http.get(path).status_code == expected
    answer = stranger.http.get(path)
    assert answer.status_code == 404
    assert answer.json() in ({"error": "App session not found"}, {"error": "Bot not found"})
    unknown = stranger.http.get(path.replace(session_id, "app_0000000000000000"))
    assert (unknown.status_code, unknown.json()) == (answer.status_code, answer.json())


def test_a_foreign_key_lists_and_ends_nothing(tenant, stranger, session_id):
    assert session_id not in str(stranger.http.get("/app_sessions").json())
    ended = stranger.end("theirs")
    assert (ended.status_code, ended.json()) == (404, {"error": "App session not found"})
    assert tenant.http.get(f"/app_sessions/{session_id}").json()["state"] == "connecting"


def test_the_same_stream_of_two_projects_is_two_sessions(tenant, stranger, session_id):
    other = stranger.create("theirs").json()
    assert other["id"] != session_id
    assert tenant.http.get(f"/app_sessions/{other['id']}").status_code == 404


ROUTES = [
    ("GET", "/app_sessions"), ("POST", "/app_sessions"), ("POST", "/app_sessions/end"), ("GET", "/app_sessions/end"),
    *[("GET", f"/app_sessions/app_0000000000000000{route}") for route in SESSION_ROUTES],
    ("PUT", "/app_sessions"), ("DELETE", "/app_sessions/x"), ("PATCH", "/app_sessions/x/transcript"),
    ("GET", "/bots"), ("POST", "/bots"), ("GET", "/bots/x"), ("POST", "/bots/x/leave"), ("PUT", "/bots/x"),
]  # fmt: skip
ADMIN_ROUTES = [
    ("GET", "/projects"), ("POST", "/projects"), ("POST", "/projects/p/api_keys"), ("POST", "/projects/p/zoom_apps"),
    ("DELETE", "/projects"), ("GET", "/projects/p/api_keys"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [*ROUTES, *ADMIN_ROUTES])
@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Basic abc", "Authentication credentials were not provided."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Token wrong", None),
    ],
)
def test_every_route_asks_for_a_key(house, method, path, header, detail):
    headers = {"Authorization": header} if header else {}
    answer = house.http(None).request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Token"
    wrong = "Invalid admin token." if (method, path) in ADMIN_ROUTES else "Invalid or disabled API key."
    assert answer.json() == {"detail": detail or wrong}


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_a_projects_key_is_no_admin_token(tenant, method, path):
    assert tenant.http.request(method, path).status_code == 401


def test_the_admin_token_is_no_projects_key(house):
    assert house.http(ADMIN_TOKEN).get("/app_sessions").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/app_sessions"), ("GET", "/app_sessions/end"), ("PUT", "/app_sessions/x"), ("HEAD", "/app_sessions"),
     ("OPTIONS", "/app_sessions"), ("PUT", "/app_sessions/x/transcript"), ("POST", "/bots")],
)  # fmt: skip
def test_wrong_methods(tenant, method, path):
    answer = tenant.http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"]
    if method != "HEAD":
        assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/v1", "/api/v1/", "/api/v1/app_sessions/", "/api/v1/app_sessions/x/", "/api/v1/bots/",
     "/nothing", "/api/v1/app_sessions/x/media/", "/api/v2/app_sessions", "/api/v1/app_sessions//media", "/objects",
     "/%00", "/%ff"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths_need_no_key(house, path, method):
    answer = fetched(house.url + path, method)
    assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})


def test_the_control_plane(house):
    admin = house.http(ADMIN_TOKEN)
    project = admin.post("/projects", json={"name": "Acme"})
    assert project.status_code == 201
    secret = project.json().pop("webhook_secret")
    assert len(base64.b64decode(secret)) == 32
    project_id = project.json()["id"]
    [listed] = [entry for entry in admin.get("/projects").json()["results"] if entry["id"] == project_id]
    assert listed == admin.get(f"/projects/{project_id}").json()
    assert (listed["name"], listed["concurrency_limit"]) == ("Acme", None)
    changed = admin.patch(f"/projects/{project_id}", json={"concurrency_limit": 7}).json()
    assert changed == listed | {"concurrency_limit": 7}

    key = admin.post(f"/projects/{project_id}/api_keys", json={"name": "ci"})
    assert key.status_code == 201
    assert len(key.json()["key"]) == 32
    assert key.json()["key"].isalnum()
    assert house.http(key.json()["key"]).get("/app_sessions").status_code == 200

    client_id = uuid.uuid4().hex
    given = {"client_id": client_id, "client_secret": "one", "webhook_secret": "hook"}
    app = admin.post(f"/projects/{project_id}/zoom_apps", json=given)
    assert app.status_code == 201
    url = f"{house.url}/zoom/{app.json()['id']}"
    assert app.json() == {"id": app.json()["id"], "client_id": client_id, "webhook_url": url}
    again = admin.post(f"/projects/{project_id}/zoom_apps", json=given | {"client_secret": "two"})
    assert (again.status_code, again.json()) == (201, app.json()), "new secrets, the same app"

    other = house.tenant("other", zoom_app=False)
    refused = admin.post(f"/projects/{other.project_id}/zoom_apps", json=given)
    assert refused.status_code == 400
    assert refused.json() == {"client_id": ["This client id belongs to another project."]}
    for what in ("api_keys", "zoom_apps"):
        missing = admin.post(f"/projects/proj_none/{what}", json=given if what == "zoom_apps" else {"name": "x"})
        assert (missing.status_code, missing.json()) == (404, {"error": "Project not found"})


def test_secrets_lie_encrypted_in_the_log(house):
    admin, tenant = house.http(ADMIN_TOKEN), house.tenant("secretive", zoom_app=False)
    given = {"client_id": uuid.uuid4().hex, "client_secret": "top-secret-value"}
    app_id = admin.post(f"/projects/{tenant.project_id}/zoom_apps", json=given).json()["id"]
    loader = PartitionLoader(house.others.kafka)
    try:
        places = [Place(topic.name, 0) for topic in topics.CONTROL_PLANE_TOPICS]
        found = {record.key.decode(): record for record in loader.load(places, PATIENCE_S) if record.value}
    finally:
        loader.close()
    app = house.others.decoder.decode(topics.ZOOM_APPS, found[app_id].value)
    assert isinstance(app, ZoomApp)
    assert KeyRing([house.env["RTMS_SECRETS_KEYS"]]).decrypt(app.client_secret_encrypted) == "top-secret-value"
    everything = b"".join(record.value for record in found.values())
    assert b"top-secret-value" not in everything
    assert tenant.key.encode() not in everything


def test_which_zoom_app_a_stream_is_for(house):
    admin, tenant = house.http(ADMIN_TOKEN), house.tenant("apps", zoom_app=False)
    none = tenant.create()
    assert none.status_code == 400
    assert "Add one first: POST /api/v1/projects/{id}/zoom_apps" in none.json()["error"]
    names = [uuid.uuid4().hex, uuid.uuid4().hex]
    for name in names:
        admin.post(f"/projects/{tenant.project_id}/zoom_apps", json={"client_id": name, "client_secret": "s"})
    several = tenant.create()
    assert several.status_code == 400
    assert "zoom_app_id" in several.json()["error"]
    assert tenant.create(zoom_app_id=names[1]).status_code == 201
    by_id = ids.derived("zoa_", tenant.project_id, names[0])
    assert tenant.create(zoom_app_id=by_id).status_code == 201
    assert tenant.create(zoom_app_id="zoa_unknown").status_code == 400
    in_stream = {"zoom_rtms": stream() | {"client_id": names[0]}}
    assert tenant.http.post("/app_sessions", json=in_stream).status_code == 201


def test_the_documents(house):
    assert "swagger" in fetched(f"{house.url}/docs").text
    document = fetched(f"{house.url}/openapi.json").json()
    assert "/api/v1/app_sessions" in document["paths"]
