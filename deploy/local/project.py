"""The project that `make up` offers: made through the API like anybody's, once per run folder.

It knows the Zoom app that the environment names, and the simulated Zoom's, so that a meeting can be tried at once.
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


def default_project(api_url: str, admin_token: str, settings: LocalSettings) -> Project:
    """The run folder's project, made now if there is none, with its Zoom apps.

    Raises:
        httpx.HTTPError: the API refuses or does not answer.
    """
    kept = settings.run_dir / "project.json"
    headers = {"Authorization": f"Token {admin_token}"}
    with httpx.Client(base_url=f"{api_url}/api/v1", headers=headers, timeout=_TIMEOUT_S, trust_env=False) as api:
        project = _kept(kept) or _made(api, kept)
        for app in _zoom_apps(settings):
            _post(api, f"/projects/{project.project_id}/zoom_apps", app)
    return project


def _kept(path: Path) -> Project | None:
    return Project(**json.loads(path.read_text())) if path.exists() else None


def _made(api: httpx.Client, path: Path) -> Project:
    project_id = _post(api, "/projects", {"name": "default"})["id"]
    project = Project(project_id, _post(api, f"/projects/{project_id}/api_keys", {"name": "local"})["key"])
    write_private(path, json.dumps(project._asdict()))
    return project


def _zoom_apps(settings: LocalSettings) -> list[dict[str, str]]:
    apps = [asdict(Credentials())]
    if settings.zoom_client_id:
        named = {
            "client_id": settings.zoom_client_id,
            "client_secret": settings.zoom_client_secret.get_secret_value(),
            "webhook_secret": settings.zoom_webhook_secret.get_secret_value(),
        }
        apps.append({name: value for name, value in named.items() if value})
    return apps


def _post(api: httpx.Client, path: str, body: dict[str, str]) -> dict[str, str]:
    answer = api.post(path, json=body)
    answer.raise_for_status()
    document: dict[str, str] = answer.json()
    return document
