"""Folder and buckets behave the same. S3 and Google's are a real server process, Azure's one as its reference says.

Google's storage is spoken to in its XML dialect, which such a server takes; what only Google does is checked here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.objects.errors import BadKey, Denied, NotFound, Unavailable
from connectors.objects.settings import ObjectsSettings
from connectors.objects.signing import Verdict
from connectors.objects.store import ObjectStore
from deploy.local.ports import free_ports
from tests.support.blob_server import ACCOUNT, ACCOUNT_KEY, Account, blob_server
from tests.support.certificates import Authority
from tests.support.s3_server import s3_server
from tests.support.tls_relay import tls_relay

KEY = "app_1/recording.mp4"
EMAIL = "recorder@project.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (port,) = free_ports(1)
    with s3_server(port, tmp_path_factory.mktemp("s3") / "server.log") as url:
        yield url


def bucket_settings(endpoint: str, bucket: str) -> ObjectsSettings:
    return ObjectsSettings(
        url=f"s3://{bucket}/rtms/test",
        endpoint=endpoint,
        access_key_id="key",
        secret_access_key="secret",  # type: ignore[arg-type]
        retry_s=1,
    )


@pytest.fixture
def folder(tmp_path: Path) -> ObjectStore:
    return ObjectStore(
        ObjectsSettings(
            url=f"file://{tmp_path}/objects",
            public_url="http://127.0.0.1:8000/objects",
            signing_key="k",  # type: ignore[arg-type]
        )
    )


@pytest.fixture
def bucket(s3_endpoint: str) -> str:
    """The name of a bucket of the server's, with nothing in it."""
    name = f"b{uuid.uuid4().hex[:16]}"
    assert httpx.put(f"{s3_endpoint}/{name}", trust_env=False, timeout=60).status_code == 200
    return name


@pytest.fixture
def s3(s3_endpoint: str, bucket: str) -> ObjectStore:
    return ObjectStore(bucket_settings(s3_endpoint, bucket))


@pytest.fixture(scope="module")
def service_account() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def google_settings(endpoint: str, bucket: str, service_account: rsa.RSAPrivateKey) -> ObjectsSettings:
    key = service_account.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    document = {"type": "service_account", "client_email": EMAIL, "private_key_id": "1", "private_key": key}
    return ObjectsSettings(
        url=f"gs://{bucket}/rtms/test",
        endpoint=endpoint,
        service_account_key=json.dumps(document),  # type: ignore[arg-type]
        retry_s=1,
    )


@pytest.fixture
def google(s3_endpoint: str, bucket: str, service_account: rsa.RSAPrivateKey) -> ObjectStore:
    return ObjectStore(google_settings(s3_endpoint, bucket, service_account))


@pytest.fixture
def blobs() -> Iterator[str]:
    with blob_server(Account("media")) as url:
        yield url


def container_settings(endpoint: str, key: str = ACCOUNT_KEY) -> ObjectsSettings:
    return ObjectsSettings(
        url="az://media/rtms/test",
        endpoint=endpoint,
        account=ACCOUNT,
        account_key=key,  # type: ignore[arg-type]
        retry_s=1,
    )


@pytest.fixture
def azure(blobs: str) -> ObjectStore:
    return ObjectStore(container_settings(blobs))


BUCKETS = ["s3", "google", "azure"]


@pytest.fixture(params=["folder", *BUCKETS])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    made: ObjectStore = request.getfixturevalue(request.param)
    return made


def test_what_was_put_can_be_got_whole_and_in_part(store: ObjectStore) -> None:
    data = os.urandom(3_000_000)
    store.put(KEY, data, "video/mp4")
    assert store.get(KEY) == data
    assert store.get_range(KEY, 1_000_000, 1_000_010) == data[1_000_000:1_000_010]
    assert b"".join(store.stream(KEY)) == data
    assert b"".join(store.stream(KEY, 5, 2_500_000)) == data[5:2_500_000]
    assert store.stat(KEY).size_bytes == len(data)
    assert abs(store.stat(KEY).modified_ms / 1000 - time.time()) < 120


