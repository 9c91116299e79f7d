"""What the chart renders is what Kubernetes takes, and holds what every pod of ours must hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.chart.definitions import AGES, NoGo, ensure
from scripts.chart.documents import CHART, workloads
from scripts.chart.tools import KUBERNETES
from tests.support.chart import EXAMPLES, RELEASE, SMALLEST, Manifest, merged, pods, render, run_helm, smallest
from tests.support.chart_values import EVERYTHING, MATRIX, SCALED
from tests.support.custom_resources import CUSTOM, custom_problems
from tests.support.kubernetes_schemas import metadata_problems, problems


@pytest.fixture(
    scope="module", params=[*EXAMPLES, *MATRIX], ids=lambda case: case.stem if isinstance(case, Path) else case
)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return render(request.param) if isinstance(request.param, Path) else render(values=MATRIX[request.param])


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_it(manifests: list[Manifest], version: str) -> None:
    native = [manifest for manifest in manifests if manifest["kind"] not in CUSTOM]
    assert [problem for manifest in native for problem in problems(manifest, version)] == []


@pytest.mark.parametrize(("age", "version"), list(zip(AGES, KUBERNETES, strict=True)))
def test_operators_take_it(manifests: list[Manifest], age: str, version: str) -> None:
    _have_definitions()
    custom = [manifest for manifest in manifests if manifest["kind"] in CUSTOM]
    assert [problem for manifest in custom for problem in metadata_problems(manifest, version)] == []
    assert [problem for manifest in custom for problem in custom_problems(manifest, age)] == []


def test_the_matrix_renders_every_kind_that_has_a_definition() -> None:
    assert {one["kind"] for values in MATRIX.values() for one in render(values=values)} >= CUSTOM


def test_every_pod_is_restricted(manifests: list[Manifest]) -> None:
    for pod in pods(manifests):
        security = pod.spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] >= 10_000
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod.spec["automountServiceAccountToken"] is False
        for container in pod.containers:
            held = container["securityContext"]
            assert held["readOnlyRootFilesystem"] is True
            assert held["allowPrivilegeEscalation"] is False
            assert held["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_no_secret_is_written_down(manifests: list[Manifest]) -> None:
    assert "Secret" not in {manifest["kind"] for manifest in manifests}


def test_selectors_find_their_pods(manifests: list[Manifest]) -> None:
    labels = [pod.metadata["labels"] for pod in pods(manifests)]
    for manifest in manifests:
        spec = manifest.get("spec", {})
        selector = spec.get("selector", spec.get("podSelector", {}))
        if manifest["kind"] in ("Service", "Deployment", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy"):
            wanted = selector.get("matchLabels", selector)
            assert sum(wanted.items() <= found.items() for found in labels) == 1, manifest["metadata"]["name"]


def test_what_a_pod_refers_to_is_there(manifests: list[Manifest]) -> None:
    there = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests}
    for pod in pods(manifests):
        assert ("ServiceAccount", pod.spec["serviceAccountName"]) in there
        volumes = {volume["name"] for volume in pod.spec["volumes"]}
        for container in pod.containers:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            for source in container["envFrom"]:
                assert ("ConfigMap", source["configMapRef"]["name"]) in there


def test_every_workload_is_rendered_and_guarded() -> None:
    manifests = render(values=merged(SMALLEST, EVERYTHING))
    running = {name for name, facts in workloads().items() if "args" in facts}
    for kind in ("PodDisruptionBudget", "Service", "NetworkPolicy", "ServiceAccount", "ConfigMap"):
        named = {manifest["metadata"]["name"].removeprefix("rtms-rtms-pipeline-") for manifest in manifests
                 if manifest["kind"] == kind}  # fmt: skip
        assert running <= {name.removeprefix("rtms-") for name in named}, kind


def test_a_workload_that_is_off_leaves_nothing_behind() -> None:
    manifests = smallest(workloads={"api": {"enabled": False}})
    left = {manifest["metadata"]["labels"]["app.kubernetes.io/component"] for manifest in manifests}
    assert not left & {"api", "processor-composing"}


def test_a_changed_setting_restarts_its_readers_and_nobody_else() -> None:
    before, after = smallest(), smallest(config={"muxing": {"threads": 2}})
    sums = [
        {pod.component: pod.metadata.get("annotations", {}).get("checksum/config") for pod in pods(manifests)}
        for manifests in (before, after)
    ]
    assert {name for name in sums[0] if sums[0][name] != sums[1][name]} == {"processor-muxing"}


def test_a_collector_of_traces_is_let_out_to_where_there_is_one() -> None:
    def let_out(manifests: list[Manifest]) -> set[str]:
        policies = [manifest for manifest in manifests if manifest["kind"] == "NetworkPolicy"]
        ports = {policy["metadata"]["name"]: str(policy["spec"]["egress"]) for policy in policies}
        return {name for name, said in ports.items() if "4318" in said}

    assert let_out(smallest()) == set()
    endpoint = {"config": {"otel": {"endpoint": "http://collector.tracing:4318"}}}
    with_traces = render(values=merged(merged(SMALLEST, EVERYTHING), endpoint))
    assert len(let_out(with_traces)) == len([facts for facts in workloads().values() if "args" in facts])


def test_an_authority_is_where_it_is_read_and_nowhere_else() -> None:
    found: dict[str, set[str]] = {"RTMS_CLICKHOUSE_CA_LOCATION": set(), "RTMS_OBJECTS_CA_LOCATION": set()}
    for pod in pods(render(values=MATRIX["authorities"])):
        for container in pod.containers:
            told = {variable["name"]: variable.get("value", "") for variable in container["env"]}
            mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
            for name in found.keys() & told.keys():
                assert str(Path(told[name]).parent) in mounted
                found[name].add(pod.component)
    assert found == {
        "RTMS_CLICKHOUSE_CA_LOCATION": {"api", "check", "setup", "sink-clickhouse"},
        "RTMS_OBJECTS_CA_LOCATION": {"api", "processor-transcription", "sink-objects"},
    }


def test_removing_the_release_leaves_what_is_in_topics() -> None:
    topics = [manifest for manifest in render(values=MATRIX["strimzi"]) if manifest["kind"] == "KafkaTopic"]
    assert topics
    assert {str(topic["metadata"]["annotations"]) for topic in topics} == {"{'helm.sh/resource-policy': 'keep'}"}


def test_a_group_has_the_prefix_that_its_workload_gives_it() -> None:
    prefixed = {name: {"group_prefix": f"{name}-"} for name in ("composing", "processors", "sink_objects")}
    values = merged(merged(MATRIX["strimzi"], EVERYTHING), {"config": prefixed})
    [user] = [manifest for manifest in render(values=values) if manifest["kind"] == "KafkaUser"]
    acls = [acl["resource"] for acl in user["spec"]["authorization"]["acls"]]
    granted = {resource["name"] for resource in acls if resource["type"] == "group"}
    assert {"composing-composing", "processors-muxing", "sink_objects-sink-objects", "lifecycle"} <= granted
    assert not {"composing", "muxing", "sink-objects"} & granted


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"ingress": {"enabled": True, "host": "a.example.com"}}, "http://a.example.com"),
        ({"ingress": {"enabled": True, "host": "a.example.com", "tlsSecret": "tls"}}, "https://a.example.com"),
        ({"gateway": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["b.io"]}}, "https://b.io"),
        ({"ingress": {"enabled": True, "host": "a"}, "config": {"api": {"public_url": "https://c"}}}, "https://c"),
        ({"ingress": {"enabled": True, "host": "*.example.com"}}, None),
        ({"gateway": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["*.io", "b.io"]}}, "https://b.io"),
        ({}, None),
    ],
)
def test_links_begin_with_how_clients_come_in(changes: dict[str, Any], url: str | None) -> None:
    told = [one["data"] for one in smallest(**changes) if one["kind"] == "ConfigMap"]
    assert [data.get("RTMS_API_PUBLIC_URL") for data in told].count(url) == (1 if url else len(told))


def egress(workload: str, **config: Any) -> list[Any]:
    """The ports at which that workload may leave, in the order of its rules; names, which all may ask, left out."""
    values = merged(merged(SMALLEST, EVERYTHING), {"config": config})
    policies = [one for one in render(values=values) if one["kind"] == "NetworkPolicy"]
    [policy] = [one for one in policies if one["metadata"]["name"].endswith(workload)]
    return [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"][1:]]


@pytest.mark.parametrize("url", ["s3://b", "gs://b", "az://c"])
def test_the_way_to_a_bucket_is_open(url: str) -> None:
    bucket = {"url": url} | ({"account": "ours"} if url.startswith("az") else {})
    assert egress("sink-objects", objects=bucket)[-1] == [443]
    assert egress("sink-objects", objects=bucket | {"endpoint": "http://minio:9000"})[-2:] == [[9000], [443]]


@pytest.mark.parametrize("workload", ["api", "processor-composing", "processor-transcription", "sink-objects"])
def test_whoever_reads_recordings_reaches_where_they_are(workload: str) -> None:
    assert [9000] in egress(workload, objects={"endpoint": "http://minio:9000"})
    assert [9000] not in egress("processor-muxing", objects={"endpoint": "http://minio:9000"})


def test_the_api_asks_zoom_only_where_it_is_told_to() -> None:
    before = egress("api")
    assert egress("api", zoom={"oauth_url": "https://zoom.us"}) == [*before, [443]]


@pytest.mark.parametrize(
    ("speech", "ports"),
    [({}, [[443]]), ({"openai_base_url": "http://whisper:8000/v1"}, [[8000, 443]]),
     ({"deepgram_base_url": "https://a:82", "openai_base_url": "http://b:81/v1"}, [[81, 82]])],
)  # fmt: skip
def test_transcription_reaches_the_speech_services_that_a_project_may_have_a_key_for(
    speech: dict[str, str], ports: list[list[int]]
) -> None:
    before, bucket = egress("processor-muxing"), [443]
    assert egress("processor-transcription", transcription=speech) == [*before, bucket, *ports]


def test_transcription_reaches_the_operators_own_transcriber() -> None:
    before, bucket = egress("processor-muxing"), [443]
    told = egress("processor-transcription", custom_async={"url": "http://own/transcribe"})
    assert told == [*before, bucket, [443, 80]]


def test_who_uses_projects_credentials_has_the_key_ring() -> None:
    for pod in pods(smallest()):
        names = {variable["name"] for container in pod.containers for variable in container["env"]}
        assert ("RTMS_SECRETS_KEYS" in names) == ("secrets" in workloads()[pod.component]["settings"]), pod.component
    assert "secrets" in workloads()["processor-transcription"]["settings"]


def test_an_autoscaled_workload_says_no_number_of_its_own() -> None:
    for manifest in smallest(defaults={"autoscaling": {"enabled": True}}, autoscaler={"kind": "hpa"}):
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            assert "replicas" not in manifest["spec"]


@pytest.mark.parametrize("workload", [name for name, facts in workloads().items() if facts.get("consumes")])
def test_keda_asks_for_the_lag_of_every_input_or_for_what_says_more(workload: str) -> None:
    values = merged(merged(SMALLEST, SCALED), EVERYTHING)
    scalers = {one["metadata"]["name"]: one["spec"] for one in render(values=values) if one["kind"] == "ScaledObject"}
    [spec] = [spec for name, spec in scalers.items() if name.endswith(f"-{workload}")]
    facts, told = workloads()[workload], [trigger["metadata"] for trigger in spec["triggers"]]
    if gauge := facts.get("scalesOn"):
        target = spec["scaleTargetRef"]["name"]
        assert [one["query"] for one in told] == [f'sum({gauge}{{namespace="default", service="{target}"}})']
    else:
        expected = {(group, topic) for group, inputs in facts["consumes"].items() for topic in inputs}
        assert {(one["consumerGroup"], one["topic"]) for one in told} == expected


def test_fewer_workers_are_never_chosen_while_meetings_run_unless_asked() -> None:
    def scale_down(**ingest: Any) -> dict[str, Any]:
        manifests = smallest(
            workloads={"ingest": {"autoscaling": {"enabled": True, **ingest}}}, autoscaler={"kind": "hpa"}
        )
        (scaler,) = [manifest for manifest in manifests if manifest["kind"] == "HorizontalPodAutoscaler"]
        assert scaler["spec"]["behavior"]["scaleUp"]["stabilizationWindowSeconds"] >= 600
        found: dict[str, Any] = scaler["spec"]["behavior"]["scaleDown"]
        return found

    assert scale_down() == {"selectPolicy": "Disabled"}
    assert scale_down(scaleDownMovesMeetings=True)["stabilizationWindowSeconds"] >= 600


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_helm_finds_nothing_to_blame(example: Path) -> None:
    run_helm("lint", str(CHART), "--strict", "-f", str(example))


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_check_itself_finds_a_field_that_is_none(version: str) -> None:
    (api,) = [m for m in smallest() if m["kind"] == "Deployment" and m["metadata"]["name"].endswith("-api")]
    api["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    assert any("redinessProbe" in problem for problem in problems(api, version))


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "ScaledObject": ("keda", {"minReplicas": 1}, "minReplicas"),
    "ServiceMonitor": ("keda", {"endpoints": [{"port": "health", "scheme": "gopher"}]}, "gopher"),
    "PrometheusRule": ("keda", {"groups": [{"name": "g", "rules": [{"expr": "1", "for": "soon"}]}]}, "soon"),
    "HTTPRoute": ("keda", {"parentRefs": [{"gateway": "g"}]}, "gateway"),
    "KafkaTopic": ("strimzi", {"partition": 12}, "partition"),
    "KafkaUser": ("strimzi", {"authentication": {"type": "kerberos"}}, "kerberos"),
}


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("kind", WRONG)
def test_the_check_of_operators_resources_finds_what_is_wrong(kind: str, age: str) -> None:
    _have_definitions()
    case, changes, culprit = WRONG[kind]
    manifest = next(one for one in render(values=MATRIX[case]) if one["kind"] == kind)
    assert custom_problems(manifest, age) == []
    manifest["spec"] |= changes
    assert any(culprit in problem for problem in custom_problems(manifest, age))
    manifest["metadata"]["label"] = {}
    assert any("label" in problem for problem in metadata_problems(manifest, KUBERNETES[0]))


def test_a_field_of_the_newest_operator_is_none_of_the_oldest() -> None:
    _have_definitions()
    manifest = next(one for one in render(values=MATRIX["keda"]) if one["kind"] == "ScaledObject")
    manifest["spec"]["fallback"] = {"failureThreshold": 3, "replicas": 1, "behavior": "static"}
    assert custom_problems(manifest, "newest") == []
    assert any("behavior" in problem for problem in custom_problems(manifest, "oldest"))


def _have_definitions() -> None:
    try:
        ensure()
    except NoGo as reason:
        pytest.skip(str(reason))


def test_the_notes_say_the_next_command() -> None:
    said = run_helm("install", RELEASE, str(CHART), "--dry-run=client", "-f", str(CHART / "examples" / "small.yaml"))
    notes = said.partition("NOTES:")[2]
    assert f"helm test {RELEASE}" in notes
    assert "https://rtms.example.com/docs" in notes


def test_connector_workers_reach_each_other_whoever_may_ask_for_metrics() -> None:
    manifests = smallest(networkPolicy={"metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "watch"}}}]})
    policies = [one["spec"] for one in manifests if one["kind"] == "NetworkPolicy"]
    open_to_their_own = []
    for spec in policies:
        own = {"ports": [{"port": "health"}], "from": [{"podSelector": spec["podSelector"]}]}
        ways = own in spec.get("ingress", []), {"ports": own["ports"], "to": own["from"]} in spec["egress"]
        assert ways[0] == ways[1]
        if all(ways):
            open_to_their_own.append(spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"])
    assert open_to_their_own == ["ingest"]
    addresses = {
        (pod.component, variable["name"])
        for pod in pods(manifests)
        for variable in pod.containers[0]["env"]
        if variable.get("valueFrom") == {"fieldRef": {"fieldPath": "status.podIP"}}
    }
    assert addresses == {("ingest", "RTMS_INGEST_ADDRESS")}
