"""Projects, API keys, Zoom apps, credentials and webhook subscriptions, as this replica has read them from the log.

A Zoom client id belongs to at most one app: the first one in the log, whatever two replicas believed when they wrote.
"""

import threading

from schemas import ids
from schemas.records import (
    ApiKey,
    ApiKeyUse,
    Credential,
    CredentialKind,
    Project,
    Record,
    Template,
    WebhookSubscription,
    ZoomApp,
)


class Directory:
    """Written by the views' threads, read by handlers; every `apply_*` takes one topic's records in log order.

    What is written again is replaced in place: whoever looks without the lock sees the one or the other, never nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._projects: dict[str, Project] = {}
        self._keys: dict[str, ApiKey] = {}
        self._by_digest: dict[str, ApiKey] = {}
        self._zoom_apps: dict[str, ZoomApp] = {}
        self._credentials: dict[str, Credential] = {}
        self._key_uses: dict[str, int] = {}
        self._templates: dict[str, Template] = {}
        self._subscriptions: dict[str, WebhookSubscription] = {}

    def apply_project(self, project_id: str, project: Record | None) -> None:
        with self._lock:
            if isinstance(project, Project):
                self._projects[project_id] = project
            else:
                self._projects.pop(project_id, None)

    def apply_api_key(self, key_id: str, key: Record | None) -> None:
        with self._lock:
            known = self._keys.pop(key_id, None)
            if isinstance(key, ApiKey):
                self._keys[key_id] = self._by_digest[key.secret_sha256] = key
            if known is not None and (not isinstance(key, ApiKey) or key.secret_sha256 != known.secret_sha256):
                self._by_digest.pop(known.secret_sha256, None)

    def apply_api_key_use(self, key_id: str, use: Record | None) -> None:
        with self._lock:
            if isinstance(use, ApiKeyUse):
                self._key_uses[key_id] = max(use.last_used_at_ms, self._key_uses.get(key_id, 0))

    def apply_template(self, project_id: str, template: Record | None) -> None:
        with self._lock:
            if isinstance(template, Template):
                self._templates[project_id] = template
            else:
                self._templates.pop(project_id, None)

    def apply_zoom_app(self, zoom_app_id: str, app: Record | None) -> None:
        with self._lock:
            if isinstance(app, ZoomApp):
                self._zoom_apps[zoom_app_id] = app  # an app that is written again keeps its place
            else:
                self._zoom_apps.pop(zoom_app_id, None)

    def apply_credential(self, credential_id: str, credential: Record | None) -> None:
        with self._lock:
            if isinstance(credential, Credential):
                self._credentials[credential_id] = credential
            else:
                self._credentials.pop(credential_id, None)

    def apply_subscription(self, subscription_id: str, subscription: Record | None) -> None:
        with self._lock:
            if isinstance(subscription, WebhookSubscription):
                self._subscriptions[subscription_id] = subscription
            else:
                self._subscriptions.pop(subscription_id, None)

    def subscription(self, subscription_id: str) -> WebhookSubscription | None:
        return self._subscriptions.get(subscription_id)

    def subscriptions(self, project_id: str) -> list[WebhookSubscription]:
        """The webhook subscriptions of a project, oldest first."""
        with self._lock:
            own = [entry for entry in self._subscriptions.values() if entry.project_id == project_id]
        return sorted(own, key=lambda entry: (entry.created_at_ms, entry.subscription_id))

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        with self._lock:
            return sorted(self._projects.values(), key=lambda project: (project.created_at_ms, project.project_id))

    def project(self, project_id: str) -> Project | None:
        return self._projects.get(project_id)

    def key_of_digest(self, digest: str) -> ApiKey | None:
        """The key with that digest, unless it was switched off."""
        key = self._by_digest.get(digest)
        return None if key is None or key.disabled else key

    def api_keys(self, project_id: str) -> list[ApiKey]:
        """A project's keys, oldest first."""
        with self._lock:
            own = [key for key in self._keys.values() if key.project_id == project_id]
        return sorted(own, key=lambda key: (key.created_at_ms, key.key_id))

    def last_used_ms(self, key_id: str) -> int | None:
        """When a key was last used, to the minute."""
        return self._key_uses.get(key_id)

    def template(self, project_id: str) -> Template | None:
        """How a project's sessions are that Zoom itself announces."""
        return self._templates.get(project_id)

    def zoom_app(self, zoom_app_id: str) -> ZoomApp | None:
        """An app, unless its client id is another's."""
        app = self._zoom_apps.get(zoom_app_id)
        return app if app is not None and self.holder(app.client_id) is app else None

    def zoom_apps(self, project_id: str) -> list[ZoomApp]:
        """The apps of a project, in the order they were added; those that came late for a client id left out."""
        with self._lock:
            return [app for app in self._holders().values() if app.project_id == project_id]

    def credential(self, project_id: str, kind: CredentialKind) -> Credential | None:
        """A project's own credential of a kind."""
        found = self._credentials.get(ids.credential_id(project_id, kind))
        return found if found is not None and (found.project_id, found.kind) == (project_id, kind) else None

    def credentials(self, project_id: str) -> list[Credential]:
        """A project's own credentials, in the order of their kinds."""
        found = [self.credential(project_id, kind) for kind in CredentialKind]
        return [credential for credential in found if credential is not None]

    def holder(self, client_id: str) -> ZoomApp | None:
        """Whose client id it is."""
        with self._lock:
            return self._holders().get(client_id)

    def _holders(self) -> dict[str, ZoomApp]:
        holders: dict[str, ZoomApp] = {}
        for app in self._zoom_apps.values():
            holders.setdefault(app.client_id, app)
        return holders