async def test_coroutines_stream_too(store: ObjectStore) -> None:
    data = os.urandom(2_500_000)
    store.put(KEY, memoryview(data))
    assert b"".join([chunk async for chunk in store.stream_async(KEY)]) == data
    assert (await store.stat_async(KEY)).size_bytes == len(data)


def test_putting_again_is_no_change(store: ObjectStore) -> None:
    store.put(KEY, b"same")
    store.put(KEY, b"same")
    assert store.get(KEY) == b"same"
    assert [found.key for found in store.list("app_1")] == [KEY]


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put(KEY, b"")
    assert store.get(KEY) == b""
    assert list(store.stream(KEY)) == []


def test_a_large_file_is_put_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    data = os.urandom(1024) * 13 * 1024
    path = tmp_path / "recording.mp4"
    path.write_bytes(data)
    store.put_file(KEY, path, "video/mp4")
    assert store.stat(KEY).size_bytes == len(data)
    assert store.get(KEY) == data


def test_listing_is_by_whole_segments_and_in_order(store: ObjectStore) -> None:
    names = [f"app_1/segments/{number:04d}.m4s" for number in range(30)]
    for name in reversed([*names, "app_10/segments/0000.m4s", "app_1/segments2/x"]):
        store.put(name, b"12")
    found = store.list("app_1/segments")
    assert [item.key for item in found] == names
    assert {item.size_bytes for item in found} == {2}
    assert store.list("app_2") == []


def test_what_is_not_there_is_not_found_and_deleting_it_is_no_error(store: ObjectStore) -> None:
    for ask in (store.get, store.stat, lambda key: store.get_range(key, 0, 1)):
        with pytest.raises(NotFound):
            ask(KEY)
    store.delete(KEY)
    store.put(KEY, b"x")
    store.delete(KEY)
    with pytest.raises(NotFound):
        store.get(KEY)


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "a/../../b", "", "a//b"])
def test_no_key_leads_out(store: ObjectStore, key: str) -> None:
    for ask in (store.get, store.delete, lambda key: store.put(key, b"x"), lambda key: store.signed_url(key, 60, 0)):
        with pytest.raises(BadKey):
            ask(key)


def test_readers_never_see_half_an_object(store: ObjectStore) -> None:
    whole = {bytes([value]) * 400_000 for value in range(10)}
    store.put(KEY, next(iter(whole)))
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(store.put, KEY, data) for data in whole]
        while not all(write.done() for write in writes):
            assert store.get(KEY) in whole
    for write in writes:
        write.result()


def test_a_folder_link_is_judged_by_the_store(tmp_path: Path) -> None:
    store = ObjectStore(
        ObjectsSettings(url=f"file://{tmp_path}", public_url="http://h/objects", signing_key="k")  # type: ignore[arg-type]
    )
    now_ms = 1_700_000_000_000
    url = urlsplit(store.signed_url(KEY, 60, now_ms))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.path == f"/objects/{KEY}"
    assert store.verify(KEY, query["expires"], query["signature"], now_ms + 59_999) is Verdict.GOOD
    assert store.verify(KEY, query["expires"], query["signature"], now_ms + 60_000) is Verdict.EXPIRED
    assert store.verify("app_2/recording.mp4", query["expires"], query["signature"], now_ms) is Verdict.FORGED


def test_no_links_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(Denied, match="RTMS_OBJECTS_SIGNING_KEY"):
        ObjectStore(ObjectsSettings(url=f"file://{tmp_path}")).signed_url(KEY, 60, 0)


