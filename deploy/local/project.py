"""The projects that `make up` offers: made through the API like anybody's, once per run folder.

One knows the simulated Zoom's app, so that a meeting can be tried at once; another the app that the environment names.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import httpx

from connectors.rtms.simulator.rules import Credentials
from deploy.local.credentials import write_private
from deploy.local.settings import LocalSettings

_TIMEOUT_S = 30.0


class Project(NamedTuple):
    """A tenant and the key that acts for it; the key is shown by the API only once, so it is kept."""

    project_id: str
    api_key: str


def simulated_project(api_url: str, admin_token: str, settings: LocalSettings) -> Project:
    """The run folder's project for the simulated Zoom's app, made now if there is none.

    Raises:
        httpx.HTTPError: the API refuses or does not answer.
    """
    return _project("simulated", asdict(Credentials()), api_url, admin_token, settings.run_dir)


def zoom_project(api_url: str, admin_token: str, settings: LocalSettings) -> Project | None:
    """The run folder's project for the Zoom app that the environment names; None when it names none."""
    if not settings.zoom_client_id:
        return None
    app = {
        "client_id": settings.zoom_client_id,
        "client_secret": settings.zoom_client_secret.get_secret_value(),
        "webhook_secret": settings.zoom_webhook_secret.get_secret_value(),
    }
    given = {name: value for name, value in app.items() if value}
    return _project("zoom", given, api_url, admin_token, settings.run_dir)


def _project(name: str, app: dict[str, str], api_url: str, admin_token: str, run_dir: Path) -> Project:
    """One project per app, so that a session need not say which app it is for."""
    kept = run_dir / f"project-{name}.json"
    headers = {"Authorization": f"Token {admin_token}"}
    with httpx.Client(base_url=f"{api_url}/api/v1", headers=headers, timeout=_TIMEOUT_S, trust_env=False) as api:
        project = _kept(kept) or _made(api, name, kept)
        _post(api, f"/projects/{project.project_id}/zoom_apps", app)
    return project


def _kept(path: Path) -> Project | None:
    return Project(**json.loads(path.read_text())) if path.exists() else None


def _made(api: httpx.Client, name: str, path: Path) -> Project:
    project_id = _post(api, "/projects", {"name": name})["id"]
    project = Project(project_id, _post(api, f"/projects/{project_id}/api_keys", {"name": "local"})["key"])
    write_private(path, json.dumps(project._asdict()))
    return project


def _post(api: httpx.Client, path: str, body: dict[str, str]) -> dict[str, str]:
    answer = api.post(path, json=body)
    answer.raise_for_status()
    document: dict[str, str] = answer.json()
    return document
