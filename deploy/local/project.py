"""The projects that `make up` offers: made through the API like anybody's, once per run folder.

One knows the simulated Zoom's app, so that a meeting can be tried at once; each app that the environment has named has
one of its own, so that a session need not say which app it is for.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx

from connectors.host.configuration import NotConfigured
from connectors.rtms.simulator.rules import Credentials
from deploy.local.asking import answered
from deploy.local.credentials import write_private
from deploy.local.settings import LocalSettings

_TIMEOUT_S = 30.0


class Refused(Exception):
    """The API does not do what it was asked to; the text is what it says itself."""


class Project(NamedTuple):
    """A tenant and the key that acts for it; the key is shown by the API only once, so it is kept."""

    project_id: str
    api_key: str


def simulated_project(api_url: str, admin_token: str, settings: LocalSettings) -> Project:
    """The run folder's project for the simulated Zoom's app, made now if there is none.

    Raises:
        Refused: the API refuses.
        httpx.HTTPError: the API does not answer.
    """
    return _project("simulated", asdict(Credentials()), api_url, admin_token, settings.run_dir)


def check_zoom_app(settings: LocalSettings) -> None:
    """Raises NotConfigured when the environment names half of a Zoom app, which the API would not take."""
    secrets = (settings.zoom_client_secret, settings.zoom_webhook_secret)
    if settings.zoom_client_id and not settings.zoom_client_secret.get_secret_value():
        raise NotConfigured("ZOOM_CLIENT_ID is set and ZOOM_CLIENT_SECRET is not: set both, or neither")
    if not settings.zoom_client_id and any(secret.get_secret_value() for secret in secrets):
        raise NotConfigured("ZOOM_CLIENT_ID is not set, but a secret of a Zoom app is: set both, or neither")


def zoom_project(api_url: str, admin_token: str, settings: LocalSettings) -> Project | None:
    """The run folder's project for the Zoom app that the environment names; None when it names none.

    Raises:
        Refused: the API refuses; most likely another project has this app.
        httpx.HTTPError: the API does not answer.
    """
    if not settings.zoom_client_id:
        return None
    app = {
        "client_id": settings.zoom_client_id,
        "client_secret": settings.zoom_client_secret.get_secret_value(),
        "webhook_secret": settings.zoom_webhook_secret.get_secret_value(),
    }
    given = {name: value for name, value in app.items() if value}
    name = f"zoom-{quote(settings.zoom_client_id, safe='')}"
    return _project(name, given, api_url, admin_token, settings.run_dir)


def _project(name: str, app: dict[str, str], api_url: str, admin_token: str, run_dir: Path) -> Project:
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
    """What the API answers; an API that has just started may be behind with what it follows, and is asked again."""
    answer = answered(lambda: api.post(path, json=body))
    if not answer.is_success:
        raise Refused(f"the API refuses it: {said_in(answer.text) or answer.status_code}")
    document: dict[str, str] = answer.json()
    return document


def said_in(body: str) -> str:
    """What the API says in the body of a refusal: an error, or what is wrong with each field. Pure."""
    try:
        said = json.loads(body)
    except ValueError:
        return body
    if not isinstance(said, dict):
        return body
    if plain := said.get("error") or said.get("detail"):
        return str(plain)
    return "; ".join(f"{field}: {_listed(problems)}" for field, problems in said.items())


def _listed(problems: object) -> str:
    return " ".join(map(str, problems)) if isinstance(problems, list) else str(problems)
