"""Makes a project, an API key and Zoom credentials through the API, as whoever sets the pipeline up would."""

import secrets
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a customer holds after signing up; the Zoom app is the simulated Zoom's."""

    project_id: str
    api_key: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)


def create_tenant(api_url: str, admin_token: str, name: str = "demo") -> Tenant:
    """Raises httpx.HTTPStatusError when the API refuses."""
    client_id = f"demo-{secrets.token_hex(6)}"
    client_secret, webhook_secret = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    headers = {"Authorization": f"Token {admin_token}"}
    with httpx.Client(base_url=f"{api_url}/api/v1", headers=headers, timeout=30, trust_env=False) as api:
        project = _post(api, "/projects", name=name)["id"]
        key = _post(api, f"/projects/{project}/api_keys", name=name)["key"]
        _post(
            api,
            f"/projects/{project}/zoom_apps",
            client_id=client_id,
            client_secret=client_secret,
            webhook_secret=webhook_secret,
        )
    return Tenant(project, key, client_id, client_secret, webhook_secret)


def _post(api: httpx.Client, path: str, **body: str) -> dict[str, str]:
    answer = api.post(path, json=body)
    answer.raise_for_status()
    document: dict[str, str] = answer.json()
    return document
