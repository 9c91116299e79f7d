"""Where objects live, read from `RTMS_OBJECTS_*`: a folder by default, a bucket by configuration."""

import json
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.addresses import existing_file

BUCKETS = ("s3", "gs", "az")
"""The schemes of URLs that name a bucket."""


class ObjectsSettings(BaseSettings):
    """`url` is `file:///folder`, or `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.

    `public_url` is where clients fetch: for a folder the API's address of objects, for a bucket the endpoint as clients
    reach it when that differs from ours. `signing_key` signs links to a folder's objects and to playlists, which no
    storage could sign; every API replica needs the same.
    """

    model_config = SettingsConfigDict(env_prefix="RTMS_OBJECTS_")

    url: str = Field(
        default="file:///var/lib/rtms/objects",
        description="file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix",
    )
    public_url: str = Field(default="", description="where clients fetch, when that is not where we write")
    signing_key: SecretStr = Field(
        default=SecretStr(""), description="signs a folder's links: any text, the same for every API replica"
    )

    endpoint: str = Field(default="", description="of the storage, when it is not Amazon's, Google's or Azure's own")
    region: str = Field(default="us-east-1", description="of an S3 bucket")
    access_key_id: str = Field(default="", description="for S3; empty: the machine's own credentials")
    secret_access_key: SecretStr = Field(default=SecretStr(""), description="goes with the access key's id")
    service_account_key: SecretStr = Field(
        default=SecretStr(""), description="for Google: the JSON of a service account's key; empty: the machine's own"
    )
    account: str = Field(default="", description="for Azure: the storage account's name")
    account_key: SecretStr = Field(
        default=SecretStr(""), description="for Azure: the storage account's key; empty: the machine's own identity"
    )
    ca_location: str = Field(
        default="", description="a file with the authority's certificate of that service; empty: the public ones"
    )
    timeout_s: int = Field(default=30, ge=1, description="for one answer of the store")
    retry_s: int = Field(default=10, ge=0, description="how long one call is retried by itself")

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
            return url
        if parts.scheme in BUCKETS and parts.netloc:
            return url
        raise ValueError("must be file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix")

    @field_validator("ca_location")
    @classmethod
    def _readable(cls, location: str) -> str:
        return existing_file(location)

    @model_validator(mode="after")
    def _whole_key(self) -> Self:
        if self.access_key_id and not self.secret_access_key.get_secret_value():
            raise ValueError(
                "RTMS_OBJECTS_SECRET_ACCESS_KEY is not set: set it, or leave out RTMS_OBJECTS_ACCESS_KEY_ID too "
                "for the machine's own credentials"
            )
        return self

    @field_validator("service_account_key")
    @classmethod
    def _key_of_an_account(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value():
            try:
                document = json.loads(key.get_secret_value())
            except ValueError:
                document = None
            if not isinstance(document, dict) or "private_key" not in document:
                raise ValueError("must be the JSON of a service account's key, not the name of its file")
        return key

    @model_validator(mode="after")
    def _whose_container(self) -> Self:
        if self.scheme == "az" and not self.account:
            raise ValueError("RTMS_OBJECTS_ACCOUNT is not set: name the storage account that holds the container")
        return self

    @property
    def scheme(self) -> str:
        """What kind of storage it is: `file`, or one of BUCKETS."""
        return urlsplit(self.url).scheme

    @property
    def is_folder(self) -> bool:
        """Whether objects are files of this machine."""
        return self.scheme == "file"

    @property
    def folder(self) -> str:
        """The folder of a file URL."""
        return urlsplit(self.url).path

    @property
    def bucket(self) -> str:
        """The bucket (of Azure: the container) of a bucket's URL."""
        return urlsplit(self.url).netloc

    @property
    def prefix(self) -> str:
        """What every key in the bucket begins with."""
        return urlsplit(self.url).path.strip("/")
