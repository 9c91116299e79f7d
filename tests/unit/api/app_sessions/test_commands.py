"""Which Zoom app a stream is for."""

import pytest

from api.app_sessions.commands import chosen
from api.errors import ApiError
from schemas.records import ZoomApp


def app(number):
    return ZoomApp(
        zoom_app_id=f"zoa_{number}", project_id="p", client_id=f"client_{number}", client_secret_encrypted="x",
        created_at_ms=1,
    )  # fmt: skip


def test_the_only_one():
    assert chosen([app(1)], None) == app(1)


@pytest.mark.parametrize("named", ["zoa_2", "client_2"])
def test_the_one_that_is_named(named):
    assert chosen([app(1), app(2)], named) == app(2)


@pytest.mark.parametrize(
    ("apps", "named", "text"),
    [([], None, "has no Zoom app"), ([app(1), app(2)], None, "several Zoom apps"), ([app(1)], "zoa_9", "with that id")],
)
def test_otherwise_it_says_what_to_do(apps, named, text):
    with pytest.raises(ApiError) as caught:
        chosen(apps, named)
    assert caught.value.status == 400
    assert text in caught.value.body["error"]
