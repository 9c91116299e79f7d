"""How every program starts: its --help lists its environment, and what is wrong with that is said in one sentence."""

import ast
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Literal, get_origin

import pytest
from pydantic import SecretStr

from connectors.host.environment import variable
from connectors.host.program import LEFT, NOT_CONFIGURED, Program
from connectors.host.secrets import KeyRing
from connectors.host.settings import LogSettings
from connectors.kafka.errors import Fatal
from connectors.rtms.simulator import options
from deploy.local import command

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("api", "connectors", "deploy", "ingest", "processors", "schemas", "sinks")
NONSENSE = "s3cr3t-n0nsense"


def _of(module: str) -> list[Program]:
    found = import_module(f"{module}.__main__")
    return list(getattr(found, "PROGRAMS", [])) or [found.PROGRAM]


MODULES = ("api", "ingest", "processors", "sinks", "connectors.kafka", "connectors.clickhouse")
PROGRAMS = [program for module in MODULES for program in _of(module)] + [command.PROGRAM, options.PROGRAM]
MORE = {"connectors.kafka": ["topics"], "connectors.clickhouse": ["tables"], "deploy.local": ["up"]}
CHILDREN = {"processors.transcription.worker", "deploy.local.registry", "deploy.local.clickhouse"}
"""They are started by ours, and told everything on the command line."""

