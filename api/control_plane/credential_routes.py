"""A project's own credentials over REST, for whoever holds the admin token: written, listed, taken back."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.access import CONTROL_PLANE, AsAdmin
from api.answers import READING, WRITING, answers, json_body
from api.control_plane import credentials
from api.control_plane.credentials import CredentialDocument, CredentialList
from api.control_plane.routes import Body, Current
from api.errors import invalid_fields, not_found
from api.services import Here, Services
from api.writing import written
from schemas import ids, topics
from schemas.records import Credential, Project

router = APIRouter(prefix=f"{CONTROL_PLANE}/{{project_id}}/credentials", tags=["Control plane"], dependencies=[AsAdmin])


@router.put(
    "/{type}",
    responses=WRITING | answers(404),
    openapi_extra=json_body(
        credentials.SCHEMA,
        deepgram={"api_key": "…"},
        external_media_storage={
            "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "access_key_secret": "…",
            "region_name": "eu-central-1",
        },
    ),
)
async def put_credential(project: Current, type: str, body: Body, services: Here) -> CredentialDocument:
    """What the project's sessions use a service with, instead of the operator's. Another one replaces it.

    `deepgram` and `openai` are keys of speech services, `external_media_storage` opens buckets that sessions may name
    in `external_media_storage_settings`. What is said next is heard with the new key. Secrets are never shown.
    """
    kind = credentials.kind_of(type)
    if kind is None:
        raise invalid_fields({"type": [f"Credentials are of one of the types {', '.join(credentials.KINDS)}."]})
    given = credentials.credential(kind, body, services.targets)
    known = Credential(
        credential_id=ids.credential_id(project.project_id, kind),
        project_id=project.project_id,
        kind=kind,
        secret_encrypted=services.key_ring.encrypt(given.secret),
        details=given.details,
        created_at_ms=services.clock.now_ms(),
    )
    await written(services, topics.CREDENTIALS, known.credential_id, known)
    return credentials.credential_document(known)


@router.get("", responses=READING)
async def list_credentials(project: Current, services: Here) -> CredentialList:
    """A project's own credentials, without their secrets."""
    await services.catch_up(topics.CREDENTIALS)
    found = services.directory.credentials(project.project_id)
    return {"results": [credentials.credential_document(known) for known in found]}


@router.get("/{type}", responses=READING)
async def get_credential(project: Current, type: str, services: Here) -> CredentialDocument:
    """One of a project's own credentials, without its secret."""
    return credentials.credential_document(await _found(services, project, type))


@router.delete("/{type}", status_code=204, responses=READING)
async def delete_credential(project: Current, type: str, services: Here) -> Response:
    """Forget a credential: the project's sessions use the operator's again, if there is one."""
    known = await _found(services, project, type)
    await written(services, topics.CREDENTIALS, known.credential_id, None)
    return Response(status_code=204)


async def _found(services: Services, project: Project, name: str) -> Credential:
    await services.catch_up(topics.CREDENTIALS)
    kind = credentials.kind_of(name)
    found = None if kind is None else services.directory.credential(project.project_id, kind)
    if found is None:
        raise not_found("Credential not found")
    return found