@pytest.mark.parametrize("kind", BUCKETS)
def test_a_bucket_link_fetches_ranges_without_credentials(request: pytest.FixtureRequest, kind: str) -> None:
    store: ObjectStore = request.getfixturevalue(kind)
    store.put(KEY, b"0123456789", "video/mp4")
    url = store.signed_url(KEY, 60, 0)
    whole = httpx.get(url, trust_env=False, timeout=60)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, b"0123456789", "video/mp4")
    part = httpx.get(url, headers={"Range": "bytes=2-4"}, trust_env=False, timeout=60)
    assert (part.status_code, part.content) == (206, b"234")


def test_a_bucket_link_names_the_public_host(s3_endpoint: str) -> None:
    settings = bucket_settings(s3_endpoint, "links").model_copy(update={"public_url": "https://media.example.com"})
    assert urlsplit(ObjectStore(settings).signed_url(KEY, 60, 0)).netloc == "media.example.com"


def test_a_link_to_googles_bucket_is_signed_by_the_account_itself(service_account: rsa.RSAPrivateKey) -> None:
    """As Google's reference of its V4 signatures says."""
    store = ObjectStore(google_settings("", "recordings", service_account))
    link = urlsplit(store.signed_url(KEY, 60, 0))
    assert (link.netloc, link.path) == ("storage.googleapis.com", f"/recordings/rtms/test/{KEY}")
    query, _, signature = link.query.rpartition("&X-Goog-Signature=")
    asked = parse_qs(query)
    assert (asked["X-Goog-Expires"], asked["X-Goog-SignedHeaders"]) == (["60"], ["host"])
    [moment], [credential] = asked["X-Goog-Date"], asked["X-Goog-Credential"]
    email, _, scope = credential.partition("/")
    assert email == EMAIL
    request = f"GET\n{link.path}\n{query}\nhost:{link.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"GOOG4-RSA-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    public = service_account.public_key()
    public.verify(bytes.fromhex(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())  # raises if it is not


def test_a_link_to_azures_container_is_good_for_that_blob_alone(azure: ObjectStore) -> None:
    for key in (KEY, "app_2/recording.mp4"):
        azure.put(key, b"0123456789", "video/mp4")
    link = azure.signed_url(KEY, 60, 0)
    assert httpx.get(link, trust_env=False, timeout=60).status_code == 200
    assert httpx.get(link.replace("app_1", "app_2"), trust_env=False, timeout=60).status_code == 403
    put = httpx.put(link, content=b"x", headers={"x-ms-blob-type": "BlockBlob"}, trust_env=False, timeout=60)
    assert put.status_code == 403


def test_a_wrong_account_key_is_denied(blobs: str) -> None:
    store = ObjectStore(container_settings(blobs, base64.b64encode(b"another key").decode()))
    with pytest.raises(Denied):
        store.put(KEY, b"x")


def test_an_absent_bucket_is_not_found_and_an_absent_server_worth_another_try(s3_endpoint: str, blobs: str) -> None:
    elsewhere = container_settings(blobs).model_copy(update={"url": "az://nobody-made-this"})
    for absent in (bucket_settings(s3_endpoint, "nobody-made-this"), elsewhere):
        with pytest.raises(NotFound):
            ObjectStore(absent).put(KEY, b"x")
    for away in (bucket_settings("http://127.0.0.1:1", "b"), container_settings("http://127.0.0.1:1")):
        with pytest.raises(Unavailable) as error:
            ObjectStore(away).put(KEY, b"x")
        assert error.value.retryable


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ObjectStore(ObjectsSettings(url=f"file://{tmp_path}"))
    with pytest.raises((Unavailable, Denied)):
        store.put("file/below", b"x")


def test_a_bucket_behind_an_authority_of_ones_own(s3_endpoint: str, bucket: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with tls_relay(urlsplit(s3_endpoint).port or 0, authority) as port:
        settings = bucket_settings(f"https://127.0.0.1:{port}", bucket)
        with pytest.raises(Unavailable):
            ObjectStore(settings).put(KEY, b"content")
        store = ObjectStore(settings.model_copy(update={"ca_location": str(authority.file)}))
        store.put(KEY, b"content")
        assert store.get(KEY) == b"content"
