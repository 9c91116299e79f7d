"""The command line of the simulator: what can be said, and what it means to the server."""

import argparse
import json
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from connectors.host.environment import listing
from connectors.host.program import Program
from connectors.host.settings import LogSettings
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator import faults, scenario_library
from connectors.rtms.simulator.certificates import server_context
from connectors.rtms.simulator.channel import Framing
from connectors.rtms.simulator.faults import BadFault, Fault
from connectors.rtms.simulator.request import DEFAULT_SECONDS, MeetingRequest
from connectors.rtms.simulator.rules import EVERY_MEDIUM, Credentials, Duplicate, Rules
from connectors.rtms.simulator.scenario import BadScenario
from connectors.rtms.simulator.server import ServerOptions
from connectors.rtms.simulator.settings import SimulatorSettings
from connectors.rtms.simulator.validation import Invalid, Seconds, SomeSeconds, convert
from connectors.rtms.simulator.webhooks import Shape

_T = TypeVar("_T")

_DESCRIPTION = """\
A Zoom to try things with: it plays meetings with real voices, drawn pictures, captions and chat, announces them by
webhook and streams them over RTMS as Zoom's documents describe it. No Zoom account, no network."""

PROGRAM = Program("connectors.rtms.simulator", "simulator", _DESCRIPTION, (SimulatorSettings, LogSettings))

_EPILOGUE = """\
examples
  python -m connectors.rtms.simulator
        one meeting, now; prints what to hand to POST /api/v1/app_sessions
  python -m connectors.rtms.simulator --start on-request --port 9000 --control-port 9001
        wait for POST /meetings on http://127.0.0.1:9001
  python -m connectors.rtms.simulator --webhook-url http://127.0.0.1:9002/zoom --truth-file truth.json
        announce by signed webhook; write what was really sent to a file
  python -m connectors.rtms.simulator --fault cut_media:medium=video,at_s=20 --fault pause:at_s=40,for_s=5
        make things go wrong
  python -m connectors.rtms.simulator --list
  python -m connectors.rtms.simulator --scenario server-moves
  python -m connectors.rtms.simulator --scenario mine.toml
        play a scenario of the library, or one of your own; docs/simulator.md says how to write one

faults
{faults}

Standard output carries JSON lines only: {{"listening": ...}} once, then {{"meeting": ...}} for each meeting that was
started, and {{"ended": ...}} when it is over.

{environment}"""


def parser() -> argparse.ArgumentParser:
    """What may stand on the command line."""
    kinds = "\n".join(f"  {kind.value:<18} {text}" for kind, text in faults.EXPLANATIONS.items())
    found = PROGRAM.parser(usage="%(prog)s [options]")
    found.epilog = _EPILOGUE.format(faults=kinds, environment=listing(PROGRAM.reads))
    _add_meeting(found)
    _add_network(found)
    _add_app(found)
    _add_behaviour(found)
    return found


def _add_meeting(found: argparse.ArgumentParser) -> None:
    group = found.add_argument_group("meeting")
    group.add_argument("--start", choices=("now", "on-request"), default="now", help="when meetings start (now)")
    group.add_argument("--meetings", type=_count, default=1, metavar="N", help="how many at once, with --start now (1)")
    group.add_argument("--scenario", type=_scenario, metavar="NAME|FILE", help="which meeting, and what goes wrong; "
                       "what it says of the behaviour below counts")  # fmt: skip
    group.add_argument("--replay", type=Path, metavar="FILE", help="a captured stream, of a scenario only what goes "
                       "wrong; RTMS_ZOOM_CAPTURE_FOLDER makes a worker write them")  # fmt: skip
    group.add_argument("--list", action="store_true", help="list the scenarios of the library and end")
    group.add_argument(
        "--seconds", type=_count, help=f"how long it lasts ({DEFAULT_SECONDS}, or what the scenario says)"
    )
    group.add_argument("--seed", type=_count, help="which people and which pauses; same seed, same meeting (1)")
    group.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="let meetings pass so much faster (1)")
    group.add_argument("--truth-file", type=Path, metavar="FILE", help="write what was really sent when it is over")


def _add_network(found: argparse.ArgumentParser) -> None:
    group = found.add_argument_group("network")
    group.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    group.add_argument("--port", type=int, default=0, help="port for WebSockets (0 = a free one)")
    group.add_argument("--control-port", type=int, default=0, help="port for the HTTP control (0 = a free one)")
    group.add_argument("--public-host", metavar="NAME", help="host name in the URLs given out (that of --host)")
    group.add_argument("--tls", action="store_true", help="wss:// with a certificate made now, good for localhost")
    group.add_argument("--cert", type=Path, metavar="FILE", help="wss:// with this certificate (PEM)")
    group.add_argument("--key", type=Path, metavar="FILE", help="and this key")


def _add_app(found: argparse.ArgumentParser) -> None:
    usual = Credentials()
    group = found.add_argument_group("app and webhooks")
    group.add_argument("--client-id", default=usual.client_id, help=f"({usual.client_id})")
    group.add_argument("--client-secret", default=usual.client_secret, help=f"({usual.client_secret})")
    group.add_argument("--scopes", type=_scopes, default=EVERY_MEDIUM, metavar="LIST",
                       help="media the app may have, from audio,video,share,captions,chat (all)")  # fmt: skip
    group.add_argument("--webhook-url", metavar="URL", help="where to announce streams (nowhere)")
    group.add_argument("--webhook-secret", default=usual.webhook_secret, help=f"({usual.webhook_secret})")
    group.add_argument("--webhook-shape", choices=list(Shape), type=Shape, default=Shape.FLAT, help="(flat)")
    group.add_argument("--webhook-validate", action="store_true", help="first send the URL validation challenge")


