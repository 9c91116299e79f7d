"""The chart's table of workloads says what the code says: settings, groups, topics, probes, names."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from connectors.host.health import Health
from connectors.host.program import Program
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import topic_config
from deploy.local.services import COMPOSING, SERVICES
from ingest import membership
from processors.composing import service as composing
from processors.lifecycle import service as lifecycle
from processors.muxing.logic import MuxingLogic
from processors.participants.logic import ParticipantsLogic
from processors.transcription.afterwards import connecting
from processors.transcription.logic import TranscriptionLogic
from schemas import topics
from scripts.chart.catalogue import REPOSITORY, groups
from scripts.chart.documents import CHART, documents, fixed_variables, workloads
from sinks.clickhouse import service as sink_clickhouse
from sinks.objects import service as sink_objects
from sinks.webhooks import announcing, delivering
from tests.support.chart import EXAMPLES, pods, render, smallest

RUNNING = {name: facts for name, facts in workloads().items() if "args" in facts}
KNOWN = {setting.variable for group in groups() for setting in group.settings}


def test_the_workloads_are_the_services_of_the_local_stack() -> None:
    services = {service.module for service in (*SERVICES, COMPOSING)}
    assert {tuple(facts["args"]) for facts in RUNNING.values()} == services


@pytest.mark.parametrize("name", RUNNING)
def test_a_workload_reads_the_settings_of_its_program(name: str) -> None:
    assert _read_by(" ".join(RUNNING[name]["args"])) == set(RUNNING[name]["settings"])


@pytest.mark.parametrize("command", ["connectors.kafka", "connectors.clickhouse"])
def test_the_hooks_read_what_their_commands_read(command: str) -> None:
    for hook in ("setup", "check"):
        assert _read_by(command) <= set(workloads()[hook]["settings"])


def test_groups_and_inputs_are_the_codes_own() -> None:
    logics = {"participants": ParticipantsLogic, "transcription": TranscriptionLogic, "muxing": MuxingLogic}
    expected = {
        "ingest": {membership.GROUP: [topics.APP_SESSIONS.name]},
        "processor-lifecycle": {lifecycle.GROUP: [topics.SESSION_FACTS.name]},
        "processor-composing": {composing.GROUP: [topics.APP_SESSIONS.name]},
        "sink-clickhouse": {sink_clickhouse.GROUP: [topic.name for topic in sink_clickhouse.INPUTS]},
        "sink-objects": {sink_objects.GROUP: [topics.RECORDING_SEGMENTS.name]},
        "sink-webhooks": {
            announcing.GROUP: [topic.name for topic in announcing.INPUTS],
            delivering.GROUP: [topics.WEBHOOK_NOTICES.name],
        },
        **{f"processor-{name}": {name: list(logic.topics)} for name, logic in logics.items()},
    }
    expected["processor-transcription"][connecting.GROUP] = [topics.APP_SESSIONS.name]
    assert {name: facts["consumes"] for name, facts in RUNNING.items() if "consumes" in facts} == expected
    assert RUNNING.keys() - expected.keys() == {"api"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_every_variable_is_a_setting_of_its_reader(example: Path) -> None:
    manifests, known, running = render(example), groups(), workloads()
    configured = {m["metadata"]["name"]: m["data"] for m in manifests if m["kind"] == "ConfigMap"}
    for pod in pods(manifests):
        read = {
            setting.variable
            for group in known
            if group.name in running[pod.component]["settings"]
            for setting in group.settings
        }
        for container in pod.containers:
            names = {variable["name"] for variable in container["env"]}
            for source in container["envFrom"]:
                assert not names & configured[source["configMapRef"]["name"]].keys(), "two values for one name"
                names |= configured[source["configMapRef"]["name"]].keys()
            assert names <= read, pod.component


def test_what_the_chart_fixes_is_known() -> None:
    assert fixed_variables() <= KNOWN


@pytest.mark.parametrize(
    "kafka", [{}, {"replication_factor": 1, "partitions": 8, "media_retention_ms": 600_000}], ids=str
)
def test_an_operators_topics_are_those_of_the_job(kafka: dict[str, int]) -> None:
    found = {
        manifest["spec"]["topicName"]: manifest["spec"]
        for manifest in smallest(config={"kafka": kafka}, strimzi={"cluster": "c", "topics": True})
        if manifest["kind"] == "KafkaTopic"
    }
    settings = KafkaSettings(**{"replication_factor": 3} | kafka)  # type: ignore[arg-type]
    for topic in topics.ALL:
        assert found[topic.name]["config"] == topic_config(topic, settings)
        assert found[topic.name]["partitions"] == settings.partition_count(topic)
        assert found[topic.name]["replicas"] == settings.replication_factor
    assert found.keys() == topics.BY_NAME.keys()


def test_the_procedure_for_another_partition_count_names_every_topic_and_group() -> None:
    procedure = (REPOSITORY / "docs" / "operations.md").read_text().partition("### Another partition count")[2]
    expression = re.sub(r"\s", "", procedure.partition("<<< '")[2].partition("')")[0])
    assert {name for name in topics.BY_NAME if re.fullmatch(expression, name)} == {
        topic.name for topic in topics.ALL if topic.per_session
    }
    named = re.findall(r"--group (\S+)", procedure)
    assert named == [group for facts in RUNNING.values() for group in facts.get("consumes", ())]


def test_numbers_are_written_as_they_are_read() -> None:
    manifests = smallest(
        config={"ingest": {"session_budget_bytes": 67108864, "hand_over_s": 2.5}, "zoom": {"unified_media": False}}
    )
    (config,) = [m["data"] for m in manifests if m["kind"] == "ConfigMap" and m["metadata"]["name"].endswith("-ingest")]
    assert config["RTMS_INGEST_SESSION_BUDGET_BYTES"] == "67108864"
    assert config["RTMS_INGEST_HAND_OVER_S"] == "2.5"
    assert config["RTMS_ZOOM_UNIFIED_MEDIA"] == "false"


def test_probes_ask_what_the_program_answers() -> None:
    fixed = yaml.safe_load((CHART / "files" / "fixed.yaml").read_text())
    answered = {"/livez": Health("x").live_report, "/readyz": Health("x").ready_report}
    for pod in pods(smallest()):
        for container in pod.containers:
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe := container.get(kind):
                    assert probe["httpGet"]["path"] in answered
                    assert str(ports[probe["httpGet"]["port"]]) == fixed["environment"]["RTMS_HEALTH_PORT"]


def test_what_is_made_is_as_it_would_be_made_now() -> None:
    for path, text in documents().items():
        assert path.read_text() == text, f"{path} is out of date: run make made"


def _read_by(command: str) -> set[str]:
    """The groups of settings that the program behind `python -m` gets."""
    module = import_module(f"{command.split()[0]}.__main__")
    programs: list[Program] = list(getattr(module, "PROGRAMS", ())) or [module.PROGRAM]
    (program,) = [program for program in programs if program.command == command]
    return {group.name for group in groups() if group.settings_class in program.reads}
