"""Everything that a request can be refused with: an error knows its status, its body and its headers.

The bodies' shapes are those that clients of the App Session API know: `error` for what the business says no to,
`detail` for what HTTP does, and the field names for what is wrong with a body.
"""

from collections.abc import Mapping

RETRY_AFTER_S = 1


class ApiError(Exception):
    """A refusal, ready to be sent."""

    def __init__(self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def refused(text: str) -> ApiError:
    """What was asked makes no sense; 400."""
    return ApiError(400, {"error": text})


def invalid_fields(errors: Mapping[str, object]) -> ApiError:
    """A body with bad fields; 400."""
    return ApiError(400, errors)


def forbidden(text: str) -> ApiError:
    """Not allowed, whoever asks; 403."""
    return ApiError(403, {"error": text})


def not_found(text: str) -> ApiError:
    """There is no such thing, or it is somebody else's; 404."""
    return ApiError(404, {"error": text})


def no_such_path() -> ApiError:
    """What every unknown path answers, with or without a key."""
    return not_found("Not found")


def unauthenticated(text: str) -> ApiError:
    """No key, or none that opens anything; 401."""
    return ApiError(401, {"detail": text}, {"WWW-Authenticate": "Token"})


def wrong_method(method: str, allowed: str) -> ApiError:
    """The path exists, the method does not; 405."""
    return ApiError(405, {"detail": f'Method "{method}" not allowed.'}, {"Allow": allowed})


def unparsable(reason: str) -> ApiError:
    """The body is no JSON; 400."""
    return ApiError(400, {"detail": f"JSON parse error - {reason}"})


def too_large(limit_bytes: int) -> ApiError:
    """The body is larger than a request may be; 413. The rest of it is not read."""
    return ApiError(413, {"detail": f"Request body is larger than {limit_bytes} bytes."}, {"Connection": "close"})


def too_slow() -> ApiError:
    """The request did not arrive in time; 408."""
    return ApiError(408, {"detail": "The request did not arrive in time."})


def gone(text: str) -> ApiError:
    """It was there, and is not any more; 410."""
    return ApiError(410, {"error": text})


def unsupported_media_type(media_type: str) -> ApiError:
    """The body is of a type that is not read here; 415."""
    return ApiError(415, {"detail": f'Unsupported media type "{media_type[:100]}" in request.'})


def unavailable(text: str) -> ApiError:
    """It may work in a moment; 503. Asking again is always safe."""
    return ApiError(503, {"error": text}, {"Retry-After": str(RETRY_AFTER_S)})
