"""The values of the control plane's topics: tenants, what opens and describes them, and their claims on live sessions.

Re-exported by `schemas.records`, where the values of all topics are found.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A tenant. `concurrency_limit` None: the installation's. `webhook_secrets_encrypted` sign what its sessions tell
    receivers of their own, the newest first; a second one goes on signing while receivers change over. A session's data
    is deleted `retention_hours` after its end, unless the session has a term of its own; None: not by itself."""

    project_id: str
    name: str
    created_at_ms: int
    concurrency_limit: int | None = None
    webhook_secrets_encrypted: tuple[str, ...] = ()
    retention_hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The secret itself is shown once and never kept: only its SHA-256 (hex). No scopes: all of them."""

    key_id: str
    project_id: str
    name: str
    secret_sha256: str
    disabled: bool = False
    created_at_ms: int
    scopes: tuple[str, ...] = ()
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomApp:
    """Zoom credentials of a project; secrets are encrypted with the deployment's key ring."""

    zoom_app_id: str
    project_id: str
    client_id: str
    client_secret_encrypted: str
    webhook_secret_encrypted: str | None = None
    created_at_ms: int


class CredentialKind(StrEnum):
    """What a project's own credential is for; a project has one of each."""

    UNKNOWN = "unknown"
    DEEPGRAM = "deepgram"
    OPENAI = "openai"
    EXTERNAL_MEDIA_STORAGE = "external_media_storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a project uses a service with instead of the operator's. Its secret is encrypted with the deployment's key
    ring; `details` is JSON of what is no secret (`schemas.credentials`)."""

    credential_id: str
    project_id: str
    kind: CredentialKind
    secret_encrypted: str
    details: str = "{}"
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyUse:
    """When a key was last used, to the minute. A record of its own, so that noting it can undo no change of the key."""

    key_id: str
    last_used_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """How a project's sessions are that Zoom itself announces: `wishes` are fields of a create request, as JSON."""

    project_id: str
    wishes: str


class ClaimKind(StrEnum):
    """What a record says about a place among a project's live sessions."""

    UNKNOWN = "unknown"
    CLAIMED = "claimed"
    LEFT = "left"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A place among a project's live sessions: asked for (`claimed`), no longer counted (`left`) or given back whole.

    Whether a claim holds is decided by `schemas.claims` from the order of the log alone, so the `limit` that the
    claimant went by is in it. `left` and `released` name the claim by its offset, so that one which comes late cannot
    hit a newer claim. `request_id` tells a writer which record is its own.
    """

    project_id: str
    session_id: str
    kind: ClaimKind
    request_id: str = ""
    deduplication_key: str | None = None
    limit: int = 0
    claim_offset: int = -1
