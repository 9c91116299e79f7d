"""`make demo`: a simulated meeting through the whole pipeline, watched live and compared with the truth afterwards."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from av import FFmpegError
from rich.console import Console
from rich.text import Text

from connectors.host.clock import SystemClock
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.simulator.rules import Credentials
from connectors.rtms.simulator.sound import BEEP_HZ, BEEP_MS
from connectors.rtms.simulator.writer import SHORTEST_S
from deploy.local.console import ConsoleReport
from deploy.local.demo import printing, recording, report, results
from deploy.local.demo.customer import Customer
from deploy.local.demo.footprint import Footprint, idle_bytes, setup_seconds
from deploy.local.demo.screen import Screen
from deploy.local.demo.viewer import Viewer
from deploy.local.demo.watcher import Watcher
from deploy.local.demo.zoom import SimulatedZoom
from deploy.local.failures import EXPECTED, FAILED, tell
from deploy.local.program import PROGRAM
from deploy.local.project import simulated_project
from deploy.local.settings import REPOSITORY, LocalSettings
from deploy.local.signals import Interrupted, interruptible
from deploy.local.stack import Stack
from schemas.records import ParticipantEvent, Record, Utterance

CREATE_TIMEOUT_S = 60.0
END_TIMEOUT_S = 120.0
LOOK_S = 0.5
LOST = 1
INTERRUPTED = 130
SETTINGS: dict[str, Any] = {
    "transcription_settings": {"moonshine": {"language": "en"}, "meeting_closed_captions": {}},
    "recording_settings": {"format": "mp4"},
    "metadata": {"demo": "yes"},
}


class DemoFailed(Exception):
    """The meeting did not run through; the text says at which point."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be read when the stack has ended: the report, and the folder of everything that was written."""

    made: report.Report
    folder: Path


def main(arguments: list[str], settings: LocalSettings) -> int:
    """0 when nothing was lost or doubled, 1 when something was, 2 when the meeting did not run through."""
    options = read_options(arguments, settings)
    console = Console(highlight=False)
    settings = settings.model_copy(update={"run_dir": options.run_dir})
    stack = Stack(settings, ConsoleReport(console))
    with interruptible(stack.kill):
        try:
            outcome = _played(stack, console, settings, options)
        except Interrupted:
            console.print("The demo was ended.")
            return INTERRUPTED
        except (*EXPECTED, DemoFailed, results.ResultsMissing) as failure:
            return tell(failure, console, settings.run_dir)
    return _show(outcome, console)


def _played(stack: Stack, console: Console, settings: LocalSettings, options: argparse.Namespace) -> Outcome:
    was_set_up = options.run_dir.exists()
    began = time.monotonic()
    with stack:
        stack.start()
        start_s = time.monotonic() - began
        console.print(f"  everything is ready after {start_s:.1f} s", style="dim")
        footprint = Footprint(setup_seconds(), was_set_up, start_s, len(stack.units()), None)
        try:
            return _run(stack, console, settings, options, footprint)
        except Exception:
            stack.check()  # without a broker whatever fails, fails because of that
            raise


def read_options(arguments: list[str], settings: LocalSettings) -> argparse.Namespace:
    """The command line; a wrong one ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local demo",
        description=__doc__,
        epilog=f"exit status\n  0 all is well; {LOST} something was lost, doubled or changed; "
        f"{FAILED} the meeting did not run through\n\n{PROGRAM.help()['epilog']}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=_seconds, default=70, help="how long the meeting lasts (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed is another meeting (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "demo-output", help="where the results go")
    parser.add_argument("--run-dir", type=Path, default=settings.run_dir / "demo",
                        help="where the stack lives (default: demo in RTMS_LOCAL_RUN_DIR)")  # fmt: skip
    return parser.parse_args(arguments)


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < SHORTEST_S:
        raise argparse.ArgumentTypeError(f"a meeting needs at least {SHORTEST_S} seconds")
    return seconds


class Collected:
    """The outputs that the watcher has shown."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.utterances: list[Utterance] = []
        self.events: list[ParticipantEvent] = []

    def take(self, value: Record, now_us: int) -> None:
        if isinstance(value, Utterance):
            self.utterances.append(value)
        elif isinstance(value, ParticipantEvent):
            self.events.append(value)
        self._screen.show(value, now_us)


