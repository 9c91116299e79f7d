"""What operators send."""

import pytest

from api.control_plane.requests import name, project_document, zoom_app
from api.errors import ApiError
from schemas.records import Project


def errors(call, body):
    with pytest.raises(ApiError) as caught:
        call(body)
    assert caught.value.status == 400
    return caught.value.body


def test_names():
    assert name({"name": "Acme"}) == "Acme"
    assert errors(name, {}) == {"name": ["This field is required."]}
    assert errors(name, {"name": None}) == {"name": ["This field may not be null."]}
    assert errors(name, {"name": ""}) == {"name": ["'' should be non-empty"]}
    assert errors(name, {"name": "a", "x": 1}).keys() == {"non_field_errors"}


def test_zoom_apps():
    given = {"client_id": "c", "client_secret": "s"}
    assert zoom_app(given) == given
    assert zoom_app(given | {"webhook_secret": "w"})["webhook_secret"] == "w"
    assert errors(zoom_app, {"client_id": 3}).keys() == {"client_id", "client_secret"}


@pytest.mark.parametrize("length", [513, 100_000])
def test_secrets_are_bounded(length):
    text = errors(zoom_app, {"client_id": "c", "client_secret": "s" * length})["client_secret"][0]
    assert text.endswith("is too long")
    assert len(text) < 200


def test_a_project_as_it_is_answered():
    assert project_document(Project(project_id="proj_1", name="n", created_at_ms=1)) == {"id": "proj_1", "name": "n"}
