"""Request bodies: JSON, of bounded size, and never a surprise further in.

What leaves `parsed` is made of dicts, lists, strings that can be encoded, finite numbers, booleans and None.
"""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from fastapi import Request

from api.errors import ApiError, too_large, unparsable, unsupported_media_type

JSON_MEDIA_TYPE = "application/json"
MAX_DEPTH = 64


def parsed(data: bytes) -> Any:
    """The JSON document in `data`; an empty body is an empty object.

    Raises:
        ApiError: 400, with the reason.
    """
    if not data.strip():
        return {}
    try:
        document = json.loads(data.decode(), parse_constant=_no_constant)
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()  # lone surrogates and 1e999 end here
        _check_depth(document)
    except RecursionError:
        raise unparsable("nested too deeply") from None
    except UnicodeEncodeError:
        raise unparsable("a string holds half a surrogate pair") from None
    except ValueError as error:
        raise unparsable(str(error)) from None
    return document


def _check_depth(document: Any) -> None:
    """What is nested a little less deeply than the parser can bear would break whoever shows or writes it further in.

    Raises:
        RecursionError: it is nested more deeply than anything that is sent here.
    """
    layer, depth = [document], 0
    while layer := [item for value in layer for item in _items(value)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise RecursionError


def has_more_values(document: Any, most: int) -> bool:
    """Whether there are more values in a document than `most`, itself included."""
    waiting, known = [document], 1
    while waiting:
        inner = list(_items(waiting.pop()))
        known += len(inner)
        if known > most:
            return True
        waiting += inner
    return False


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


def refusal(content_type: str | None, has_body: bool) -> ApiError | None:
    """Why a body with this Content-Type header is not read; None when it is."""
    if content_type is None:
        return None
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == JSON_MEDIA_TYPE or not has_body:
        return None
    return unsupported_media_type(content_type)


async def read_json(request: Request, limit_bytes: int) -> Any:
    """The request's body as `parsed`.

    Raises:
        ApiError: 400, 413 or 415.
    """
    data = await read_bytes(request, limit_bytes)
    error = refusal(request.headers.get("content-type"), bool(data))
    if error:
        raise error
    return parsed(data)


async def read_bytes(request: Request, limit_bytes: int) -> bytes:
    """The request's body as it came. Raises ApiError 413."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > limit_bytes:
        raise too_large(limit_bytes)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit_bytes:
            raise too_large(limit_bytes)
    return bytes(data)
