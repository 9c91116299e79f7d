"""A backup of the control plane, put into an empty installation by the very commands of docs/operations.md."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from connectors.host.secrets import KeyRing
from connectors.rtms.simulator.rules import Credentials
from deploy.local.demo.zoom import SimulatedZoom
from deploy.local.settings import REPOSITORY
from schemas.signing import signature
from tests.integration.api.conftest import open_home
from tests.support.house import ADMIN_TOKEN, House
from tests.support.processes import ANSWER_S, PATIENCE_S, running, wait_for
from tests.support.receiver import Receiver, receiving

NEAR = {
    "RTMS_WEBHOOKS_ALLOW_LOOPBACK": "true",
    "RTMS_ZOOM_ALLOWED_HOSTS": "127.0.0.1",
    "RTMS_ZOOM_ALLOW_PLAINTEXT": "true",
}
PAGE = (REPOSITORY / "docs" / "operations.md").read_text()
TEMPLATE = {"transcription_settings": {"moonshine": {}}}
MEETING_S = 115
"""Nobody waits for its end, so its worker has time to come; as long as others, whose film is there."""


class Customer(NamedTuple):
    """What somebody was given before the disaster, and must not have to ask for again."""

    project_id: str
    key: str
    reader: str
    webhook_path: str
    hook_id: str
    hook_secret: str
    session_id: str

    def http(self, house: House, key: str = "") -> httpx.Client:
        return house.http(key or self.key)


def written_down() -> tuple[str, str]:
    """The commands of the page: backing up, and restoring."""
    section = PAGE.partition("\n## Backup and restore\n")[2]
    blocks = re.findall(r"^( *)```\n(.*?)^\1```$", section.partition("\n## ")[0], re.M | re.S)
    backup, restore = (textwrap.dedent(commands) for _, commands in blocks)
    return backup, restore


BACKUP, RESTORE = written_down()


def follow(commands: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run them in a shell as somebody would who has read where `API`, `ADMIN` and `JSON` come from."""
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "API": url.removesuffix("/api/v1"),
        "ADMIN": f"Authorization: Token {ADMIN_TOKEN}",
        "JSON": "Content-Type: application/json",
    }
    shell = ["bash", "-euo", "pipefail", "-c", commands]
    return subprocess.run(shell, cwd=folder, env=env, capture_output=True, text=True, timeout=ANSWER_S, check=False)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def customer(house: House, receiver: Receiver) -> Customer:
    """A project with everything that there is, and a session."""
    admin = {"Authorization": f"Token {ADMIN_TOKEN}"}
    with (
        house.replica(**NEAR) as url,
        httpx.Client(base_url=url, headers=admin, timeout=ANSWER_S, trust_env=False, verify=False) as api,
    ):

        def made(method: str, path: str, given: object, **headers: str) -> dict[str, str]:
            answer = api.request(method, path, json=given, headers=headers)
            assert answer.is_success, answer.text
            document: dict[str, str] = answer.json()
            return document

        limits = {"name": "kept", "concurrency_limit": 1, "retention_hours": 720}
        path = f"/projects/{(project_id := made('POST', '/projects', limits)['id'])}"
        key = made("POST", f"{path}/api_keys", {"name": "server"})["key"]
        reader = made("POST", f"{path}/api_keys", {"name": "reader", "scopes": ["read"]})["key"]
        app = made("POST", f"{path}/zoom_apps", asdict(Credentials()))
        made("PUT", f"{path}/template", TEMPLATE)
        own = {"Authorization": f"Token {key}"}
        hook = made("POST", "/webhooks", {"url": receiver.url, "triggers": ["bot.state_change"]}, **own)
        announced = {"meeting_uuid": "m==", "rtms_stream_id": uuid.uuid4().hex, "server_urls": "ws://127.0.0.1:9"}
        session = made("POST", "/app_sessions", {"zoom_rtms": announced}, **own)
    webhook_path = httpx.URL(app["webhook_url"]).path
    return Customer(project_id, key, reader, webhook_path, hook["id"], hook["secret"], session["id"])


