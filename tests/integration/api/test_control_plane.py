"""The control plane by API: keys that go so far and so long, several apps, templates, the whole as a document."""

import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from connectors.host.secrets import KeyRing
from deploy.local.settings import REPOSITORY
from tests.support.house import ADMIN_TOKEN, fetched
from tests.support.processes import PATIENCE_S, wait_for

TIMES_AS_LONG = 8
"""As to load its code: what it reads is next to nothing."""


@pytest.fixture
def admin(house):
    return house.http(ADMIN_TOKEN)


def key_of(house, admin, project_id, **given):
    made = admin.post(f"/projects/{project_id}/api_keys", json={"name": "k"} | given)
    assert made.status_code == 201, made.text
    return made.json(), house.http(made.json()["key"])


def test_a_key_goes_as_far_as_its_scopes(house, admin, tenant):
    session_id = tenant.create().json()["id"]
    _, reader = key_of(house, admin, tenant.project_id, scopes=["read"])
    _, writer = key_of(house, admin, tenant.project_id, scopes=["write"])
    _, manager = key_of(house, admin, tenant.project_id, scopes=["manage"])
    hook = {"url": "https://example.com/scoped", "triggers": ["bot.state_change"]}
    assert reader.get(f"/app_sessions/{session_id}").status_code == 200
    assert writer.patch(f"/app_sessions/{session_id}", json={"metadata": {"a": "b"}}).status_code == 200
    assert manager.post("/webhooks", json=hook).status_code == 201
    for client, method, path in (
        (reader, "PATCH", f"/app_sessions/{session_id}"), (reader, "POST", "/app_sessions"),
        (reader, "GET", "/webhooks"), (writer, "GET", f"/app_sessions/{session_id}"),
        (writer, "POST", "/webhooks"), (manager, "GET", "/bots"), (manager, "DELETE", f"/bots/{session_id}/transcript"),
    ):  # fmt: skip
        refused = client.request(method, path, json={})
        assert refused.status_code == 403, (method, path)
        assert refused.json()["error"].startswith("This key has no scope ")


def test_a_projects_term_is_that_of_its_sessions_unless_they_have_their_own(house, admin):
    tenant = house.tenant("forgetful")
    path = f"/projects/{tenant.project_id}"
    assert admin.get(path).json()["retention_hours"] is None
    assert tenant.create().json()["retention_hours"] is None
    assert admin.patch(path, json={"retention_hours": 720}).json()["retention_hours"] == 720
    made = [tenant.create(), tenant.create(retention_hours=0), tenant.create(retention_hours=None)]
    assert [answer.json()["retention_hours"] for answer in made] == [720, 0, None]
    admin.put(f"{path}/template", json={"retention_hours": None}).raise_for_status()
    assert admin.patch(path, json={"retention_hours": None}).json()["retention_hours"] is None
    assert made[0].json()["expires_at"] is None, "it is not over"
    written = admin.patch(path, content='{"concurrency_limit": 120.0, "retention_hours": 24.0}')
    assert [written.json()[name] for name in ("concurrency_limit", "retention_hours")] == [120, 24], written.text
    for wrong in (-1, 1.5, "1", True, 10**9):
        assert tenant.create(retention_hours=wrong).json().keys() == {"retention_hours"}
        assert admin.patch(path, json={"retention_hours": wrong}).json().keys() == {"retention_hours"}


def test_a_key_ends_with_its_time(house, admin, tenant):
    for seconds in (2, 10, 50):  # its time may be over before a busy machine asks
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        made, client = key_of(house, admin, tenant.project_id, expires_at=ends.isoformat())
        assert made["expires_at"]
        first = client.get("/bots").status_code
        if first == 200:
            break
        assert (first, datetime.now(UTC) > ends) == (401, True)
    assert first == 200
    wait_for(lambda: client.get("/bots").status_code == 401, PATIENCE_S, lambda: "still open")
    _, past = key_of(house, admin, tenant.project_id, expires_at="2020-01-01T00:00:00Z")
    assert past.get("/bots").status_code == 401