def _run(
    stack: Stack, console: Console, settings: LocalSettings, options: argparse.Namespace, footprint: Footprint
) -> Outcome:
    assert stack.addresses is not None
    assert stack.credentials is not None
    screen = Screen(console)
    collected = Collected(screen)
    project = simulated_project(stack.addresses.api_url, stack.credentials.admin_token, settings)
    screen.note(f"project {project.project_id} with an API key and the credentials of a Zoom app")
    kafka = KafkaSettings(
        bootstrap_servers=stack.addresses.kafka,
        registry_url=stack.addresses.registry_url,
        partitions=int(stack.environment["RTMS_KAFKA_PARTITIONS"]),
    )
    watcher = Watcher(kafka, SystemClock(), collected.take)
    customer = Customer(stack.addresses.api_url, project.api_key, Credentials().webhook_secret, SETTINGS)
    try:
        watcher.start()
        screen.heading("The meeting")
        log = stack.logs / "zoom.log"
        with SimulatedZoom(customer.url, log, seed=options.seed, seconds=options.seconds) as zoom:
            footprint = replace(footprint, idle_bytes=idle_bytes(stack.units()))
            stream = zoom.start_meeting()
            session = _session(customer)
            screen.note(f"Zoom's webhook was forwarded to POST /api/v1/app_sessions, which answered {session}")
            viewer = Viewer(stack.addresses.api_url, project.api_key, session, SystemClock())
            with closing(viewer):
                _await_end(watcher, session, options.seconds + END_TIMEOUT_S, (stack.check, viewer.look))
            truth = zoom.truth(stream)
    finally:
        customer.close()
        watcher.close()
    found = results.fetch(stack.addresses.api_url, project.api_key, session, options.output)
    seen = replace(_observed(found, collected, watcher, footprint), behind_s=viewer.behind_s)
    return _reported(seen, truth, options.output)


def _session(customer: Customer) -> str:
    try:
        return str(customer.session(CREATE_TIMEOUT_S)["id"])
    except RuntimeError as error:
        raise DemoFailed(str(error)) from error


def _await_end(watcher: Watcher, session_id: str, timeout_s: float, looks: Sequence[Callable[[], None]]) -> None:
    """What is done meanwhile, again and again, raises when there is nothing to wait for any more."""
    watcher.follow(session_id)
    deadline = time.monotonic() + timeout_s
    while not watcher.wait(LOOK_S):
        for look in looks:
            look()
        if time.monotonic() > deadline:
            raise DemoFailed(f"session {session_id} did not end in time; the logs of all services are kept")


def _observed(found: results.Results, collected: Collected, watcher: Watcher, footprint: Footprint) -> report.Observed:
    return report.Observed(
        accounts=watcher.accounts,
        utterances=collected.utterances,
        events=collected.events,
        outputs_doubled=watcher.outputs_doubled,
        dead_letters=watcher.dead_letters,
        final_state=watcher.final_state,
        recording=_measured(found.recording),
        rest_captions=[said["transcription"]["transcript"] for said in found.captions],
        rest_utterances=len(found.utterances),
        rest_presence=[(event["event_type"], event["participant_name"]) for event in found.participant_events],
        rest_chat=[message["text"] for message in found.chat_messages],
        footprint=footprint,
    )


def _measured(path: Path) -> recording.Measured:
    try:
        return recording.measure(path, BEEP_HZ, BEEP_MS)
    except FFmpegError as error:
        raise DemoFailed(f"{path} does not decode: {error}") from error


def _reported(seen: report.Observed, truth: dict[str, Any], folder: Path) -> Outcome:
    made = report.create(truth, seen)
    document = report.document(made, truth, seen)
    (folder / "report.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return Outcome(made, folder)


def _show(outcome: Outcome, console: Console) -> int:
    """The verdict comes last."""
    is_whole = outcome.made.whole
    printing.show(outcome.made, console)
    files = "recording.mp4, transcript.vtt, events.json, chat.json and report.json"
    console.print(f"\n{files} are in {outcome.folder}", soft_wrap=True)
    verdict = "Nothing was lost, nothing doubled." if is_whole else "Something was lost, doubled or changed."
    console.print(Text(verdict, style="bold green" if is_whole else "bold red"))
    return 0 if is_whole else LOST
