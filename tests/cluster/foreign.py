"""Resources of other operators, as the chart renders them, asked of a real API server: nothing is made of them.

`make check` holds them to their definitions' schemas; what a definition says in Common Expression Language only a
server can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from scripts.chart.definitions import KINDS, definition
from tests.cluster.kubectl import Kubectl, Object, Refused
from tests.support.chart import render
from tests.support.chart_values import MATRIX

_REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"statusCode": 301}}


def check(kubectl: Kubectl) -> int:
    """How many the server would take, and every definition that asks for it. Raises AssertionError or Refused."""
    resources = list(_rendered())
    assert {one["kind"] for one in resources} == KINDS
    with _defined(kubectl):
        kubectl.try_out(*resources)
        told = _refusal(kubectl, _contradicting(next(one for one in resources if one["kind"] == "HTTPRoute")))
        assert "RequestRedirect" in told, f"a route that redirects and forwards: {told or 'taken'}"
    return len(resources)


def _refusal(kubectl: Kubectl, resource: Object) -> str:
    """The server's words; empty: it would take it."""
    try:
        kubectl.try_out(resource)
    except Refused as told:
        return str(told)
    return ""


def _rendered() -> Iterator[Object]:
    """Each with a name of its own."""
    for number, values in enumerate(MATRIX.values()):
        for one in render(values=values):
            if one["kind"] in KINDS:
                metadata = {key: value for key, value in one["metadata"].items() if key != "namespace"}
                yield one | {"metadata": metadata | {"name": f"{metadata['name']}-{number}"}}


def _contradicting(route: Object) -> Object:
    """What every schema allows and one of the definition's expressions does not."""
    wrong = deepcopy(route)
    rule = wrong["spec"]["rules"][0]
    assert rule["backendRefs"]
    rule["filters"] = [_REDIRECT]
    return wrong


@contextmanager
def _defined(kubectl: Kubectl) -> Iterator[None]:
    definitions = [definition(kind, "newest") for kind in sorted(KINDS)]
    names = [f"customresourcedefinition/{one['metadata']['name']}" for one in definitions]
    try:
        kubectl.apply(*definitions)
        kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)
        yield
    finally:
        kubectl("delete", "--ignore-not-found", *names)
