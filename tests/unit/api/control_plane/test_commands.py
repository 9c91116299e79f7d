"""A Zoom app whose credentials are no good is not saved, where Zoom can be asked."""

from types import SimpleNamespace

import pytest

from api.control_plane import commands
from api.errors import ApiError
from connectors.host.clock import SystemClock
from connectors.host.secrets import KeyRing
from connectors.rtms.credentials import Verdict
from schemas.records import Project

PROJECT = Project(project_id="proj_1", name="Acme", created_at_ms=1)
GIVEN = {"client_id": "abc", "client_secret": "s3cret"}


class Zoom:
    def __init__(self, verdict):
        self.verdict, self.asked = verdict, []

    async def check(self, *credentials):
        self.asked.append(credentials)
        return self.verdict


@pytest.fixture
def saved(monkeypatch):
    """What is written to the log."""
    found = []

    async def written(_services, topic, key, record):
        found.append((topic.name, key, record))

    monkeypatch.setattr(commands, "written", written)
    return found


def services(zoom):
    directory = SimpleNamespace(holder=lambda _client_id: None)
    ring = KeyRing([KeyRing.generate()])
    return SimpleNamespace(directory=directory, key_ring=ring, clock=SystemClock(), zoom_oauth=zoom)


@pytest.mark.parametrize("zoom", [None, Zoom(Verdict.GOOD)])
async def test_good_credentials_are_saved_and_so_are_all_where_nobody_is_asked(saved, zoom):
    app = await commands.put_zoom_app(services(zoom), PROJECT, GIVEN)
    assert saved == [("zoom-apps", app.zoom_app_id, app)]
    assert zoom is None or zoom.asked == [("abc", "s3cret")]


@pytest.mark.parametrize(("verdict", "status"), [(Verdict.BAD, 400), (Verdict.UNKNOWN, 503)])
async def test_others_are_not(saved, verdict, status):
    with pytest.raises(ApiError) as refused:
        await commands.put_zoom_app(services(Zoom(verdict)), PROJECT, GIVEN)
    assert (refused.value.status, saved) == (status, [])
    assert "s3cret" not in str(refused.value.body)
