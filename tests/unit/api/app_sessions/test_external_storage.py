"""Which buckets and names a copy of the recording may be asked for."""

from collections.abc import Mapping

import pytest

from api.app_sessions.external_storage import external_storage
from api.app_sessions.requests import wishes_of
from api.shapes import Invalid


def wrong(value: object) -> Mapping[str, object]:
    """What is wrong with which part of it."""
    with pytest.raises(Invalid) as refused:
        external_storage(value)
    assert isinstance(refused.value.detail, Mapping)
    return refused.value.detail


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\n", "a\0b", "\ud800", "é" * 513, "a" * 1025],
)
def test_a_copy_has_a_name_that_every_storage_understands(name: str) -> None:
    given = {"bucket_name": "mine", "recording_file_name": name}
    assert wrong(given).keys() == {"recording_file_name"}


@pytest.mark.parametrize("bucket", ["", "ab", "a/b", "a b", "..", "-ab", "a?b", "mine#", "x" * 256, "é" * 5])
def test_a_copy_goes_into_a_bucket(bucket: str) -> None:
    assert wrong({"bucket_name": bucket}).keys() == {"bucket_name"}


def test_a_copy_is_part_of_what_the_session_is_to_be() -> None:
    values = external_storage({"bucket_name": "mine", "recording_file_name": "weekly/1.mp4"})
    wishes = wishes_of({"external_media_storage_settings": values})
    assert (wishes.settings.copy_bucket, wishes.settings.copy_name) == ("mine", "weekly/1.mp4")
    assert wishes.given == ("copy_bucket", "copy_name")
    assert external_storage({"bucket_name": "mine"}) == {"copy_bucket": "mine", "copy_name": None}
