"""Azure's Blob service as its REST reference describes it, as far as objects need it: real HTTP, signatures checked.

Nothing that runs without Node implements it, so this stands in. Put Blob, Put Block, Put Block List, Get Blob with
Range, Get Blob Properties, List Blobs and a Blob Batch of Delete Blob; authorised with a Shared Key or a service SAS of
a blob. The account is the first part of the path, as where there is no host name for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.support.serving import serving

ACCOUNT = "ouraccount"
ACCOUNT_KEY = base64.b64encode(b"a key of 32 bytes, nobody's own.").decode()
PAGE = 7
"""Names in one answer of a listing: few, so that whoever lists has to come again."""

_SIGNED = (
    "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
    "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
)  # fmt: skip


@dataclass
class Blob:
    """Content, its type, and when it was put."""

    data: bytes
    content_type: str
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))


class Account:
    """One storage account: blobs by "container/name", and the blocks of those that are not whole yet."""

    def __init__(self, *containers: str) -> None:
        self.containers = set(containers)
        self.blobs: dict[str, Blob] = {}
        self.blocks: dict[tuple[str, str], bytes] = {}


@contextmanager
def blob_server(account: Account) -> Iterator[str]:
    """The endpoint of a running service with that account."""
    with serving(type("Handler", (_Handler,), {"account": account})) as port:
        yield f"http://127.0.0.1:{port}/{ACCOUNT}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    account: Account

    def do_PUT(self) -> None:
        self._serve(self._put)

    def do_GET(self) -> None:
        self._serve(self._get)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._serve(self._delete_many)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def _serve(self, method: object) -> None:
        parts = urlsplit(self.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.name = unquote(parts.path).removeprefix(f"/{ACCOUNT}/")
        if not (_is_signed(self.command, self.path, self.headers) or self._has_sas()):
            self._answer(403)
        elif self.name.partition("/")[0] not in self.account.containers:
            self._answer(404)
        else:
            assert callable(method)
            method()

    def _put(self) -> None:
        blobs, blocks = self.account.blobs, self.account.blocks
        content_type = self.headers.get("x-ms-blob-content-type") or self.headers.get("Content-Type") or ""
        match self.query.get("comp"):
            case "block":
                blocks[self.name, self.query["blockid"]] = self.body
            case "blocklist":
                ids = [element.text or "" for element in ElementTree.fromstring(self.body)]
                blobs[self.name] = Blob(b"".join(blocks.pop((self.name, one)) for one in ids), content_type)
            case _ if self.headers.get("x-ms-blob-type") == "BlockBlob":
                blobs[self.name] = Blob(self.body, content_type)
            case _:
                return self._answer(400)
        return self._answer(201, {"ETag": '"1"'})

    def _get(self) -> None:
        if self.query.get("comp") == "list":
            return self._answer(200, {"Content-Type": "application/xml"}, self._listing().encode())
        blob = self.account.blobs.get(self.name)
        if blob is None:
            return self._answer(404)
        status, data = 200, blob.data
        headers = {"Content-Type": blob.content_type, "ETag": '"1"', "Last-Modified": _http_time(blob.modified)}
        if wanted := self.headers.get("x-ms-range") or self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = min(int(last or len(data) - 1), len(data) - 1)
            status, headers["Content-Range"] = 206, f"bytes {first}-{end}/{len(data)}"
            data = data[int(first) : end + 1]
        return self._answer(status, headers, data)

    def _delete_many(self) -> None:
        if self.query.get("comp") != "batch":
            return self._answer(400)
        batch = message_from_bytes(f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + self.body)
        answers = "".join(
            f"--batch\r\nContent-Type: application/http\r\nContent-ID: {part['Content-ID']}\r\n\r\n"
            f"HTTP/1.1 {self._deleted(part.get_payload())}\r\n\r\n\r\n"
            for part in batch.walk()
            if not part.is_multipart()
        )
        return self._answer(202, {"Content-Type": "multipart/mixed; boundary=batch"}, f"{answers}--batch--".encode())

    def _deleted(self, request: object) -> str:
        line, _, headers = str(request).partition("\n")
        method, path, _ = line.split()
        if method != "DELETE" or not _is_signed(method, path, message_from_string(headers)):
            return "403 Forbidden"
        blob = self.account.blobs.pop(unquote(path).removeprefix(f"/{ACCOUNT}/"), None)
        return "404 The specified blob does not exist." if blob is None else "202 Accepted"

    def _listing(self) -> str:
        prefix, marker = f"{self.name}/{self.query.get('prefix', '')}", self.query.get("marker", "")
        names = sorted(name for name in self.account.blobs if name.startswith(prefix) and name > marker)
        blobs = "".join(
            f"<Blob><Name>{escape(name.partition('/')[2])}</Name><Properties>"
            f"<Last-Modified>{_http_time(blob.modified)}</Last-Modified><Etag>1</Etag>"
            f"<Content-Length>{len(blob.data)}</Content-Length><Content-Type>{blob.content_type}</Content-Type>"
            f"<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name, blob in ((name, self.account.blobs[name]) for name in names[:PAGE])
        )
        following = escape(names[PAGE - 1]) if len(names) > PAGE else ""
        return (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{self.name}">'
            f"<Blobs>{blobs}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        )

    def _answer(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _has_sas(self) -> bool:
        if self.command not in ("GET", "HEAD") or "sig" not in self.query:
            return False
        said = {name: self.query.get(name, "") for name in ("sp", "st", "se", "sv", "sr", "spr", "sip")}
        resource = f"/blob{urlsplit(self.path).path}"
        text = "\n".join([said["sp"], said["st"], said["se"], resource, "", said["sip"], said["spr"], said["sv"],
                          said["sr"], *[""] * 7])  # fmt: skip
        in_time = said["st"] <= datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") < said["se"]
        return in_time and said["sp"] == "r" and self.query["sig"] == _signature(text)


def _is_signed(method: str, target: str, headers: Message) -> bool:
    parts = urlsplit(target)
    values = [str(headers.get(name) or "") for name in _SIGNED]
    values[2] = "" if values[2] == "0" else values[2]
    own = sorted((name.lower(), str(value)) for name, value in headers.items() if name.lower().startswith("x-ms-"))
    asked = sorted(parse_qsl(parts.query, keep_blank_values=True))
    resource = f"/{ACCOUNT}{parts.path}" + "".join(f"\n{name}:{value}" for name, value in asked)
    text = "\n".join([method, *values, *(f"{name}:{value}" for name, value in own), resource])
    return headers.get("Authorization") == f"SharedKey {ACCOUNT}:{_signature(text)}"


def _signature(text: str) -> str:
    return base64.b64encode(hmac.digest(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256)).decode()


def _http_time(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
