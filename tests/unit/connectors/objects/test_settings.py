"""One URL says where objects live."""

import pytest
from pydantic import ValidationError

from connectors.objects.settings import ObjectsSettings


def test_a_folder() -> None:
    settings = ObjectsSettings(url="file:///var/data/objects")
    assert (settings.is_folder, settings.folder) == (True, "/var/data/objects")


def test_a_bucket_with_a_prefix() -> None:
    settings = ObjectsSettings(url="s3://media/rtms/prod/", endpoint="http://127.0.0.1:9000")
    assert (settings.is_folder, settings.bucket, settings.prefix) == (False, "media", "rtms/prod")
    assert settings.s3_config("http://127.0.0.1:9000")["virtual_hosted_style_request"] is False


def test_without_keys_the_machines_own_credentials_are_used() -> None:
    assert not {"access_key_id", "secret_access_key"} & ObjectsSettings(url="s3://b").s3_config("").keys()


@pytest.mark.parametrize("url", ["", "/data", "file://host/data", "file:data", "s3://", "http://x/y", "gs://b"])
def test_other_places_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        ObjectsSettings(url=url)


def test_an_authority_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be a file that exists"):
        ObjectsSettings(ca_location="/nowhere/ca.crt")
