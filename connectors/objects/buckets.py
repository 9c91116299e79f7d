"""Buckets by the scheme of their URL: Amazon's and whatever speaks S3, Google's, Azure's."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore, GCSStore, S3Store

from connectors.objects.settings import ObjectsSettings

if TYPE_CHECKING:
    from obstore.store import ClientConfig

Bucket = S3Store | GCSStore | AzureStore


def open_bucket(settings: ObjectsSettings, endpoint: str) -> Bucket:
    """The bucket of the settings' URL, at `endpoint` (empty: the provider's own)."""
    options: ClientConfig = {
        "allow_http": endpoint.startswith("http://"),
        "timeout": timedelta(seconds=settings.timeout_s),
    }
    if settings.ca_location:
        options["root_certificate"] = Path(settings.ca_location).read_bytes()
    store: Callable[..., Bucket] = _STORES[settings.scheme]
    return store(
        settings.bucket,
        prefix=settings.prefix or None,
        client_options=options,
        retry_config={"retry_timeout": timedelta(seconds=settings.retry_s)},
        **bucket_config(settings, endpoint),
    )


def bucket_config(settings: ObjectsSettings, endpoint: str) -> dict[str, Any]:
    """What obstore has to know of the bucket. Credentials that are not said are the machine's own. Pure."""
    return _CONFIGS[settings.scheme](settings, endpoint)


def _s3(settings: ObjectsSettings, endpoint: str) -> dict[str, Any]:
    config: dict[str, Any] = {"region": settings.region}
    if endpoint:
        config |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    if settings.access_key_id:
        config["access_key_id"] = settings.access_key_id
        config["secret_access_key"] = settings.secret_access_key.get_secret_value()
    return config


def _google(settings: ObjectsSettings, endpoint: str) -> dict[str, Any]:
    key = settings.service_account_key.get_secret_value()
    return _said(base_url=endpoint, service_account_key=key)


def _azure(settings: ObjectsSettings, endpoint: str) -> dict[str, Any]:
    key = settings.account_key.get_secret_value()
    return _said(endpoint=endpoint, account_name=settings.account, account_key=key)


def _said(**values: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


_STORES: Mapping[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
_CONFIGS: Mapping[str, Callable[[ObjectsSettings, str], dict[str, Any]]] = {"s3": _s3, "gs": _google, "az": _azure}