def test_keys_are_listed_without_secrets_and_can_be_taken_back(house, admin, tenant):
    made, client = key_of(house, admin, tenant.project_id)
    path = f"/projects/{tenant.project_id}/api_keys"

    def listed():
        return next((key for key in admin.get(path).json()["results"] if key["id"] == made["id"]), None)

    assert listed() == {key: value for key, value in made.items() if key != "key"}
    assert made["last_used_at"] is None
    assert made["scopes"] == ["read", "write", "manage"]
    assert client.get("/bots").status_code == 200
    wait_for(lambda: listed()["last_used_at"] is not None, PATIENCE_S, lambda: "its use was not noted")
    assert datetime.fromisoformat(listed()["last_used_at"]).timestamp() == pytest.approx(time.time(), abs=60)
    assert admin.delete(f"{path}/{made['id']}").status_code == 204
    assert client.get("/bots").status_code == 401
    assert admin.delete(f"{path}/{made['id']}").status_code == 404
    with house.replica() as url:
        answer = fetched(f"{url}/bots", headers={"Authorization": f"Token {made['key']}"})
        assert answer.status_code == 401, "no replica knows it any more"


def test_a_project_has_several_apps_and_they_can_be_taken_back(house, admin):
    tenant = house.tenant("several", zoom_app=False)
    path, names = f"/projects/{tenant.project_id}/zoom_apps", [uuid.uuid4().hex for _ in range(2)]
    made = [admin.post(path, json={"client_id": name, "client_secret": "s"}).json() for name in names]
    assert admin.get(path).json() == {"results": made}
    assert [app["webhook_url"] for app in made] == [None, None]
    assert tenant.create().status_code == 400
    assert admin.delete(f"{path}/{made[0]['id']}").status_code == 204
    assert tenant.create().status_code == 201, "the only one left"
    assert admin.delete(f"{path}/{made[0]['id']}").status_code == 404


STORAGE = {"access_key_id": "AKIA1", "access_key_secret": "s3cret-of-storage", "region_name": "eu-central-1"}


def test_a_project_has_one_credential_of_a_type_and_shows_no_secret(house, admin):
    one, other = house.tenant("keyed"), house.tenant("keyless")
    path = f"/projects/{one.project_id}/credentials"
    assert admin.get(path).json() == {"results": []}
    for given in ("first-key", "second-key"):
        made = admin.put(f"{path}/deepgram", json={"api_key": given})
        assert (made.status_code, made.json()["type"]) == (200, "deepgram"), made.text
    stored = admin.put(f"{path}/external_media_storage", json=STORAGE).json()
    assert {name: stored[name] for name in STORAGE if name in stored} == {
        "access_key_id": "AKIA1",
        "region_name": "eu-central-1",
    }
    listed = admin.get(path)
    assert listed.json() == {"results": [made.json(), stored]}
    assert admin.get(f"{path}/deepgram").json() == made.json()
    for answer in (listed, admin.get("/control_plane")):
        assert not [secret for secret in ("first-key", "second-key", "s3cret-of-storage") if secret in answer.text]
    assert admin.get(f"/projects/{other.project_id}/credentials").json() == {"results": []}
    assert admin.get(f"/projects/{other.project_id}/credentials/deepgram").status_code == 404
    assert admin.delete(f"/projects/{other.project_id}/credentials/deepgram").status_code == 404
    assert admin.delete(f"{path}/deepgram").status_code == 204
    assert admin.get(f"{path}/deepgram").status_code == 404
    with house.replica() as url:
        headers = {"Authorization": f"Token {ADMIN_TOKEN}"}
        seen = fetched(f"{url}{path}", headers=headers)
        assert seen.json() == {"results": [stored]}, "every replica knows it"


def test_a_projects_own_limit(house, admin):
    tenant = house.tenant("small")
    assert admin.patch(f"/projects/{tenant.project_id}", json={"concurrency_limit": 1}).status_code == 200
    assert tenant.create().status_code == 201
    assert tenant.create().status_code == 400
    admin.patch(f"/projects/{tenant.project_id}", json={"concurrency_limit": None})
    assert tenant.create().status_code == 201


def test_templates_are_checked_like_requests(admin, tenant):
    path = f"/projects/{tenant.project_id}/template"
    assert admin.get(path).json() == {}
    for bad in ({"metadata": {}}, {"recording_settings": {"format": "webm"}}, {"deduplication_key": "x"}, []):
        assert admin.put(path, json=bad).status_code == 400
    good = {"transcription_settings": {"moonshine": {}}}
    assert admin.put(path, json=good).json() == good == admin.get(path).json()
    admin.put(path, json={})


