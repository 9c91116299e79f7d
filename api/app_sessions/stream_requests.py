"""The `zoom_rtms` field: what Zoom's webhook said about a stream, in any of the shapes it is forwarded in.

The plain form is the webhook's `payload`. Also taken: the whole webhook (`event` and `payload`), `payload.object`,
camel case, addresses as a list, an object or separated by commas, and the id fields of webinars, Video SDK sessions,
contact center engagements and phone calls. Keys that nobody needs are ignored: Zoom adds some every year.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.app_sessions import server_urls
from api.shapes import Invalid, a_string, an_object, shown, text_up_to
from connectors.rtms.protocol.addresses import AddressPolicy

ID_FIELDS: Mapping[str, str] = {
    "meeting": "meeting_uuid",
    "webinar": "webinar_uuid",
    "session": "session_id",
    "contact_center": "engagement_id",
    "phone": "call_id",
}
"""Product → the field that names its meeting."""

MAX_ID_CHARACTERS = 512
MAX_ADDRESSES = 16

_identifier = text_up_to(MAX_ID_CHARACTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedStream:
    """A stream that Zoom says can be joined. `zoom_app` is the client id of the app it was announced to, if given."""

    product: str
    meeting_id: str
    stream_id: str
    server_urls: tuple[str, ...]
    operator_id: str | None = None
    zoom_app: str | None = None


def announced(value: Any, addresses: AddressPolicy) -> AnnouncedStream:
    """The stream in a `zoom_rtms` field.

    Raises:
        Invalid: something is missing, of the wrong type, or an address is none that may be connected to.
    """
    document = an_object(value)
    product = _product(document)
    operator = _find(document, "operator_id")
    return AnnouncedStream(
        product=product,
        meeting_id=_meeting_id(document, product),
        stream_id=stream_id(document),
        server_urls=_server_urls(document, addresses),
        operator_id=None if operator is None else a_string(operator) and _identifier(operator),
        zoom_app=_optional_identifier(_find(document, "client_id")),
    )


def stream_id(value: Any) -> str:
    """The stream's id in a `zoom_rtms` field. Raises Invalid."""
    return _identifier(_required(an_object(value), "rtms_stream_id"))


def _product(document: Mapping[str, Any]) -> str:
    event = _find(document, "event")
    if event is not None:
        family, _, what = a_string(event).partition(".")
        if not what.endswith("rtms_started"):
            raise Invalid(f"{shown(event)} does not announce a stream; send what came with '*.rtms_started'")
        if family in ID_FIELDS:
            return family
    return next((product for product, name in ID_FIELDS.items() if _find(document, name) is not None), "meeting")


def _meeting_id(document: Mapping[str, Any], product: str) -> str:
    # Zoom's own documents disagree on whether webinars have an id field of their own.
    names = (ID_FIELDS[product], *ID_FIELDS.values())
    found = (value for name in names if (value := _find(document, name)) is not None)
    return _identifier(next(found, None) or _required(document, ID_FIELDS[product]))


def _server_urls(document: Mapping[str, Any], addresses: AddressPolicy) -> tuple[str, ...]:
    given = _required(document, "server_urls")
    entries = given if isinstance(given, list) else list(given.values()) if isinstance(given, dict) else [given]
    urls = [url.strip() for entry in entries for url in a_string(entry).split(",") if url.strip()]
    if not urls:
        raise Invalid(f"{shown(given)} should be non-empty")
    if len(urls) > MAX_ADDRESSES:
        raise Invalid(f"server_urls has more than {MAX_ADDRESSES} addresses")
    return tuple(dict.fromkeys(server_urls.allowed(_identifier(url), addresses) for url in urls))


def _optional_identifier(value: Any) -> str | None:
    return None if value is None else _identifier(value)


def _required(document: Mapping[str, Any], name: str) -> Any:
    value = _find(document, name)
    if value is None:
        raise Invalid(f"'{name}' is a required property")
    return value


def _find(document: Mapping[str, Any], name: str) -> Any:
    """The value of `name`, in snake or camel case, where it lies deepest; null is as good as absent."""
    head, *rest = name.split("_")
    names = (name, head + "".join(word.capitalize() for word in rest))
    levels = list(_levels(document))
    return next((level[key] for level in reversed(levels) for key in names if level.get(key) is not None), None)


def _levels(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield document
    for name in ("payload", "object"):
        inner = document.get(name)
        if isinstance(inner, dict):
            document = inner
            yield document
