"""The schema registry, over the Confluent REST contract that Confluent's, Apicurio's and Karapace's all speak.

Services register nothing: they look their ids up at start (`load_codec`) and fail with the remedy's name when they
are not there. Only `python -m connectors.kafka topics` registers.
"""

import json
import ssl
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import httpx

from connectors.kafka.errors import KafkaError, Misconfigured
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec, schema_text
from schemas.topics import Topic

COMPATIBILITY = "FULL_TRANSITIVE"
MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"

_TIMEOUT_S = 10.0
_SUBJECT_NOT_FOUND = 404
_CONFLICT = 409
_INVALID = 422


class RegistryError(KafkaError):
    """The registry answered with an error, or not at all (then `retryable`)."""


class NotRegistered(RegistryError):
    """No such subject or schema."""


class Incompatible(RegistryError):
    """The schema would break readers or writers of the subject's earlier versions."""


class Registered(NamedTuple):
    """One registered schema: its id, its version within the subject, its JSON text."""

    schema_id: int
    version: int
    schema: str


class RegistryClient:
    """Blocking; made for start-up and tools, never for the path of a record."""

    def __init__(self, url: str, username: str = "", password: str = "", ca_location: str = "") -> None:
        auth = httpx.BasicAuth(username, password) if username else None
        self._http = httpx.Client(
            base_url=url.rstrip("/"), auth=auth, verify=_verify(url, ca_location), timeout=_TIMEOUT_S, trust_env=False
        )

    @classmethod
    def from_settings(cls, settings: KafkaSettings) -> "RegistryClient":
        """The registry of `settings`."""
        password = settings.registry_password.get_secret_value()
        return cls(settings.registry_url, settings.registry_username, password, settings.registry_ca_location)

    def register(self, subject: str, schema: str) -> int:
        """Register Avro JSON text under `subject`; the same text gets the same id. Raises Incompatible."""
        return int(_said(self._call("POST", f"/subjects/{subject}/versions", _avro(schema)), "id"))

    def lookup(self, subject: str, schema: str) -> Registered:
        """The entry of exactly this schema. Raises NotRegistered."""
        return _registered(self._call("POST", f"/subjects/{subject}", _avro(schema)))

    def latest(self, subject: str) -> Registered:
        """The newest version of a subject. Raises NotRegistered."""
        return _registered(self._call("GET", f"/subjects/{subject}/versions/latest"))

    def schema(self, schema_id: int) -> str:
        """The JSON text of an id. Raises NotRegistered."""
        return str(_said(self._call("GET", f"/schemas/ids/{schema_id}"), "schema"))

    def subjects(self) -> list[str]:
        """All subjects."""
        return cast(list[str], self._call("GET", "/subjects"))

    def compatibility(self) -> str:
        """The registry's default level."""
        return str(_said(self._call("GET", "/config"), "compatibilityLevel"))

    def set_subject_compatibility(self, subject: str, level: str = COMPATIBILITY) -> None:
        """Set one subject's level, which stands before the default."""
        self._call("PUT", f"/config/{subject}", {"compatibility": level})

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body)
        headers = {"Accept": MEDIA_TYPE} | ({"Content-Type": MEDIA_TYPE} if body is not None else {})
        try:
            response = self._http.request(method, path, content=content, headers=headers)
        except httpx.TransportError as error:
            raise RegistryError(f"registry unreachable ({type(error).__name__})", retryable=True) from error
        if response.is_success:
            return _document(response)
        raise _error_of(response, f"{method} {path}")


def _avro(schema: str) -> dict[str, Any]:
    return {"schema": schema, "schemaType": "AVRO"}


def _registered(document: Any) -> Registered:
    return Registered(int(_said(document, "id")), int(_said(document, "version")), str(_said(document, "schema")))


def _said(document: Any, name: str) -> Any:
    if not isinstance(document, dict) or name not in document:
        raise RegistryError(f"the answer, without {name}, is not a registry's")
    return document[name]


def _document(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _error_of(response: httpx.Response, request: str) -> RegistryError:
    document = _document(response)
    said: dict[str, Any] = document if isinstance(document, dict) else {}
    text = f"{request}: {response.status_code} {said.get('message', '')}".strip()
    if response.status_code == _SUBJECT_NOT_FOUND and "error_code" in said:  # else it is a proxy's, which knows nothing
        return NotRegistered(text)
    if response.status_code in (_CONFLICT, _INVALID):
        return Incompatible(text)
    return RegistryError(text, retryable=response.status_code >= 500 or response.status_code == 429)


def load_codec(settings: KafkaSettings, known: Iterable[Topic] = topics.ALL) -> Codec:
    """A codec with the registry's ids of these topics' schemas; each is a request.

    Raises Misconfigured when a schema of this release is not registered, RegistryError when the registry is away.
    """
    client = RegistryClient.from_settings(settings)
    try:
        return Codec({topic.name: client.lookup(topic.subject, schema_text(topic.schema)).schema_id
                      for topic in known})  # fmt: skip
    except NotRegistered as error:
        raise Misconfigured(f"{error}; run: python -m connectors.kafka topics") from error
    finally:
        client.close()


def learn_schema(settings: KafkaSettings, codec: Codec, schema_id: int) -> None:
    """Teach `codec` the schema of a writer it does not know; after that the value decodes."""
    client = RegistryClient.from_settings(settings)
    try:
        codec.learn(schema_id, client.schema(schema_id))
    finally:
        client.close()


def _verify(url: str, ca_location: str) -> ssl.SSLContext | bool:
    """Whose certificates count. Without TLS nobody's: to read all that the machine trusts is a twentieth of a start."""
    if not url.lower().startswith("https:"):
        return False
    return ssl.create_default_context(cafile=ca_location) if ca_location else True
