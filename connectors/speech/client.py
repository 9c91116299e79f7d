"""Asks speech services over HTTP: no redirects, no cookies, a bounded answer, a bounded time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from connectors.speech.exchange import Failure, Heard, NoAnswer, Request, Service, failure
from schemas.transcription_codes import Reason

MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""Far above what an utterance's words with all their times take."""

USER_AGENT = "rtms-pipeline"


class SpeechClient:
    """Use it within one event loop; close it there. `limit_s` is for one attempt from its beginning to its end."""

    def __init__(self, limit_s: float, connections: int) -> None:
        self._limit_s = limit_s
        self._http = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one key's would go along with the next one's
            timeout=limit_s,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def ask(self, service: Service, sound: bytes, options: Mapping[str, object]) -> Heard | Failure:
        """What `service` makes of `sound`; never raises for what it or the network does."""
        request = service.request(sound, options)
        if isinstance(request, Failure):
            return request
        try:
            async with asyncio.timeout(self._limit_s):
                answer = await self._post(request, f"utterance.{service.file_type}")
            return answer if isinstance(answer, Failure) else service.heard(answer, options)
        except (TimeoutError, httpx.TimeoutException):
            return Failure(Reason.TIMED_OUT, is_final=False)
        except httpx.LocalProtocolError:  # no header can hold this key
            return Failure(Reason.CREDENTIALS_INVALID, is_final=True)
        except httpx.WriteError:
            return Failure(Reason.AUDIO_UPLOAD_FAILED, is_final=False)
        except (httpx.HTTPError, NoAnswer):
            return Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)
        except httpx.InvalidURL:
            return Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=True)
        except UnicodeError:  # nor this one
            return Failure(Reason.CREDENTIALS_INVALID, is_final=True)

    async def _post(self, request: Request, file_name: str) -> bytes | Failure:
        response = await self._http.send(self._built(request, file_name), stream=True)
        try:
            failed = failure(response.status_code, response.headers)
            return failed or await _read(response.aiter_raw())
        finally:
            await response.aclose()

    def _built(self, request: Request, file_name: str) -> httpx.Request:
        build = partial(self._http.build_request, "POST", request.url)
        if not request.field_name:
            return build(headers={**request.headers, "Content-Type": request.content_type}, content=request.content)
        file = (file_name, request.content, request.content_type)
        return build(headers=request.headers, data=_form(request), files={request.field_name: file})


def _form(request: Request) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in request.fields:
        fields.setdefault(name, []).append(value)
    return fields


async def _read(chunks: AsyncIterator[bytes]) -> bytes:
    """The answer. Raises NoAnswer where it is too long."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise NoAnswer("too long")
    return bytes(body)
