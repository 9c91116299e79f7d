"""Puts one file into a customer's own bucket, whose storage may be anywhere and say anything.

What is asked is signed by the library that speaks S3; the connection is ours: its address is the one that was judged,
redirects are not followed, certificates are verified, of an answer only the beginning is read, and all of it ends.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpcore
import obstore
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream
from obstore.exceptions import BaseError
from obstore.store import S3Store

from connectors.host.clock import Clock
from schemas.credentials import StorageAccess

if TYPE_CHECKING:
    from obstore.store import S3Credential

CONNECT_S = 10.0
SILENCE_S = 30.0
SLICE_S = 1.0
SLOWEST_BYTES_PER_S = 256 * 1024
MAX_ANSWER_BYTES = 8 * 1024
WRITTEN_BYTES = 32 * 1024
"""Between two looks at whether it is time to leave off."""

DEFAULT_REGION = "us-east-1"
"""What storages that are not Amazon's are signed for."""

AMAZON = "https://s3.{region}.amazonaws.com"
"""Where a bucket is of which no endpoint is said."""

LARGEST_BYTES = 5 * 1024**3
"""What S3 takes in one piece."""

_SIGNED_FOR = timedelta(hours=12)
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,100})</Code>")


class Why(StrEnum):
    """Why there is no copy."""

    CREDENTIALS_NOT_FOUND = "credentials_not_found"
    CREDENTIALS_UNREADABLE = "credentials_unreadable"
    CREDENTIALS_INVALID = "credentials_invalid"
    ACCESS_DENIED = "access_denied"
    BUCKET_NOT_FOUND = "bucket_not_found"
    WRONG_REGION = "wrong_region"
    REDIRECTED = "redirected"
    TARGET_NOT_ALLOWED = "target_not_allowed"
    TOO_LARGE = "recording_too_large"
    REFUSED = "refused"
    TLS_FAILED = "tls_failed"
    UNREACHABLE = "connection_failed"
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "storage_unavailable"
    DIFFERS = "copy_differs"
    BROKE = "internal_error"


PASSING = frozenset(
    {Why.TLS_FAILED, Why.UNREACHABLE, Why.TIMED_OUT, Why.UNAVAILABLE, Why.DIFFERS, Why.CREDENTIALS_UNREADABLE}
)
"""What may be otherwise soon, and not because the customer changed a setting."""

_BY_CODE = {
    "InvalidAccessKeyId": Why.CREDENTIALS_INVALID,
    "SignatureDoesNotMatch": Why.CREDENTIALS_INVALID,
    "AccessDenied": Why.ACCESS_DENIED,
    "NoSuchBucket": Why.BUCKET_NOT_FOUND,
    "PermanentRedirect": Why.WRONG_REGION,
    "TemporaryRedirect": Why.WRONG_REGION,
    "AuthorizationHeaderMalformed": Why.WRONG_REGION,
    "AuthorizationQueryParametersError": Why.WRONG_REGION,
    "IllegalLocationConstraintException": Why.WRONG_REGION,
    "EntityTooLarge": Why.TOO_LARGE,
}
_BY_STATUS = {401: Why.ACCESS_DENIED, 403: Why.ACCESS_DENIED, 404: Why.BUCKET_NOT_FOUND, 413: Why.TOO_LARGE}
_AGAIN = frozenset({408, 409, 425, 429})


class CopyFailed(Exception):
    """There is no copy; nothing of what the storage said is in it."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why

    @property
    def is_passing(self) -> bool:
        """Whether to try again for long is worth it."""
        return self.why in PASSING


def verdict(status: int, beginning: bytes) -> Why | None:
    """What an answer means; None: it is a good one."""
    if 200 <= status < 300:
        return None
    code = found[1].decode() if (found := _CODE.search(beginning)) else ""
    if status in _AGAIN or status >= 500:
        return Why.UNAVAILABLE
    if code in _BY_CODE:
        return _BY_CODE[code]
    return Why.REDIRECTED if 300 <= status < 400 else _BY_STATUS.get(status, Why.REFUSED)


class Policy(Protocol):
    """Where a customer's storage may be: `connectors.webhooks.targets` has the one that is meant."""

    def permits_url(self, url: str) -> bool: ...

    def permits_address(self, address: str) -> bool: ...


class Surroundings(NamedTuple):
    """The clock, and what is called again and again while something lasts: what it raises comes through."""

    clock: Clock
    check: Callable[[], None]


