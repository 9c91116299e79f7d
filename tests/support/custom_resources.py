"""Resources of other operators, held to their operators' own definitions as an API server with strict validation does.

What a definition says in Common Expression Language only a server can check: `make test-cluster` asks one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from scripts.chart.definitions import KINDS, definition
from scripts.chart.values_schema import ANY_MAP, Schema

CUSTOM = KINDS
_TOLD_APART = {"description", "default", "format", "nullable", "properties", "items", "additionalProperties"}


def custom_problems(manifest: dict[str, Any], age: str) -> list[str]:
    """What an API server with the oldest or the newest definition would refuse, unknown fields included."""
    kind = manifest["kind"]
    found = _validator(kind, manifest["apiVersion"], age).iter_errors(manifest)
    return [f"{kind} {'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


@cache
def _validator(kind: str, api_version: str, age: str) -> Draft4Validator:
    told = definition(kind, age)["spec"]
    served = {f"{told['group']}/{one['name']}": one["schema"] for one in told["versions"] if one["served"]}
    assert told["names"]["kind"] == kind
    assert api_version in served, f"{kind}: {api_version} is not served, {sorted(served)} are"
    root = served[api_version]["openAPIV3Schema"]
    schema = closed_as_told(root)
    schema["properties"] |= {"metadata": ANY_MAP}  # every server's own
    schema["required"] = sorted({"apiVersion", "kind", "metadata", *root.get("required", ())})
    return Draft4Validator(schema)


def closed_as_told(told: Schema) -> Schema:
    """JSON schema of a definition's: no field that it does not name, and null only where it says so."""
    schema = {key: value for key, value in told.items() if key not in _TOLD_APART and not key.startswith("x-")}
    properties, others = told.get("properties", {}), told.get("additionalProperties")
    if told.get("type") == "object":
        schema["properties"] = {name: closed_as_told(one) for name, one in properties.items()}
        any_other = bool(told.get("x-kubernetes-preserve-unknown-fields")) or others is True
        schema["additionalProperties"] = closed_as_told(others) if isinstance(others, dict) else any_other
    if "items" in told:
        schema["items"] = closed_as_told(told["items"])
    if told.get("nullable"):
        schema["type"] = [told["type"], "null"]
    if told.get("x-kubernetes-int-or-string"):
        schema["type"] = ["integer", "string"]
    return schema
