"""What KEDA's and Prometheus' operators take, read off classes that are generated from their own definitions.

The classes come in wheels (scripts/chart/tools.lock) that nothing here imports: their source is parsed. A field that
the definition does not have is refused, as by an API server with strict validation.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Any

from scripts.chart.tools import operator_classes
from scripts.chart.values_schema import Schema, closed, listed

KINDS = {
    "ScaledObject": "keda/v1alpha1.py",
    "ServiceMonitor": "prometheus_operator/v1.py",
    "PrometheusRule": "prometheus_operator/v1.py",
}
"""Where the classes of each kind are."""
_PLAIN = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
_BOUNDS = {"ge": "minimum", "le": "maximum", "min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}


@cache
def definition(kind: str) -> Schema:
    """The whole resource as JSON schema, every object closed; metadata is anything."""
    source = (operator_classes() / KINDS[kind]).read_text()
    parts = [part for part in re.split(r"^(?=class )", source, flags=re.M) if part.startswith(f"class {kind}")]
    classes = {node.name: node for node in ast.parse("".join(parts)).body if isinstance(node, ast.ClassDef)}
    return _object(classes[kind], classes)


def _object(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Schema:
    properties, required = {}, []
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and not _is_shared(field):
            name = _told(field.annotation).get("alias", field.target.id)
            properties[name] = _schema(field.annotation, classes)
            if field.value is None:
                required.append(name)
    return closed(properties, required)


def _is_shared(field: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(field.annotation)


def _schema(node: ast.expr, classes: dict[str, ast.ClassDef]) -> Schema:
    """Of a type; what stands outside of the kind's own classes (metadata, quantities) may be anything."""
    if isinstance(node, ast.BinOp):
        sides = [_schema(side, classes) for side in (node.left, node.right) if not _is_none(side)]
        return sides[0] if len(sides) == 1 else {"anyOf": sides}
    if isinstance(node, ast.Name):
        if node.id in classes:
            return _object(classes[node.id], classes)
        return {"type": _PLAIN[node.id]} if node.id in _PLAIN else {}
    if isinstance(node, ast.Subscript):
        return _parametrised(ast.unparse(node.value), node.slice, classes)
    return {}


def _parametrised(name: str, inner: ast.expr, classes: dict[str, ast.ClassDef]) -> Schema:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Annotated":
        told = _told(ast.Subscript(value=ast.Name(name), slice=inner))
        return _schema(parts[0], classes) | {_BOUNDS[key]: value for key, value in told.items() if key in _BOUNDS}
    if name == "Literal":
        return {"enum": [ast.literal_eval(part) for part in parts]}
    if name == "list":
        return listed(_schema(parts[0], classes))
    return {"type": "object", "additionalProperties": _schema(parts[1], classes)}


def _told(annotation: ast.expr) -> dict[str, Any]:
    """What `Field(…)` says beside the type."""
    if not (isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated"):
        return {}
    assert isinstance(annotation.slice, ast.Tuple)
    fields = [part for part in annotation.slice.elts if isinstance(part, ast.Call)]
    return {word.arg: ast.literal_eval(word.value) for field in fields for word in field.keywords if word.arg}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
