"""One URL says where objects live."""

import pytest
from pydantic import ValidationError

from connectors.objects.buckets import bucket_config
from connectors.objects.settings import ObjectsSettings


def test_a_folder() -> None:
    settings = ObjectsSettings(url="file:///var/data/objects")
    assert (settings.is_folder, settings.folder) == (True, "/var/data/objects")


def test_a_bucket_with_a_prefix() -> None:
    settings = ObjectsSettings(url="s3://media/rtms/prod/", endpoint="http://127.0.0.1:9000")
    assert (settings.is_folder, settings.bucket, settings.prefix) == (False, "media", "rtms/prod")
    assert bucket_config(settings, "http://127.0.0.1:9000")["virtual_hosted_style_request"] is False


def test_without_keys_the_machines_own_credentials_are_used() -> None:
    assert bucket_config(ObjectsSettings(url="s3://b"), "") == {"region": "us-east-1"}
    assert bucket_config(ObjectsSettings(url="gs://b"), "") == {}
    assert bucket_config(ObjectsSettings(url="az://c", account="ours"), "") == {"account_name": "ours"}


def test_a_container_is_somebodys() -> None:
    with pytest.raises(ValidationError, match="RTMS_OBJECTS_ACCOUNT is not set: name the storage account"):
        ObjectsSettings(url="az://media")


@pytest.mark.parametrize("key", ["/etc/key.json", "[]", "{}", '"private_key"'])
def test_a_service_accounts_key_is_its_document(key: str) -> None:
    with pytest.raises(ValidationError, match="must be the JSON of a service account's key, not the name of its file"):
        ObjectsSettings(url="gs://b", service_account_key=key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["", "/data", "file://host/data", "file:data", "s3://", "http://x/y", "gs://", "az:///x"]
)
def test_other_places_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        ObjectsSettings(url=url)


def test_an_authority_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be a file that exists"):
        ObjectsSettings(ca_location="/nowhere/ca.crt")