MISSING = {
    "api": ("RTMS_OBJECTS_SIGNING_KEY", {}),
    "ingest": ("RTMS_SECRETS_KEYS", {"RTMS_SECRETS_KEYS": None}),
    "sinks objects": ("RTMS_SECRETS_KEYS", {"RTMS_SECRETS_KEYS": None}),
    "processors transcription": ("RTMS_SECRETS_KEYS", {"RTMS_SECRETS_KEYS": None}),
    "connectors.clickhouse": ("RTMS_CLICKHOUSE_URL", {"RTMS_CLICKHOUSE_URL": ""}),
    "connectors.rtms.simulator": ("RTMS_LOG_FORMAT", {"RTMS_LOG_FORMAT": ""}),
    "deploy.local": ("RTMS_LOCAL_PARTITIONS", {"RTMS_LOCAL_PARTITIONS": ""}),
}
SASL = ("RTMS_KAFKA_SASL_MECHANISM", {"RTMS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"})
"""What is missing from every program that talks to Kafka."""

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program in this process, with the least that it needs and these changes to its environment."""

    def run(program: Program, *more: str, **env: str | None) -> int:
        monkeypatch.setenv("RTMS_SECRETS_KEYS", KeyRing.generate())
        for name, value in env.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        module, *name = program.command.split()
        monkeypatch.setattr(sys, "argv", [module, *name, *more])
        return int(import_module(f"{module}.__main__").main())

    return run


def by_command(program: Program) -> str:
    return program.command


def checked_variables(program: Program) -> list[str]:
    """The variables whose values can be wrong."""
    found = []
    for settings in program.reads:
        for name, field in settings.model_fields.items():
            is_choice = get_origin(field.annotation) is Literal
            if is_choice or field.annotation in (int, float, bool):
                found.append(variable(settings, name).name)
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=by_command)
def test_help_lists_every_variable_with_its_meaning(
    program: Program, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(program, "--help")
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for settings in program.reads:
        for name in settings.model_fields:
            found = variable(settings, name)
            assert found.meaning, f"{found.name} has no description"
            assert f"  {found.name}: {found.kind}; " in shown
            assert found.meaning.split()[0] in shown
            assert not found.default or f"default {found.default}\n" in shown


@pytest.mark.parametrize("program", PROGRAMS, ids=by_command)
def test_a_missing_setting_is_named_with_what_to_do(
    program: Program, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    name, env = MISSING.get(program.command, SASL)
    assert run(program, *MORE.get(program.command, []), **env) == NOT_CONFIGURED
    said = capsys.readouterr().err
    assert re.fullmatch(rf"cannot start: {name} .*: .*\(all settings: python -m .* --help\)\n", said), said


@pytest.mark.parametrize("program", PROGRAMS, ids=by_command)
def test_settings_that_make_no_sense_are_named_and_never_quoted(
    program: Program, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = checked_variables(program)
    assert run(program, *MORE.get(program.command, []), **dict.fromkeys(wrong, NONSENSE)) == NOT_CONFIGURED
    said = capsys.readouterr().err
    assert [name for name in wrong if f"{name} must be " not in said] == []
    assert (said.count("\n"), NONSENSE in said, "Traceback" in said) == (1, False, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RTMS_SECRETS_KEYS", NONSENSE),
        ("RTMS_KAFKA_REGISTRY_URL", f"http://user:{NONSENSE}@127.0.0.1:8081"),
        ("RTMS_KAFKA_REGISTRY_URL", f"{NONSENSE}:8081"),
        ("RTMS_KAFKA_BOOTSTRAP_SERVERS", NONSENSE),
        ("RTMS_KAFKA_SSL_CA_LOCATION", f"/{NONSENSE}"),
        ("RTMS_CLICKHOUSE_URL", f"tcp://{NONSENSE}"),
        ("RTMS_CLICKHOUSE_DATABASE", f"{NONSENSE};"),
        ("RTMS_OBJECTS_URL", f"ftp://{NONSENSE}"),
        ("RTMS_ZOOM_CA_FILE", f"/{NONSENSE}"),
    ],
)
def test_texts_that_cannot_be_used_are_refused_at_the_start(
    run: Run, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    api = PROGRAMS[0]
    assert run(api, **{name: value, "RTMS_OBJECTS_SIGNING_KEY": "k"}) == NOT_CONFIGURED
    said = capsys.readouterr().err
    assert said.startswith(f"cannot start: {name} ")
    assert NONSENSE not in said


def test_a_bucket_key_without_its_secret_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    [sink] = [program for program in PROGRAMS if program.command == "sinks objects"]
    assert run(sink, RTMS_OBJECTS_URL="s3://b", RTMS_OBJECTS_ACCESS_KEY_ID=NONSENSE) == NOT_CONFIGURED
    said = capsys.readouterr().err
    assert "RTMS_OBJECTS_SECRET_ACCESS_KEY is not set" in said
    assert NONSENSE not in said


def test_probes_on_a_port_that_is_taken_are_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    ingest = PROGRAMS[1]
    assert run(ingest, RTMS_HEALTH_BIND="203.0.113.1") == NOT_CONFIGURED  # an address that is nobody's here
    assert capsys.readouterr().err.startswith("cannot start: RTMS_HEALTH_PORT: nothing can listen on 203.0.113.1:0")


def test_who_has_been_replaced_leaves_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def body(_: object) -> int:
        raise Fatal("another process has taken this one's place", code="_FENCED")

    assert Program("x", "x", "x", (LogSettings,)).run(body) == LEFT
    said = "".join(capsys.readouterr())
    assert "another process has taken" in said
    assert "Traceback" not in said


def test_no_program_is_left_out() -> None:
    mains = {path.parent for room in ROOMS for path in (REPOSITORY / room).rglob("__main__.py")}
    modules = {".".join(folder.relative_to(REPOSITORY).parts) for folder in mains}
    assert modules == {program.command.split()[0] for program in PROGRAMS} | CHILDREN


def test_settings_are_read_where_help_knows_of_them() -> None:
    """`Configured` hands out what a program lists: nobody makes settings beside it but those who are named here."""
    allowed = {
        "connectors/host/health.py", "connectors/host/logs.py", "connectors/host/program.py",
        "connectors/rtms/simulator/meeting.py",
    }  # fmt: skip
    classes = {settings.__name__ for program in PROGRAMS for settings in program.reads}
    found = set()
    for room in ROOMS:
        for path in (REPOSITORY / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and not node.args and not node.keywords and _name(node) in classes:
                    found.add(str(path.relative_to(REPOSITORY)))
    assert found - allowed - {"processors/muxing/application.py"} == set()


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def test_secrets_are_secrets() -> None:
    """A setting whose name says that it opens something is one that no text shows."""
    opening = re.compile(r"password|secret|token$|_key$|^keys$")
    for settings in {settings for program in PROGRAMS for settings in program.reads}:
        for name, field in settings.model_fields.items():
            assert not opening.search(name) or field.annotation is SecretStr, f"{settings.__name__}.{name}"
