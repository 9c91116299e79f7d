"""A Zoom app that the worker does not know: that there is none is known of a topic that was read to its end."""

import pytest

from ingest import credentials
from ingest.credentials import AppCredentials, ZoomCredentials
from ingest.refusals import NoCredentials
from schemas.records import ZoomApp


class View:
    """Is behind for so many questions; then it knows the app, or that there is none."""

    def __init__(self, behind, learn):
        self.behind, self.learn = behind, learn

    async def wait_to_end_async(self, _timeout_s):
        self.behind -= 1
        if self.behind >= 0:
            return False
        self.learn()
        return True


class Ring:
    def decrypt(self, text):
        return text.removeprefix("sealed ")


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(credentials, "TopicView", lambda *_arguments: None)
    monkeypatch.setattr(credentials, "AGAIN_S", 0)
    return ZoomCredentials(None, None, Ring())


APP = ZoomApp(zoom_app_id="z", project_id="proj_1", client_id="c", client_secret_encrypted="sealed s", created_at_ms=0)


async def test_an_app_is_waited_for_while_the_topic_cannot_be_read(known):
    known._view = View(3, lambda: known._apps.update(z=APP))
    assert await known.of("z") == AppCredentials("c", "s")


async def test_there_is_no_such_app_when_all_of_the_topic_was_read(known):
    known._view = View(1, lambda: None)
    with pytest.raises(NoCredentials, match="no such zoom app"):
        await known.of("z")
