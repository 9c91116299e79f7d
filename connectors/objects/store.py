"""Objects in a folder or a bucket, behind one set of calls. Safe to use from several threads.

Keys come from ids and what is stored under one never changes, so `put` may be repeated at will. A folder's files appear
whole or not at all, like a bucket's.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from connectors.objects import signing
from connectors.objects.buckets import Bucket, open_bucket
from connectors.objects.errors import Denied, NotFound, translate
from connectors.objects.keys import checked
from connectors.objects.settings import ObjectsSettings

_CHUNK_BYTES = 1024 * 1024
_SERVED_BYTES = 256 * 1024
"""Two of them wait for every client that does not read."""
_UNFINISHED = "*#*"
"""A folder's files while they are written; no key of ours has that in it."""
_Result = TypeVar("_Result")


class StoredObject(NamedTuple):
    """What is known of an object without fetching it."""

    key: str
    size_bytes: int
    modified_ms: int


class ObjectStore:
    """One folder or bucket prefix."""

    def __init__(self, settings: ObjectsSettings) -> None:
        self._settings = settings
        self._signing_key = settings.signing_key.get_secret_value().encode()
        self._store = _open(settings, settings.endpoint)
        # A link must name the host that clients see, because the host is part of what a bucket's signature covers.
        self._links = _open(settings, settings.public_url or settings.endpoint)

    def put(self, key: str, data: bytes | memoryview, content_type: str = "application/octet-stream") -> None:
        """Store `data`; storing the same again is no change."""
        self._call(key, lambda: obstore.put(self._store, key, bytes(data), attributes=self._attributes(content_type)))

    def put_file(self, key: str, path: Path, content_type: str = "application/octet-stream") -> None:
        """Store a file's content, in parts when it is large."""
        self._call(key, lambda: obstore.put(self._store, key, path, attributes=self._attributes(content_type)))

    def get(self, key: str) -> bytes:
        """The whole object. Raises NotFound."""
        return self._call(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Its bytes from `start` up to, not including, `end`."""
        return self._call(key, lambda: bytes(obstore.get_range(self._store, key, start=start, end=end)))

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its bytes (from `start` to before `end`) in chunks of about 1 MiB."""
        end = self.stat(key).size_bytes if end is None else end
        for position in range(start, end, _CHUNK_BYTES):
            yield self.get_range(key, position, min(position + _CHUNK_BYTES, end))

    async def stream_async(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """`stream` for coroutines."""
        end = (await self.stat_async(key)).size_bytes if end is None else end
        for position in range(start, end, _SERVED_BYTES):
            yield await asyncio.to_thread(self.get_range, key, position, min(position + _SERVED_BYTES, end))

    def stat(self, key: str) -> StoredObject:
        """Size and age. Raises NotFound."""
        return self._call(key, lambda: _stored(obstore.head(self._store, key)))

    async def stat_async(self, key: str) -> StoredObject:
        """`stat` for coroutines."""
        return await asyncio.to_thread(self.stat, key)

    def list(self, prefix: str) -> "list[StoredObject]":
        """All objects below a prefix of whole segments ("a/b" holds "a/b/c", not "a/bc"), sorted by key."""

        def listing() -> "list[StoredObject]":
            found = [_stored(item) for chunk in obstore.list(self._store, prefix.rstrip("/")) for item in chunk]
            return sorted(found)

        return self._call(prefix.rstrip("/"), listing)

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        with contextlib.suppress(NotFound):
            self._call(key, lambda: obstore.delete(self._store, key))

    def delete_unfinished(self, prefix: str) -> None:
        """Remove what writers that were killed have left below a prefix of a folder, which is in no listing.

        One that still writes there finds its file gone, and has to put it again. A bucket's own rules are for that.
        """
        below = Path(self._settings.folder, prefix.rstrip("/"))

        def removing() -> None:
            for left in below.rglob(_UNFINISHED):
                left.unlink(missing_ok=True)

        if self._settings.is_folder:
            self._call(prefix.rstrip("/"), removing)

    def signed_url(self, key: str, expires_s: int, now_ms: int) -> str:
        """A link that fetches the object for `expires_s` seconds, Range requests included."""
        links = self._links
        if not isinstance(links, LocalStore):
            return self._call(key, lambda: obstore.sign(links, "GET", key, timedelta(seconds=expires_s)))
        expires_at_s = now_ms // 1000 + expires_s
        return signing.signed_url(self._settings.public_url, self._required_key(), checked(key), expires_at_s)

    def link_here(self, address: str, key: str, expires_at_s: int) -> str:
        """A link below our own `address` for what is made when it is asked for; signed by us, whatever the storage."""
        return signing.signed_url(address, self._required_key(), checked(key), expires_at_s)

    def verify(self, key: str, expires: str, signature: str, now_ms: int) -> signing.Verdict:
        """Judge a link of ours as the API received it. Who has no key to sign with has made none."""
        if not self._signing_key:
            return signing.Verdict.FORGED
        return signing.verify(self._signing_key, key, expires, signature, now_ms / 1000)

    def _required_key(self) -> bytes:
        if not self._signing_key:
            raise Denied("no links without RTMS_OBJECTS_SIGNING_KEY")
        return self._signing_key

    def _attributes(self, content_type: str) -> "dict[str, str] | None":
        return None if self._settings.is_folder else {"Content-Type": content_type}

    def _call(self, key: str, call: Callable[[], _Result]) -> _Result:
        checked(key)
        try:
            return call()
        except (BaseError, OSError) as error:
            raise translate(error, key) from None


def _open(settings: ObjectsSettings, endpoint: str) -> LocalStore | Bucket:
    if settings.is_folder:
        return LocalStore(settings.folder, mkdir=True, automatic_cleanup=True)
    return open_bucket(settings, endpoint)


def _stored(meta: "obstore.ObjectMeta") -> StoredObject:
    return StoredObject(meta["path"], meta["size"], int(meta["last_modified"].timestamp() * 1000))
