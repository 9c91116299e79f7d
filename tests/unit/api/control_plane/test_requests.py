"""What operators send."""

import pytest

from api.control_plane.requests import api_key, project, project_change, project_document, zoom_app
from api.errors import ApiError
from schemas.records import Project


def errors(call, body):
    with pytest.raises(ApiError) as caught:
        call(body)
    assert caught.value.status == 400
    return caught.value.body


def test_projects():
    assert project({"name": "Acme"}) == {"name": "Acme"}
    assert project({"name": "Acme", "concurrency_limit": 0})["concurrency_limit"] == 0
    assert project_change({"concurrency_limit": None}) == {"concurrency_limit": None}
    assert project_change({}) == {}
    assert errors(project, {}) == {"name": ["This field is required."]}
    assert errors(project, {"name": None}) == {"name": ["This field may not be null."]}
    assert errors(project, {"name": ""}) == {"name": ["'' should be non-empty"]}
    assert errors(project, {"name": "a", "x": 1}).keys() == {"non_field_errors"}
    for limit in (-1, "3", 1.5, True):
        assert errors(project, {"name": "a", "concurrency_limit": limit}).keys() == {"concurrency_limit"}


def test_keys():
    assert api_key({"name": "a"}) == {"name": "a"}
    asked = {"name": "a", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z"}
    assert api_key(asked) == {"name": "a", "scopes": ["read"], "expires_at": 1_798_761_600_000}
    for field, value in (("scopes", []), ("scopes", ["all"]), ("expires_at", "soon"), ("expires_at", 5)):
        assert errors(api_key, {"name": "a", field: value}).keys() == {field}


def test_zoom_apps():
    given = {"client_id": "c", "client_secret": "s"}
    assert zoom_app(given) == given
    assert zoom_app(given | {"webhook_secret": "w"})["webhook_secret"] == "w"
    assert errors(zoom_app, {"client_id": 3}).keys() == {"client_id", "client_secret"}


@pytest.mark.parametrize("secret", ["K" * 513, "K" * 100_000, "K K", "K\nK", "Kö", {"K": "K"}, ["K"]])
def test_what_is_no_secret_is_refused_and_not_repeated(secret):
    for field in ("client_secret", "webhook_secret"):
        [text] = errors(zoom_app, {"client_id": "c", "client_secret": "s", field: secret})[field]
        assert text == "This is no key: it must be of 1 to 512 visible ASCII characters, without spaces."


def test_a_secret_out_of_a_file_is_taken_without_the_files_end():
    """Whatever is signed with it would be another's: no stream could be joined, and no webhook was genuine."""
    given = {"client_id": "c\n", "client_secret": " s\r\n", "webhook_secret": "w\n"}
    assert zoom_app(given) == {"client_id": "c", "client_secret": "s", "webhook_secret": "w"}


def test_a_project_as_it_is_answered():
    assert project_document(Project(project_id="proj_1", name="n", created_at_ms=1)) == {
        "id": "proj_1", "name": "n", "concurrency_limit": None, "retention_hours": None,
        "created_at": "1970-01-01T00:00:00.001000Z",
    }  # fmt: skip


def test_a_whole_number_may_be_written_as_a_decimal_fraction():
    found = project({"name": "n", "concurrency_limit": 120.0, "retention_hours": 24.0})
    assert [type(found[name]) for name in ("concurrency_limit", "retention_hours")] == [int, int]
