"""No key leads out of the folder."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.objects.errors import BadKey
from connectors.objects.keys import checked


@pytest.mark.parametrize("key", ["app_1/recording.mp4", "app_1/segments/0001717171000-0.m4s", "a=b/c", "x"])
def test_ours(key: str) -> None:
    assert checked(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        ".",
        "a/.hidden",
        "a\\b",
        "a\0b",
        "a b",
        "ä",
        "a\n",
        "a%2e",
        "a" * 201,
        "b/" * 300,
    ],
)
def test_not_ours(key: str) -> None:
    with pytest.raises(BadKey):
        checked(key)


@given(st.text(alphabet="a./\\ _-\n\0", max_size=20))
def test_what_passes_stays_below_the_folder(key: str) -> None:
    try:
        checked(key)
    except BadKey:
        return
    path = PurePosixPath("/folder", key)
    assert path.is_relative_to("/folder")
    assert ".." not in path.parts
    assert str(path) == f"/folder/{key}"
