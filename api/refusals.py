"""Turns everything that goes wrong in a request into an answer. A 500 is a bug of ours and is logged as one."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, ValidationException, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.access import admit
from api.errors import ApiError, no_such_path, refused, wrong_method
from api.services import services_of
from connectors.host.logs import get_logger

log = get_logger(__name__)

_NOT_FOUND, _WRONG_METHOD = 404, 405


def install(app: FastAPI) -> None:
    """Handle errors the way clients of the App Session API expect."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_exception_handler(WebSocketRequestValidationError, _bad_parameter)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _bug)


def _answer(error: ApiError) -> JSONResponse:
    return JSONResponse(dict(error.body), error.status, error.headers)


async def _api_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return _answer(error)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == _NOT_FOUND:
        return _answer(no_such_path())
    if error.status_code == _WRONG_METHOD:
        return _answer(await _method_refusal(request, (error.headers or {}).get("Allow", "")))
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _method_refusal(request: Request, allowed: str) -> ApiError:
    """Whether a method exists is only told to who may be here."""
    try:
        await admit(await services_of(request), request.url.path, request.headers.get("authorization"))
    except ApiError as error:
        return error
    return wrong_method(request.method, allowed)


async def _bad_parameter(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ValidationException)
    names = sorted({str(problem["loc"][-1]) for problem in error.errors()})
    return _answer(refused(f"Bad parameters: {', '.join(names)[:200]}"))


async def _gone(_request: Request, _error: Exception) -> JSONResponse:
    return _answer(refused("The request ended before its body did."))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    route = getattr(request.scope.get("route"), "path", "")
    log.error("request failed", route=route, method=request.method, error=type(error).__name__)
    return JSONResponse({"error": "Something went wrong on our side."}, 500)
