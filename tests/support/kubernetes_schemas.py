"""Kubernetes' own JSON schemas, in which every object is closed."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from scripts.chart.tools import kubernetes_schemas


def problems(manifest: dict[str, Any], version: str) -> list[str]:
    """What the API server of this version would refuse, unknown fields included."""
    found = _validator(manifest["kind"], manifest["apiVersion"], version).iter_errors(manifest)
    return [f"{manifest['kind']} {'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def metadata_problems(manifest: dict[str, Any], version: str) -> list[str]:
    """The same of the metadata alone, which is one for every kind."""
    found = _metadata(version).iter_errors(manifest["metadata"])
    return [
        f"{manifest['kind']} metadata/{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found
    ]


@cache
def _metadata(version: str) -> Draft202012Validator:
    reference = "/api/_definitions.json#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    return Draft202012Validator({"$ref": reference}, registry=_definitions(version))


@cache
def _validator(kind: str, api_version: str, version: str) -> Draft202012Validator:
    folder = kubernetes_schemas(version)
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads((folder / f"{kind.lower()}-{group}.json").read_text())
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    """All of them, gone through once: a registry that has not been is gone through again for every reference."""
    definitions = json.loads((kubernetes_schemas(version) / "_definitions.json").read_text())
    return Registry().with_resource("/api/_definitions.json", Resource.from_contents(definitions)).crawl()