class CustomerBucket:
    """One bucket."""

    def __init__(self, access: StorageAccess, bucket: str, policy: Policy, surroundings: Surroundings) -> None:
        self._access, self._bucket, self._policy = access, bucket, policy
        self._clock, self._check = surroundings

    def put(self, name: str, pieces: Iterable[bytes], size_bytes: int, content_type: str) -> None:
        """Put a file there and see that it is there, whole. To put the same again is no change.

        Raises:
            CopyFailed: there is no copy.
        """
        if size_bytes > LARGEST_BYTES:
            raise CopyFailed(Why.TOO_LARGE)
        signer = self._signer()
        headers = {"Content-Type": content_type, "Content-Length": str(size_bytes)}
        with self._connected(size_bytes) as pool:
            written = self._asked(pool, "PUT", self._signed(signer, "PUT", name), headers, _exactly(pieces, size_bytes))
            seen = self._asked(pool, "HEAD", self._signed(signer, "HEAD", name), {}, None)
        is_the_same = seen.get(b"etag") == written.get(b"etag")
        if seen.get(b"content-length") != str(size_bytes).encode() or not is_the_same:
            raise CopyFailed(Why.DIFFERS)

    @contextmanager
    def _connected(self, size_bytes: int) -> Iterator[httpcore.ConnectionPool]:
        limit_s = SILENCE_S + CONNECT_S + size_bytes / SLOWEST_BYTES_PER_S
        network = _Judging(self._policy, _Limit(self._clock, limit_s, self._check))
        try:
            context = ssl.create_default_context()
            with httpcore.ConnectionPool(ssl_context=context, max_connections=1, network_backend=network) as pool:
                yield pool
        except ssl.SSLError:
            raise CopyFailed(Why.TLS_FAILED) from None
        except (httpcore.TimeoutException, TimeoutError):
            raise CopyFailed(Why.TIMED_OUT) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, UnicodeError) as error:
            failed_tls = isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error)
            raise CopyFailed(Why.TLS_FAILED if failed_tls else Why.UNREACHABLE) from None

    def _signer(self) -> S3Store:
        """All is named that this process' own environment (`AWS_*`) would say else."""
        access, region = self._access, self._access.region_name or DEFAULT_REGION
        endpoint = access.endpoint_url or AMAZON.format(region=region)
        if not self._policy.permits_url(endpoint):
            raise CopyFailed(Why.TARGET_NOT_ALLOWED)
        named: dict[str, Any] = {
            "aws_endpoint_url_s3": endpoint,  # of all names for it the one that no variable beats
            "region": region,
            "virtual_hosted_style_request": False,
            "s3_express": False,
            "request_payer": False,
            "skip_signature": False,
        }
        try:
            return S3Store(
                self._bucket,
                client_options={"allow_http": True},  # it connects to nobody; whom we connect to is judged
                credential_provider=self._keys,
                **named,
            )
        except (BaseError, ValueError):
            raise CopyFailed(Why.REFUSED) from None

    def _keys(self) -> "S3Credential":
        """With no token: keys that are given otherwise are signed with that of the environment."""
        access = self._access
        return {
            "access_key_id": access.access_key_id,
            "secret_access_key": access.access_key_secret,
            "token": None,
            "expires_at": None,
        }

    def _signed(self, signer: S3Store, method: Literal["PUT", "HEAD"], name: str) -> str:
        try:
            url = obstore.sign(signer, method, name, _SIGNED_FOR)
        except (BaseError, TypeError, ValueError):  # no name of a file
            raise CopyFailed(Why.REFUSED) from None
        parts = urlsplit(url)
        if not self._policy.permits_url(f"{parts.scheme}://{parts.netloc}"):
            raise CopyFailed(Why.TARGET_NOT_ALLOWED)
        return url

    def _asked(
        self,
        pool: httpcore.ConnectionPool,
        method: str,
        url: str,
        headers: dict[str, str],
        content: Iterator[bytes] | None,
    ) -> dict[bytes, bytes]:
        """The headers of a good answer."""
        timeouts = {"connect": CONNECT_S, "read": SILENCE_S, "write": SILENCE_S, "pool": CONNECT_S}
        sent = [(key.encode(), value.encode()) for key, value in headers.items()]
        with pool.stream(method, url, headers=sent, content=content, extensions={"timeout": timeouts}) as response:
            beginning = b""
            for chunk in response.iter_stream():
                beginning += chunk
                if len(beginning) > MAX_ANSWER_BYTES:
                    break
        why = verdict(response.status, beginning)
        if why is not None:
            raise CopyFailed(why)
        return {key.lower(): value for key, value in response.headers}


def _exactly(pieces: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """The pieces, if they are as long together as was announced."""
    left = size_bytes
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            break
        yield piece
    if left:
        raise CopyFailed(Why.DIFFERS)


class _Limit:
    """Until when an attempt may last, whatever a storage does."""

    def __init__(self, clock: Clock, limit_s: float, check: Callable[[], None]) -> None:
        self.clock, self._until_s, self._check = clock, clock.monotonic() + limit_s, check

    def left_s(self, most_s: float | None) -> float:
        self._check()
        left_s = self._until_s - self.clock.monotonic()
        if left_s <= 0:
            raise httpcore.TimeoutException
        return min(left_s, most_s or left_s)


class _Judging(NetworkBackend):
    """Resolves a name itself and connects to an address that passes, so that no later look-up can say another."""

    def __init__(self, policy: Policy, limit: _Limit) -> None:
        self._policy, self._limit = policy, limit
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        permitted = [address for address in dict.fromkeys(found) if self._policy.permits_address(address)]
        if not permitted:
            raise CopyFailed(Why.TARGET_NOT_ALLOWED)
        for address in permitted[:-1]:
            try:
                return self._connected(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connected(permitted[-1], port, timeout, local_address, socket_options)

    def _connected(self, address: str, port: int, timeout: float | None, *more: Any) -> NetworkStream:
        stream = self._network.connect_tcp(address, port, self._limit.left_s(timeout), *more)
        return _Bounded(stream, self._limit)


class _Bounded(NetworkStream):
    """A connection that looks up while it waits."""

    def __init__(self, stream: NetworkStream, limit: _Limit) -> None:
        self._stream, self._limit = stream, limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until_s = self._limit.clock.monotonic() + (timeout or SILENCE_S)
        while True:
            try:
                return self._stream.read(max_bytes, self._limit.left_s(SLICE_S))
            except httpcore.ReadTimeout:
                if self._limit.clock.monotonic() >= until_s:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), WRITTEN_BYTES):  # what is longer takes many sends, each with the whole time-out
            self._stream.write(buffer[at : at + WRITTEN_BYTES], self._limit.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, self._limit.left_s(timeout)), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
