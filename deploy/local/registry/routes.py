"""The registry over HTTP: the part of the Confluent REST contract that clients, serialisers and our topic job use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from deploy.local.endpoint import Request, Response
from deploy.local.registry.compatibility import Level, Schema
from deploy.local.registry.subjects import Incompatible, Subjects, Version
from deploy.local.registry.validity import check

_JSON = {"Content-Type": "application/vnd.schemaregistry.v1+json"}


class Refused(Exception):
    """An answer with an error code of the contract; its first three digits are the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


Answer = Callable[..., Any]


class Routes:
    """Answers one request at a time from the subjects."""

    def __init__(self, subjects: Subjects) -> None:
        self._subjects = subjects
        self._table: list[tuple[str, re.Pattern[str], Answer]] = [
            (method, re.compile(pattern), answer)
            for method, pattern, answer in (
                ("GET", r"/", self._hello),
                ("GET", r"/subjects", self._names),
                ("POST", r"/subjects/([^/]+)", self._lookup),
                ("GET", r"/subjects/([^/]+)/versions", self._numbers),
                ("POST", r"/subjects/([^/]+)/versions", self._register),
                ("GET", r"/subjects/([^/]+)/versions/([^/]+)", self._version),
                ("GET", r"/subjects/([^/]+)/versions/([^/]+)/schema", self._version_schema),
                ("GET", r"/schemas/types", self._types),
                ("GET", r"/schemas/ids/(\d+)", self._schema),
                ("GET", r"/schemas/ids/(\d+)/subjects", self._schema_subjects),
                ("GET", r"/schemas/ids/(\d+)/versions", self._schema_versions),
                ("GET", r"/config(?:/([^/]+))?", self._level),
                ("PUT", r"/config(?:/([^/]+))?", self._set_level),
                ("POST", r"/compatibility/subjects/([^/]+)/versions(?:/([^/]+))?", self._compatible),
                ("GET", r"/mode(?:/[^/]+)?", self._mode),
            )
        ]

    def __call__(self, request: Request) -> Response:
        """Never raises for anything a client can send."""
        try:
            return _json(HTTPStatus.OK, self._answer(request))
        except Refused as refused:
            status = refused.code if refused.code < 1000 else refused.code // 100
            return _json(status, {"error_code": refused.code, "message": str(refused)})

    def _answer(self, request: Request) -> Any:
        path = request.path.rstrip("/") or "/"
        for method, pattern, answer in self._table:
            if method == request.method and (found := pattern.fullmatch(path)):
                return answer(request, *(unquote(part) if part else part for part in found.groups()))
        if any(pattern.fullmatch(path) for _, pattern, _ in self._table):
            raise Refused(405, f"{request.method} is not supported for {path}")
        raise Refused(404, f"no resource {path}")

    def _hello(self, _request: Request) -> Any:
        return {}

    def _names(self, request: Request) -> Any:
        prefix = request.query.get("subjectPrefix", "")
        return [name for name in self._subjects.names() if name.startswith(prefix)]

    def _types(self, _request: Request) -> Any:
        return ["AVRO"]

    def _mode(self, _request: Request) -> Any:
        return {"mode": "READWRITE"}

    def _lookup(self, request: Request, subject: str) -> Any:
        schema, _ = _parsed(request)
        self._known(subject)
        version = self._subjects.find(subject, schema)
        if version is None:
            raise Refused(40403, "Schema not found")
        return _described(version)

    def _numbers(self, _request: Request, subject: str) -> Any:
        return [version.number for version in self._known(subject)]

    def _register(self, request: Request, subject: str) -> Any:
        schema, text = _parsed(request)
        try:
            version = self._subjects.register(subject, schema, text)
        except Incompatible as reasons:
            raise Refused(409, f"Schema being registered is incompatible with an earlier schema: {reasons}") from None
        return {"id": version.schema_id}

    def _version(self, _request: Request, subject: str, number: str) -> Any:
        return _described(self._select(subject, number))

    def _version_schema(self, _request: Request, subject: str, number: str) -> Any:
        return json.loads(self._select(subject, number).text)

    def _schema(self, _request: Request, schema_id: str) -> Any:
        text = self._subjects.text(int(schema_id))
        if text is None:
            raise Refused(40403, f"Schema {schema_id} not found")
        return {"schema": text}

    def _schema_subjects(self, request: Request, schema_id: str) -> Any:
        self._schema(request, schema_id)
        return [version.subject for version in self._subjects.uses(int(schema_id))]

    def _schema_versions(self, request: Request, schema_id: str) -> Any:
        self._schema(request, schema_id)
        return [{"subject": used.subject, "version": used.number} for used in self._subjects.uses(int(schema_id))]

    def _level(self, request: Request, subject: str | None) -> Any:
        if subject and self._subjects.own_level(subject) is None and request.query.get("defaultToGlobal") != "true":
            raise Refused(40408, f"Subject '{subject}' does not have subject-level compatibility configured")
        return {"compatibilityLevel": self._subjects.level(subject)}

    def _set_level(self, request: Request, subject: str | None) -> Any:
        try:
            level = Level(str(_body(request).get("compatibility")).upper())
        except ValueError:
            raise Refused(42203, f"Invalid compatibility level. Valid values are {', '.join(Level)}") from None
        self._subjects.set_level(subject, level)
        return {"compatibility": level}

    def _compatible(self, request: Request, subject: str, number: str | None) -> Any:
        schema, _ = _parsed(request)
        only = self._select(subject, number) if number else None
        reasons = self._subjects.violations(subject, schema, only)
        answer: dict[str, Any] = {"is_compatible": not reasons}
        if request.query.get("verbose", "").lower() == "true":
            answer["messages"] = reasons
        return answer

    def _known(self, subject: str) -> list[Version]:
        versions = self._subjects.versions(subject)
        if not versions:
            raise Refused(40401, f"Subject '{subject}' not found.")
        return versions

    def _select(self, subject: str, number: str) -> Version:
        versions = self._known(subject)
        if number in ("latest", "-1"):
            return versions[-1]
        if not number.isdecimal() or int(number) == 0:
            raise Refused(
                42202, f"The specified version '{number}' is not valid: a number from 1 up, or the string 'latest'"
            )
        if int(number) > len(versions):
            raise Refused(40402, f"Version {number} not found.")
        return versions[int(number) - 1]


def _described(version: Version) -> dict[str, Any]:
    return {"subject": version.subject, "version": version.number, "id": version.schema_id, "schema": version.text}


def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refused(400, "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "The body is not a JSON object")
    return body


def _parsed(request: Request) -> tuple[Schema, str]:
    """The schema of a request body, parsed and proven to be valid Avro, and its text."""
    body = _body(request)
    text = body.get("schema")
    if body.get("schemaType", "AVRO") != "AVRO" or body.get("references"):
        raise Refused(42201, "Only Avro schemas without references are supported")
    if not isinstance(text, str):
        raise Refused(42201, "Empty schema")
    try:
        schema = json.loads(text)
        check(schema)
    except (ValueError, RecursionError) as invalid:
        raise Refused(42201, f"Invalid schema: {invalid}") from None
    return schema, text


def _json(status: int, answer: Any) -> Response:
    return Response(status, json.dumps(answer).encode(), _JSON)
