"""What is refused before anything is started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.host.configuration import NotConfigured
from deploy.local.demo import command
from deploy.local.project import check_zoom_app
from deploy.local.settings import REPOSITORY, LocalSettings
from deploy.local.up import up


@pytest.mark.parametrize("seconds", ["0", "-1", "9", "x"])
def test_a_meeting_that_is_too_short_is_refused_at_once(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--seconds", seconds], LocalSettings())
    assert ended.value.code == 2
    assert "argument --seconds: " in capsys.readouterr().err


def test_the_demo_lives_in_the_run_folder_unless_it_is_told_where(tmp_path: Path) -> None:
    settings = LocalSettings().model_copy(update={"run_dir": tmp_path})
    assert command.read_options([], settings).run_dir == tmp_path / "demo"
    assert command.read_options(["--run-dir", "/x"], settings).run_dir == Path("/x")
    assert command.read_options([], LocalSettings()).run_dir == REPOSITORY / "run" / "demo"


def with_app(client_id: str = "", client_secret: str = "", webhook_secret: str = "") -> LocalSettings:
    secrets = {"zoom_client_secret": SecretStr(client_secret), "zoom_webhook_secret": SecretStr(webhook_secret)}
    return LocalSettings().model_copy(update={"zoom_client_id": client_id} | secrets)


@pytest.mark.parametrize("half", [("a",), ("a", "", "w"), ("", "s"), ("", "", "w")])
def test_half_a_zoom_app_is_refused_before_anything_starts(half: tuple[str, ...]) -> None:
    with pytest.raises(NotConfigured, match="ZOOM_CLIENT_ID"):
        up(with_app(*half))


@pytest.mark.parametrize("whole", [(), ("a", "s"), ("a", "s", "w")])
def test_a_whole_zoom_app_is_fine(whole: tuple[str, ...]) -> None:
    check_zoom_app(with_app(*whole))


def test_an_interrupt_while_we_are_being_loaded_ends_without_a_word() -> None:
    """The import that takes longest is replaced by one that does not end."""
    stuck = (
        "import importlib, runpy, sys, time\n"
        "def never(name):\n"
        "    print(name, flush=True)\n"
        "    time.sleep(600)\n"
        "importlib.import_module = never\n"
        "sys.argv[1:] = ['up']\n"
        "runpy.run_module('deploy.local', run_name='__main__', alter_sys=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", stuck], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "deploy.local.command\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "")
