"""What a cluster of one machine is made from: said when it is missing, pinned, and within what the chart is held to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from rich.console import Console

from deploy.local.settings import REPOSITORY
from scripts.chart.documents import workloads
from scripts.chart.tools import KUBERNETES
from tests.cluster import enclosure, machine, programs
from tests.cluster.enclosure import clear
from tests.cluster.release import NAME, OFF, values
from tests.cluster.stopwatch import Stopwatch
from tests.support.chart import missing_helm, pods, render


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever these tests run."""
    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")


def test_what_is_missing_is_named_with_the_line_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine.shutil, "which", lambda program: None if program in ("ctr", "go") else program)
    monkeypatch.setattr(machine, "CNI", Path("/nowhere"))
    monkeypatch.setattr(machine, "CGROUPS", Path("/"))
    with pytest.raises(machine.Unfit) as said:
        machine.check(is_to_build=True)
    assert "apt-get install -y --no-install-recommends containerd containernetworking-plugins" in str(said.value)
    assert "Go 1.26 or newer" in str(said.value)


def test_nobody_but_root_gets_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    with pytest.raises(machine.Unfit, match="sudo make test-cluster"):
        machine.check(is_to_build=False)


def test_an_older_go_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda program: program)
    monkeypatch.setattr(machine.subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="go1.25.3\n"))
    assert list(machine._go()) == ["Go 1.26 or newer builds Kubernetes, this is go1.25.3"]


@pytest.mark.parametrize("module", [m for m in programs.MODULES if m.name != "pause"], ids=lambda module: module.name)
def test_what_is_built_is_pinned_with_its_checksums(module: programs.Module) -> None:
    required = re.findall(r"^\s*(?:require )?(\S+\.\S+/\S+) (v\S+)", (module.folder / "go.mod").read_text(), re.M)
    sums = (module.folder / "go.sum").read_text()
    assert required
    replaced = "k8s.io/" if module.name == "kubernetes" else "nothing"
    missing = [name for name, version in required if f"{name} {version}" not in sums and not name.startswith(replaced)]
    assert missing == []


def test_control_groups_of_version_two_hand_their_controllers_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enclosure, "CGROUPS", tmp_path)
    for group in (tmp_path, tmp_path / enclosure.CGROUP):
        group.mkdir(exist_ok=True)
        (group / "cgroup.controllers").write_text("cpu memory pids\n")
    monkeypatch.setattr(enclosure, "_remove_control_groups", lambda: None)
    enclosure._make_control_groups()
    for group in (tmp_path, tmp_path / enclosure.CGROUP):
        assert (group / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_a_machine_that_hands_no_control_groups_down_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosure, "CGROUPS", tmp_path)
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (tmp_path / "cgroup.subtree_control").mkdir()  # stands for a group that has processes of its own
    with pytest.raises(machine.Unfit, match="a node takes control groups of its own"):
        enclosure._make_control_groups()


def test_another_source_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(programs.SOURCES, tmp_path / "modules")
    before = [module.key for module in programs.MODULES]
    monkeypatch.setattr(programs, "SOURCES", tmp_path / "modules")
    assert [module.key for module in programs.MODULES] == before
    with (tmp_path / "modules" / "etcd" / "go.sum").open("a") as file:
        file.write("\n")
    changed = [old != module.key for old, module in zip(before, programs.MODULES, strict=True)]
    assert changed == [module.name == "etcd" for module in programs.MODULES]


def test_the_cluster_is_the_newest_that_the_chart_is_validated_for() -> None:
    assert programs.kubernetes_version().split(".")[:2] == f"v{KUBERNETES[-1]}".split(".")[:2]


@pytest.mark.skipif(bool(missing_helm()), reason=missing_helm())
def test_the_chart_takes_the_clusters_values_and_renders_every_workload() -> None:
    outsiders = SimpleNamespace(
        kafka=SimpleNamespace(from_pods="10.244.0.1:9092"),
        registry_url="http://10.244.0.1:8081",
        clickhouse_url="http://10.244.0.1:8123",
        bucket_url="http://10.244.0.1:9000",
    )
    rendered = pods(render(values=values(outsiders)))  # type: ignore[arg-type]
    running = {name for name, facts in workloads().items() if "args" in facts}
    assert {pod.component for pod in rendered} >= running - OFF


def test_the_release_is_named_so_that_nothing_is_said_twice() -> None:
    chart = yaml.safe_load((REPOSITORY / "deploy" / "helm" / "rtms-pipeline" / "Chart.yaml").read_text())
    assert chart["name"] == NAME


def test_every_verb_is_in_the_help() -> None:
    said = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text(), re.M)
    assert phony is not None
    assert set(re.findall(r"^  make (\S+) ", said, re.M)) == set(phony[1].split())


def test_where_the_time_went_is_said_of_what_failed_too(tmp_path: Path) -> None:
    console = Console(highlight=False, record=True, width=100)
    watch = Stopwatch(tmp_path / "times", console)
    with pytest.raises(RuntimeError), watch.step("a chapter"), watch.step("a step"):
        raise RuntimeError
    watch.table()
    said = console.export_text().partition("Where the time went")[2]
    assert re.search(r"s    a step  failed\n.* s  a chapter  failed", said)


def test_logs_stay_and_what_is_large_goes(tmp_path: Path) -> None:
    for folder in ("logs", "node"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").touch()
    for file in ("image-0.tar", "times.jsonl"):
        (tmp_path / file).touch()
    clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "times.jsonl"]
