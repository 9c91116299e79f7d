"""The storage of customers: two buckets, of which one takes nothing, and one takes a copy only after some trouble.

Every name meets all of that trouble, whatever else is done to the pipeline: the first time the connection breaks in the
middle of the body; then, for a while, the storage is too busy; then it takes the copy and breaks before it says so.
It keeps of a body what tells it from another, and forgets what did not come whole, as S3 does.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.serving import serving

KEY_ID, SECRET = "AKIASOAK", "s3cret"
TAKING, FORBIDDEN = "theirs", "forbidden"
"""The buckets there are."""

BUSY_S = 4.0
READ_BYTES = 64 * 1024

Answer = tuple[int, str]
_GOOD: Answer = (200, "")
_BUSY: Answer = (503, "SlowDown")


class Body(NamedTuple):
    """What was put: so long, with this digest."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> "Body":
        return cls(len(content), hashlib.sha256(content).hexdigest())


@dataclass(slots=True)
class Name:
    """All that became of one name: `taken` has each body that was put whole, in order; the last one is there now."""

    taken: list[Body] = field(default_factory=list)
    asked_at_s: float | None = None
    has_broken_off: bool = False
    refused: int = 0


class Buckets:
    """By bucket and name, with a slash between them."""

    def __init__(self) -> None:
        self.port = 0
        self._lock = Lock()
        self._names: dict[str, Name] = defaultdict(Name)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def all(self) -> dict[str, Name]:
        """Every name that anybody has put something under, or tried to."""
        with self._lock:
            return dict(self._names)

    def forget(self) -> None:
        with self._lock:
            self._names.clear()

    # --- what a storage does ---

    def breaks_off(self, key: str, now_s: float) -> bool:
        """Whether the connection breaks in the middle of this body."""
        with self._lock:
            name = self._names[key]
            is_first, name.asked_at_s = name.asked_at_s is None, now_s if name.asked_at_s is None else name.asked_at_s
            name.refused += is_first
            return is_first

    def put(self, key: str, body: Body, now_s: float) -> Answer | None:
        """What is answered to a whole body; None: nothing, although it was taken."""
        with self._lock:
            name = self._names[key]
            if key.startswith(f"{FORBIDDEN}/"):
                name.refused += 1
                return 403, "AccessDenied"
            if name.asked_at_s is None or now_s < name.asked_at_s + BUSY_S:
                name.refused += 1
                return _BUSY
            name.taken.append(body)
            if not name.has_broken_off:
                name.has_broken_off = True
                return None
            return _GOOD

    def head(self, key: str) -> Body | None:
        """What is there."""
        with self._lock:
            taken = self._names[key].taken if key in self._names else []
            return taken[-1] if taken else None


@contextmanager
def buckets() -> Iterator[Buckets]:
    """The storage, on a port of its own."""
    made = Buckets()

    class Handler(_Handler):
        storage = made

    with serving(Handler) as made.port:
        yield made


class _Handler(BaseHTTPRequestHandler):
    storage: ClassVar[Buckets]

    def do_PUT(self) -> None:
        key, length = self._key(), int(self.headers["Content-Length"])
        if key is None:
            return
        if self.storage.breaks_off(key, time.monotonic()):
            self._read(length // 2)
            return
        body = self._read(length)
        if body.size_bytes < length:
            return
        answer = self.storage.put(key, body, time.monotonic())
        if answer is not None:
            self._answer(answer, body)

    def do_HEAD(self) -> None:
        if (key := self._key()) is not None:
            body = self.storage.head(key)
            self._answer(_GOOD if body else (404, ""), body)

    def _key(self) -> str | None:
        """Of a request that its owner has signed, in a bucket that there is."""
        parts = urlsplit(self.path)
        query, key = parse_qs(parts.query), unquote(parts.path).removeprefix("/")
        is_signed = "X-Amz-Signature" in query and query.get("X-Amz-Credential", [""])[0].startswith(f"{KEY_ID}/")
        if not is_signed:
            self._answer((403, "InvalidAccessKeyId"), None)
        elif key.partition("/")[0] not in (TAKING, FORBIDDEN):
            self._answer((404, "NoSuchBucket"), None)
        else:
            return key
        return None

    def _read(self, most: int) -> Body:
        digest, left = hashlib.sha256(), most
        while left and (part := self.rfile.read(min(left, READ_BYTES))):
            digest.update(part)
            left -= len(part)
        return Body(most - left, digest.hexdigest())

    def _answer(self, answer: Answer, body: Body | None) -> None:
        status, code = answer
        said = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode() if code else b""
        self.send_response(status)
        is_seen = self.command == "HEAD" and body is not None
        self.send_header("Content-Length", str(body.size_bytes if is_seen and body else len(said)))
        if status == 200 and body:
            self.send_header("ETag", f'"{body.sha256[:32]}"')
        self.end_headers()
        if self.command == "PUT":
            self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        return
