"""The OpenAPI document: what FastAPI makes of the routes, with an example of every answer and none that never comes."""

from typing import Any

from fastapi import FastAPI

from api.answers import ALWAYS_REFUSED
from api.examples import EXAMPLES


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document as it is served."""
    document = FastAPI.openapi(app)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # promised by FastAPI, answered by nothing here
            if operation.pop(ALWAYS_REFUSED, False):
                for status in [status for status in operation["responses"] if status.startswith("2")]:
                    del operation["responses"][status]
    schemas = document.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name]["examples"] = [example]
    return document