@pytest.fixture(scope="module")
def backup(house: House, customer: Customer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document."""
    folder = tmp_path_factory.mktemp("backup")
    done = follow(BACKUP, house.url, folder)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in folder.iterdir()] == ["control-plane.json"]
    return folder


@pytest.fixture(scope="module")
def empty(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Another broker, another registry and another ClickHouse, with nothing in them but what the job makes."""
    ring = house.env["RTMS_SECRETS_KEYS"]
    with open_home(tmp_path_factory.mktemp("empty"), RTMS_SECRETS_KEYS=ring, **NEAR) as home:
        yield home.house


@pytest.fixture(scope="module")
def restored(empty: House, backup: Path) -> House:
    done = follow(RESTORE, empty.url, backup)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["all there"]), done.stdout + done.stderr
    return empty


def test_what_is_kept_shows_no_secret(customer: Customer, backup: Path) -> None:
    text = (backup / "control-plane.json").read_text()
    secrets = (customer.key, customer.reader, customer.hook_secret, *list(asdict(Credentials()).values())[1:])
    assert not [secret for secret in secrets if secret in text]


def test_without_the_key_ring_it_says_so_and_writes_nothing(empty: House, customer: Customer, backup: Path) -> None:
    def whole() -> str:
        return empty.http(ADMIN_TOKEN).get("/control_plane").text

    before = whole()
    assert customer.project_id not in before
    with empty.replica(RTMS_SECRETS_KEYS=KeyRing.generate()) as url:
        done = follow(RESTORE, url, backup)
    assert done.returncode != 0
    said = "A secret was encrypted with a key that is not in RTMS_SECRETS_KEYS. Add that key first."
    assert json.loads(done.stdout) == {"non_field_errors": [said]}
    assert f"`{said}`" in PAGE
    assert whole() == before


def test_doing_it_again_changes_nothing(restored: House, backup: Path) -> None:
    done = follow(RESTORE, restored.url, backup)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["all there"]), done.stdout + done.stderr


def test_nobody_has_to_be_given_anything_anew(restored: House, customer: Customer) -> None:
    project = restored.http(ADMIN_TOKEN).get(f"/projects/{customer.project_id}").json()
    assert (project["name"], project["concurrency_limit"], project["retention_hours"]) == ("kept", 1, 720)
    assert restored.http(ADMIN_TOKEN).get(f"/projects/{customer.project_id}/template").json() == TEMPLATE
    with customer.http(restored) as server, customer.http(restored, customer.reader) as reader:
        assert server.get(f"/webhooks/{customer.hook_id}").status_code == 200
        assert reader.get("/app_sessions").status_code == 200
        assert reader.get("/webhooks").status_code == 403
        assert server.get(f"/app_sessions/{customer.session_id}").status_code == 404, "sessions do not come back"


def test_a_meeting_is_joined_and_told_as_before(
    restored: House, customer: Customer, receiver: Receiver, tmp_path: Path
) -> None:
    """Zoom's webhook, the app's credentials, the template and the subscription's secret: all are of the backup."""
    webhook_url = f"{restored.url}{customer.webhook_path}"
    with (
        running(["-m", "sinks", "webhooks"], restored.env, tmp_path / "webhooks.log"),
        running(["-m", "ingest"], restored.env | {"RTMS_INGEST_WORKER": "w"}, tmp_path / "ingest.log"),
        SimulatedZoom(webhook_url, tmp_path / "zoom.log", seed=1, seconds=MEETING_S) as zoom,
    ):
        zoom.start_meeting()
        wait_for(
            lambda: "connected" in receiver.states(), PATIENCE_S, lambda: f"told {receiver.states()}; see {tmp_path}"
        )
    with customer.http(restored) as server:
        [session] = server.get("/app_sessions").json()["results"]
    told = [told for told in receiver.told if told.json["app_session_id"] == session["id"]]
    assert [one.data["new_state"] for one in told][:2] == ["connecting", "connected"]
    for one in told:
        assert one.headers["x-webhook-signature"] == signature(customer.hook_secret, one.body.decode())
    assert session["retention_hours"] == 720