def _add_behaviour(found: argparse.ArgumentParser) -> None:
    usual = Rules()
    group = found.add_argument_group("behaviour")
    group.add_argument("--duplicate", choices=list(Duplicate), type=Duplicate, default=usual.duplicate,
                       help="what becomes of a second signalling connection: it replaces the first (the default), "
                            "or it is refused")  # fmt: skip
    group.add_argument("--framing", choices=list(Framing), type=Framing, default=usual.framing, help="(text)")
    group.add_argument(
        "--keep-alive-s", type=_some_seconds, default=usual.keep_alive_s, help="between keep-alives (10)"
    )
    group.add_argument("--signalling-window-s", type=_some_seconds, default=usual.signalling_window_s,
                       help="to come back after signalling was lost (60)")  # fmt: skip
    group.add_argument("--media-window-s", type=_some_seconds, default=usual.media_window_s,
                       help="to come back after a media socket was lost (65)")  # fmt: skip
    group.add_argument("--audio-buffer-s", type=_seconds, default=usual.audio_buffer_s,
                       help="how much audio waits for a client (60)")  # fmt: skip
    group.add_argument("--fault", type=_fault, action="append", default=[], metavar="KIND[:NAME=VALUE,...]",
                       help="something that goes wrong; may be repeated")  # fmt: skip
    group.add_argument("--faults", type=_fault_list, default=[], metavar="JSON", help="the same as a list, or @FILE")


def _scenario(text: str) -> MeetingRequest:
    try:
        return scenario_library.find(text)
    except BadScenario as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str, wanted: type[_T]) -> _T:
    try:
        return convert(text, wanted, strict=False)
    except Invalid as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


def _count(text: str) -> int:
    return _number(text, Annotated[int, msgspec.Meta(ge=1, lt=2**31)])  # type: ignore[arg-type]


def _seconds(text: str) -> float:
    return _number(text, Seconds)


def _some_seconds(text: str) -> float:
    return _number(text, SomeSeconds)


def _speed(text: str) -> float:
    return _number(text, Annotated[float, msgspec.Meta(gt=0, le=1000)])  # type: ignore[arg-type]


def _scopes(text: str) -> frozenset[Medium]:
    names = {name.strip() for name in text.split(",")} - {""}
    if not names or not names <= EVERY_MEDIUM:
        wrong = ", ".join(sorted(names - EVERY_MEDIUM)) or "none"
        raise argparse.ArgumentTypeError(f"{wrong}: scopes are from audio,video,share,captions,chat")
    return frozenset(map(Medium, names))


def _fault(text: str) -> Fault:
    try:
        return faults.parse_fault(text)
    except BadFault as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _fault_list(text: str) -> list[Fault]:
    try:
        listed = json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    except RecursionError:
        raise argparse.ArgumentTypeError("nested too deeply") from None
    if not isinstance(listed, list):
        raise argparse.ArgumentTypeError("faults are a list of objects")
    return [_numbered(number, item) for number, item in enumerate(listed, start=1)]


def _numbered(number: int, item: object) -> Fault:
    try:
        return faults.read_fault(item)
    except BadFault as error:
        raise argparse.ArgumentTypeError(f"[{number}]: {error}") from None


def server_options(said: argparse.Namespace, tls: ssl.SSLContext | None) -> ServerOptions:
    """The server that was asked for."""
    rules = Rules(
        offered=said.scopes,
        duplicate=said.duplicate,
        framing=said.framing,
        keep_alive_s=said.keep_alive_s,
        audio_buffer_s=said.audio_buffer_s,
        signalling_window_s=said.signalling_window_s,
        media_window_s=said.media_window_s,
    )
    return ServerOptions(
        host=said.host,
        port=said.port,
        public_host=said.public_host or ("localhost" if said.tls else None),
        tls=tls,
        rules=rules,
        credentials=Credentials(
            client_id=said.client_id, client_secret=said.client_secret, webhook_secret=said.webhook_secret
        ),
        webhook_url=said.webhook_url,
        webhook_shape=said.webhook_shape,
    )


def tls_context(said: argparse.Namespace, made: tuple[Path, Path] | None) -> ssl.SSLContext | None:
    """TLS with the certificate that was given or, for --tls, `made` just now; None for plain WebSockets.

    Raises:
        ValueError: one of certificate and key is missing, or they are none.
    """
    if not (said.cert or said.key):
        return server_context(*made) if made else None
    if not (said.cert and said.key):
        raise ValueError("--cert and --key belong together: one without the other is nothing to serve wss:// with")
    try:
        return server_context(said.cert, said.key)
    except OSError as error:  # it says neither which file nor, of TLS, anything that a person understands
        why = "is no certificate with its key (PEM)" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"--cert {said.cert}, --key {said.key}: {why}") from None


def meeting_request(said: argparse.Namespace) -> MeetingRequest:
    """The meeting that was asked for."""
    request: MeetingRequest = said.scenario or MeetingRequest()
    if request.script is not None and (said.seed or said.seconds):
        raise ValueError("--seed and --seconds are for scenarios that do not say who is there and what happens")
    if said.replay is not None and (said.seed or said.seconds):
        raise ValueError("--seed and --seconds are not for captures: they last as long as they did")
    return replace(
        request,
        recording=said.replay,
        seed=said.seed or request.seed,
        seconds=request.seconds if said.seconds is None else said.seconds,
        faults=[*request.faults, *said.faults, *said.fault],
    )
