"""`make demo`: a simulated meeting through the whole pipeline, watched live and compared with the truth afterwards."""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from connectors.host.clock import SystemClock
from connectors.host.environment import listing
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.simulator.rules import Credentials
from connectors.rtms.simulator.sound import BEEP_HZ, BEEP_MS
from deploy.local.broker.jars import JarsUnavailable
from deploy.local.broker.java import NoJava
from deploy.local.console import ConsoleReport
from deploy.local.demo import printing, recording, report, results
from deploy.local.demo.customer import Customer
from deploy.local.demo.footprint import Footprint, idle_bytes, setup_seconds
from deploy.local.demo.screen import Screen
from deploy.local.demo.watcher import Watcher
from deploy.local.demo.zoom import SimulatedZoom
from deploy.local.project import simulated_project
from deploy.local.settings import REPOSITORY, LocalSettings
from deploy.local.signals import Interrupted, interruptible
from deploy.local.stack import Stack
from deploy.local.unit import UnitFailed
from schemas.records import ParticipantEvent, Record, Utterance
from schemas.settings import Engine

CREATE_TIMEOUT_S = 60.0
END_TIMEOUT_S = 120.0
SETTINGS: dict[str, Any] = {
    "transcription_settings": {"moonshine": {"language": "en"}, "meeting_closed_captions": {}},
    "recording_settings": {"format": "mp4"},
    "metadata": {"demo": "yes"},
}


class DemoFailed(Exception):
    """The meeting did not run through; the text says at which point."""


def main(arguments: list[str], settings: LocalSettings) -> int:
    """0 when nothing was lost or doubled, 1 when something was, 2 when the meeting did not run through."""
    options = _options(arguments)
    console = Console(highlight=False)
    settings = settings.model_copy(update={"run_dir": options.run_dir})
    stack = Stack(settings, ConsoleReport(console))
    was_set_up = options.run_dir.exists()
    began = time.monotonic()
    with interruptible(stack.kill):
        try:
            with stack:
                stack.start()
                start_s = time.monotonic() - began
                console.print(f"  everything is ready after {start_s:.1f} s", style="dim")
                footprint = Footprint(setup_seconds(), was_set_up, start_s, len(stack.units()), None)
                return _run(stack, console, settings, options, footprint)
        except Interrupted:
            console.print("The demo was ended.")
            return 130
        except (UnitFailed, NoJava, JarsUnavailable, DemoFailed, results.ResultsMissing) as failure:
            console.print(Text(str(failure), style="red"), soft_wrap=True)
            return 2


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local demo",
        description=__doc__,
        epilog=listing((LocalSettings,)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=int, default=70, help="how long the meeting lasts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another meeting (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "demo-output", help="where the results go")
    parser.add_argument("--run-dir", type=Path, default=REPOSITORY / "run" / "demo", help="where the stack lives")
    return parser.parse_args(arguments)


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
) -> int:
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
            truth, session = _meeting(zoom, customer, watcher, screen, options)
    finally:
        customer.close()
        watcher.close()
    found = results.fetch(stack.addresses.api_url, project.api_key, session, Engine.MOONSHINE, options.output)
    return _report(_observed(found, collected, watcher, footprint), truth, console, options.output)


def _meeting(
    zoom: SimulatedZoom, customer: Customer, watcher: Watcher, screen: Screen, options: argparse.Namespace
) -> tuple[dict[str, Any], str]:
    stream = zoom.start_meeting()
    try:
        session = customer.session(CREATE_TIMEOUT_S)
    except RuntimeError as error:
        raise DemoFailed(str(error)) from error
    session_id = str(session["id"])
    screen.note(f"Zoom's webhook was forwarded to POST /api/v1/app_sessions, which answered {session_id}")
    watcher.follow(session_id)
    if not watcher.wait(options.seconds + END_TIMEOUT_S):
        raise DemoFailed(f"session {session_id} did not end in time; the logs of all services are kept")
    return zoom.truth(stream), session_id


def _observed(found: results.Results, collected: Collected, watcher: Watcher, footprint: Footprint) -> report.Observed:
    return report.Observed(
        accounts=watcher.accounts,
        utterances=collected.utterances,
        events=collected.events,
        outputs_doubled=watcher.outputs_doubled,
        dead_letters=watcher.dead_letters,
        final_state=watcher.final_state,
        recording=recording.measure(found.recording, BEEP_HZ, BEEP_MS),
        rest_utterances=len(found.utterances),
        rest_events=len(found.participant_events),
        rest_chat=[message["text"] for message in found.chat_messages],
        footprint=footprint,
    )


def _report(seen: report.Observed, truth: dict[str, Any], console: Console, folder: Path) -> int:
    made = report.create(truth, seen)
    printing.show(made, console)
    document = report.document(made, truth, seen)
    (folder / "report.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    files = "recording.mp4, transcript.vtt, events.json, chat.json and report.json"
    console.print(f"\n{files} are in {folder}", soft_wrap=True)
    verdict = "Nothing was lost, nothing doubled." if made.whole else "Something was lost, doubled or changed."
    console.print(Text(verdict, style="bold green" if made.whole else "bold red"))
    return 0 if made.whole else 1
