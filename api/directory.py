"""Projects, API keys and Zoom apps, as this replica has read them from the log.

A Zoom client id belongs to at most one app: the first one in the log, whatever two replicas believed when they wrote.
"""

import threading

from schemas.records import ApiKey, Project, Record, ZoomApp


class Directory:
    """Written by the views' threads, read by handlers; every `apply_*` takes one topic's records in log order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._projects: dict[str, Project] = {}
        self._keys: dict[str, ApiKey] = {}
        self._by_digest: dict[str, ApiKey] = {}
        self._zoom_apps: dict[str, ZoomApp] = {}

    def apply_project(self, project_id: str, project: Record | None) -> None:
        with self._lock:
            self._projects.pop(project_id, None)
            if isinstance(project, Project):
                self._projects[project_id] = project

    def apply_api_key(self, key_id: str, key: Record | None) -> None:
        with self._lock:
            known = self._keys.pop(key_id, None)
            if known is not None:
                self._by_digest.pop(known.secret_sha256, None)
            if isinstance(key, ApiKey):
                self._keys[key_id] = self._by_digest[key.secret_sha256] = key

    def apply_zoom_app(self, zoom_app_id: str, app: Record | None) -> None:
        with self._lock:
            if isinstance(app, ZoomApp):
                self._zoom_apps[zoom_app_id] = app  # an app that is written again keeps its place
            else:
                self._zoom_apps.pop(zoom_app_id, None)

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        with self._lock:
            return sorted(self._projects.values(), key=lambda project: (project.created_at_ms, project.project_id))

    def project(self, project_id: str) -> Project | None:
        return self._projects.get(project_id)

    def project_of_key(self, digest: str) -> str | None:
        """The project that a key (by its digest) opens."""
        key = self._by_digest.get(digest)
        return None if key is None or key.disabled else key.project_id

    def zoom_apps(self, project_id: str) -> list[ZoomApp]:
        """The apps of a project, in the order they were added; those that came late for a client id left out."""
        with self._lock:
            return [app for app in self._holders().values() if app.project_id == project_id]

    def holder(self, client_id: str) -> ZoomApp | None:
        """Whose client id it is."""
        with self._lock:
            return self._holders().get(client_id)

    def _holders(self) -> dict[str, ZoomApp]:
        holders: dict[str, ZoomApp] = {}
        for app in self._zoom_apps.values():
            holders.setdefault(app.client_id, app)
        return holders
