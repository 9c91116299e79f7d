"""What is in a project's credential beside who it is: the secret, and of a storage where it is. Pure."""

from dataclasses import dataclass, field

import msgspec

from schemas.records import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAccess:
    """How a project's own S3 storage is reached, beside its bucket: `endpoint_url` of what is not Amazon's."""

    access_key_id: str
    access_key_secret: str = field(default="", repr=False)
    endpoint_url: str | None = None
    region_name: str | None = None


_access = msgspec.json.Decoder(StorageAccess)


def storage_details(access: StorageAccess) -> str:
    """What of it is no secret, as it stands in the record."""
    return msgspec.json.encode(
        {
            "access_key_id": access.access_key_id,
            "endpoint_url": access.endpoint_url,
            "region_name": access.region_name,
        }
    ).decode()


def storage_access(credential: Credential, secret: str = "") -> StorageAccess:
    """The access in a credential for a storage, with its decrypted secret. Raises ValueError where it says none."""
    known = _access.decode(credential.details)
    return StorageAccess(
        access_key_id=known.access_key_id,
        access_key_secret=secret,
        endpoint_url=known.endpoint_url,
        region_name=known.region_name,
    )