def test_the_whole_control_plane_goes_out_and_in_again(house, admin):
    tenant = house.tenant("moved")
    hook = tenant.http.post("/webhooks", json={"url": "https://example.com/m", "triggers": ["bot.state_change"]}).json()
    credential = f"/projects/{tenant.project_id}/credentials/openai"
    admin.put(credential, json={"api_key": "k"}).raise_for_status()
    whole = admin.get("/control_plane").json()
    assert tenant.key not in str(whole)
    assert hook["secret"] not in str(whole)
    assert tenant.project_id in {project["project_id"] for project in whole["projects"]}

    key_id = next(key["key_id"] for key in whole["api_keys"] if key["project_id"] == tenant.project_id)
    admin.delete(f"/projects/{tenant.project_id}/api_keys/{key_id}")
    tenant.http.delete(f"/webhooks/{hook['id']}")
    admin.delete(credential)
    assert tenant.http.get("/bots").status_code == 401
    counts = admin.put("/control_plane", json=whole)
    assert counts.status_code == 200, counts.text
    assert counts.json()["projects"] == len(whole["projects"])
    assert tenant.http.get(f"/webhooks/{hook['id']}").status_code == 200, "the key opens again, the webhook is there"
    assert admin.get(credential).status_code == 200
    before = {name: entries for name, entries in whole.items() if name != "credentials"}
    assert admin.put("/control_plane", json=before).json()["credentials"] == 0, "archives of before there were any"

    for bad in ({}, [], whole | {"version": 2}, whole | {"more": 1}, whole | {"projects": [{"name": 1}]}):
        assert admin.put("/control_plane", json=bad).status_code == 400
    foreign = KeyRing([KeyRing.generate()]).encrypt("x")
    app = whole["zoom_apps"][0] | {"client_secret_encrypted": foreign}
    refused = admin.put("/control_plane", json=whole | {"zoom_apps": [app]})
    assert refused.status_code == 400
    assert "not in RTMS_SECRETS_KEYS" in refused.text
    own = whole["credentials"][0] | {"secret_encrypted": foreign}
    refused = admin.put("/control_plane", json=whole | {"credentials": [own]})
    assert (refused.status_code, "not in RTMS_SECRETS_KEYS" in refused.text) == (400, True)


def test_the_key_ring_rotates_without_a_pause(house, admin):
    """A new key first, everything encrypted anew, the old key dropped: secrets are readable throughout."""
    rotated = house.tenant("rotated")
    admin.put(f"/projects/{rotated.project_id}/credentials/openai", json={"api_key": "k"}).raise_for_status()
    new, old = KeyRing.generate(), house.env["RTMS_SECRETS_KEYS"]
    headers = {"Authorization": f"Token {ADMIN_TOKEN}"}
    with house.replica(RTMS_SECRETS_KEYS=f"{new},{old}") as url:
        done = fetched(f"{url}/control_plane/reencrypt", "POST", headers=headers)
        assert done.status_code == 200, done.text
        assert done.json()["zoom_apps"] > 0
        whole = fetched(f"{url}/control_plane", headers=headers).json()
        for app in whole["zoom_apps"]:
            assert KeyRing([new]).decrypt(app["client_secret_encrypted"])
        for credential in whole["credentials"]:
            assert KeyRing([new]).decrypt(credential["secret_encrypted"])
        for project in whole["projects"]:
            assert all(KeyRing([new]).decrypt(secret) for secret in project["webhook_secrets_encrypted"])
    with house.replica(RTMS_SECRETS_KEYS=f"{old},{new}") as url:
        again = fetched(f"{url}/control_plane/reencrypt", "POST", headers=headers)
        assert again.status_code == 200, "for the tests after this one"


def test_an_empty_replica_is_ready_soon_after_it_is_there_at_all(house, tenant):
    """However busy the machine is: a process that does nothing but load the same code is as slow at the same time."""
    ratios = []
    for _ in range(3):
        began_s = time.monotonic()
        subprocess.run([sys.executable, "-c", "import api.command"], check=True, cwd=REPOSITORY)
        loaded_s = time.monotonic()
        with house.replica() as url:
            ratios.append((time.monotonic() - loaded_s) / (loaded_s - began_s))
            answer = fetched(f"{url}/bots", headers={"Authorization": f"Token {tenant.key}"})
            assert answer.status_code == 200
        if ratios[-1] < TIMES_AS_LONG:
            break
    assert min(ratios) < TIMES_AS_LONG
