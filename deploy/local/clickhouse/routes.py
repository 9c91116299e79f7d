"""ClickHouse's HTTP interface over the engine in this process: what its drivers send, answered as a server would."""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from pathlib import Path

import lz4.frame
from backports import zstd

from deploy.local.clickhouse.engine import Answer, Engine, EngineError, Query, literal
from deploy.local.clickhouse.statements import Insert, output_format, parse_insert
from deploy.local.endpoint import Request, Response

_SERVER_NAME = "local"
_OK = Response(HTTPStatus.OK, b"Ok.\n", {"Content-Type": "text/plain"})

# What drivers put beside settings in the address: the transport's business, not the engine's.
_TRANSPORT = frozenset(
    "query database default_format query_id session_id session_timeout session_check compress decompress buffer_size "
    "wait_end_of_query quota_key role client_protocol_version user password enable_http_compression "
    "send_progress_in_http_headers http_headers_progress_interval_ms "
    "cancel_http_readonly_queries_on_client_close".split()
)
_PARAMETER = "param_"
_FORM = "multipart/form-data"

_UNKNOWN_SETTING = 115
_STATUS = {
    60: HTTPStatus.NOT_FOUND,  # unknown table
    62: HTTPStatus.BAD_REQUEST,  # syntax error
    81: HTTPStatus.NOT_FOUND,  # unknown database
    _UNKNOWN_SETTING: HTTPStatus.BAD_REQUEST,
}


class Routes:
    """Answers one request at a time from the engine; safe to call from many threads."""

    def __init__(self, engine: Engine, scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._engine = engine
        self._scratch = scratch

    def __call__(self, request: Request) -> Response:
        """Never raises for anything a client can send."""
        if request.path == "/ping":
            return _OK
        if request.path != "/":
            return Response(HTTPStatus.NOT_FOUND, f"There is no handle {request.path}\n".encode())
        try:
            return self._statement(request)
        except EngineError as error:
            return self._failed(error)

    def _statement(self, request: Request) -> Response:
        if request.headers.get("content-type", "").startswith(_FORM):
            fields = _fields(request)
            return self._select(fields.pop("query", ""), {**request.query, **fields})
        body = _decoded(request)
        in_address = request.query.get("query", "").encode()
        statement, data = (in_address, body) if in_address else (body, b"")
        if not statement.strip():
            return _OK
        if insert := parse_insert(statement, data):
            return self._done(self._insert(insert, request.query), "Null", written=True)
        return self._select((statement + data).decode(errors="replace"), request.query)

    def _select(self, sql: str, query: Mapping[str, str]) -> Response:
        rendered_as = output_format(sql, query.get("default_format", "TabSeparated"))
        return self._done(self._engine.run(self._query(sql, rendered_as, query)), rendered_as, written=False)

    def _insert(self, insert: Insert, query: Mapping[str, str]) -> Answer:
        with tempfile.NamedTemporaryFile(dir=self._scratch, prefix="insert-") as file:
            file.write(insert.data)
            file.flush()
            sql = f"{insert.head} FROM INFILE {literal(file.name)} COMPRESSION 'none' FORMAT {insert.data_format}"
            return self._engine.run(self._query(sql, "Null", query))

    def _query(self, sql: str, rendered_as: str, query: Mapping[str, str]) -> Query:
        parameters = {
            name.removeprefix(_PARAMETER): value for name, value in query.items() if name.startswith(_PARAMETER)
        }
        settings = {
            name: value for name, value in query.items() if name not in _TRANSPORT and not name.startswith(_PARAMETER)
        }
        if unknown := settings.keys() - self._engine.settings:
            raise EngineError(f"Code: {_UNKNOWN_SETTING}. DB::Exception: Unknown setting {min(unknown)}")
        return Query(sql, rendered_as, query.get("database", ""), parameters, settings)

    def _done(self, answer: Answer, rendered_as: str, *, written: bool) -> Response:
        summary = {"read_rows": 0 if written else answer.rows, "written_rows": answer.rows if written else 0}
        headers = {
            "X-ClickHouse-Format": rendered_as,
            "X-ClickHouse-Summary": json.dumps({name: str(rows) for name, rows in summary.items()}),
        }
        return Response(HTTPStatus.OK, answer.body, {**self._identity(), **headers})

    def _failed(self, error: EngineError) -> Response:
        status = _STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        body = f"{error} (version {self._engine.version})\n".encode()
        return Response(status, body, {**self._identity(), "X-ClickHouse-Exception-Code": str(error.code)})

    def _identity(self) -> dict[str, str]:
        return {"X-ClickHouse-Server-Display-Name": _SERVER_NAME, "X-ClickHouse-Timezone": self._engine.timezone}


def _fields(request: Request) -> dict[str, str]:
    """What drivers send as a form, because it is too much for an address: the statement and its parameters."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    fields = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts():
        value = part.get_payload(decode=True)
        assert isinstance(value, bytes)
        fields[str(part.get_param("name", header="content-disposition"))] = value.decode(errors="replace")
    return fields


def _decoded(request: Request) -> bytes:
    """The body without the compression its sender applied."""
    encoding = request.headers.get("content-encoding", "").lower()
    try:
        match encoding:
            case "":
                return request.body
            case "gzip":
                return gzip.decompress(request.body)
            case "deflate":
                return zlib.decompress(request.body)
            case "lz4":
                return b"".join(_lz4_frames(request.body))
            case "zstd":
                return bytes(zstd.decompress(request.body))
    except (OSError, EOFError, RuntimeError, zlib.error, zstd.ZstdError) as damaged:
        raise EngineError(f"Code: 432. DB::Exception: the body is not {encoding}: {damaged}") from None
    raise EngineError(f"Code: 89. DB::Exception: Unknown compression method {encoding}")


def _lz4_frames(data: bytes) -> Iterator[bytes]:
    """All of them: drivers compress a large insert block by block, and the library stops behind the first frame."""
    while data:
        block, used = lz4.frame.decompress(data, return_bytes_read=True)
        yield block
        data = data[used:]
