"""`python -m connectors.rtms.simulator`: a simulated Zoom for people, demos and tests. See `--help`."""

import argparse
import asyncio
import contextlib
import datetime
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from connectors.host import logs
from connectors.host.configuration import Configured
from connectors.host.printing import ends_with_its_reader
from connectors.host.settings import LogSettings
from connectors.host.signals import StopSignal
from connectors.rtms.simulator import options, scenario_library
from connectors.rtms.simulator.certificates import make_certificate
from connectors.rtms.simulator.control import Control, describe, whole_truth
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.recording import RecordedMeeting
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.speech import NoRecordings, recording_file
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.zoomclock import ZoomClock


def _tell(fact: dict[str, Any]) -> None:
    print(json.dumps(fact, ensure_ascii=False), flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _prepare(said: argparse.Namespace) -> None:
    """Check what would fail later, and make the pictures, with progress for whoever watches."""
    request = options.meeting_request(said)
    if said.truth_file:
        said.truth_file.open("a").close()  # an hour's truth must not find that there is no such folder
    if request.recording is not None:
        RecordedMeeting.open_file(request.recording)
        return
    for reading in ("two_cities", "beckett"):
        recording_file(reading)
    shown = -1

    def progress(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // total
        if percent // 10 > shown // 10 or shown < 0:
            shown = percent
            _say(f"drawing and encoding the meeting's pictures, once: {percent} %")

    Meeting.of(request).prepare(progress=progress)


def _explain(simulator: Simulator, control: Control, said: argparse.Namespace) -> None:
    """What a person can do next."""
    _say(f"\nsimulated Zoom   {simulator.url}\ncontrol          {control.url}")
    _say(f"client id        {said.client_id}\nclient secret    {said.client_secret}")
    if said.start == "now":
        _say("next             give the payload below to POST /api/v1/app_sessions of your stack:")
        _say('                 {"zoom_rtms": <payload>}')
    else:
        _say(f"next             curl -X POST {control.url}/meetings -d '{{\"seconds\": 70}}'")
    _say("Ctrl-C ends it.\n")


def _write_truth(file: Path, simulator: Simulator) -> None:
    streams = [whole_truth(simulator, stream) for stream in simulator.streams.values()]
    found: Any = streams[0] if len(streams) == 1 else streams
    file.write_text(json.dumps(found, ensure_ascii=False, indent=1))


async def _follow(simulator: Simulator, begun: Stream) -> None:
    stream: Stream | None = begun
    while stream is not None:
        _tell({"meeting": describe(simulator, stream)})
        await stream.ended.wait()
        media = {medium: (facts["frames"], facts["bytes"]) for medium, facts in stream.truth.media_json().items()}
        _tell({"ended": describe(simulator, stream), "sent": media})
        stream = await stream.following


async def _play(simulator: Simulator, said: argparse.Namespace) -> None:
    """Start what was asked for and wait until it is over; with --start on-request that is never."""
    if said.start == "on-request":
        await asyncio.Event().wait()
    request = options.meeting_request(said)
    streams = [await simulator.start(request) for _ in range(said.meetings)]
    await asyncio.gather(*(_follow(simulator, stream) for stream in streams))


async def _end(playing: asyncio.Task[None]) -> None:
    """Stop waiting for the meetings, or raise what went wrong with them."""
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing


async def _serve(said: argparse.Namespace, made: tuple[Path, Path] | None) -> int:
    stop = StopSignal().install()
    settings = options.server_options(said, options.tls_context(said, made))
    async with Simulator(settings, ZoomClock(speed=said.speed)) as simulator:
        control = Control(simulator, options.meeting_request(said), said.host, said.control_port)
        control.start()
        try:
            listening = {"url": simulator.url, "control": control.url, "client_id": said.client_id}
            _tell({"listening": listening | ({"ca_file": str(made[0])} if made else {})})
            _explain(simulator, control, said)
            if said.webhook_validate and not await simulator.webhooks.validate():
                _say("the webhook endpoint did not answer the validation challenge as it must")
                return 1
            playing = asyncio.create_task(_play(simulator, said))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await _end(playing)
            stopping.cancel()
        finally:
            await asyncio.to_thread(control.stop)
            if said.truth_file:
                _write_truth(said.truth_file, simulator)
    return 0


def _run(said: argparse.Namespace, configured: Configured) -> int:
    if sys.stderr.isatty():
        logs.configure("simulator", configured.of(LogSettings).model_copy(update={"format": "console"}))
    logging.getLogger("websockets").setLevel(logging.WARNING)  # it reports every connection, and so do we
    try:
        _prepare(said)
        with tempfile.TemporaryDirectory() as folder:
            made = make_certificate(Path(folder), datetime.datetime.now(datetime.UTC)) if said.tls else None
            return asyncio.run(_serve(said, made))
    except (NoRecordings, ValueError, OSError) as error:
        _say(str(error))
        return 1


def main() -> int:
    """Run it; 0 when all went well, 1 when it could not, 2 for a wrong command line or a wrong setting."""
    said = options.parser().parse_args()
    if said.list:
        with ends_with_its_reader():
            print(scenario_library.listing())
        return 0
    return options.PROGRAM.run(lambda configured: _run(said, configured))


if __name__ == "__main__":
    sys.exit(main())
