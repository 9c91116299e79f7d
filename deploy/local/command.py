"""What can be said on the command line, and what then runs."""

from __future__ import annotations

from importlib import import_module

from connectors.host import logs
from connectors.host.configuration import Configured
from connectors.host.settings import LogSettings
from deploy.local.program import PROGRAM
from deploy.local.settings import LocalSettings


def main() -> int:
    """The exit code."""
    parser = PROGRAM.parser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="fetch what is missing and prepare it, so that everything later is quick")
    commands.add_parser("up", help="start everything and keep it up until Ctrl-C")
    commands.add_parser("demo", help="run a simulated meeting through everything", add_help=False)
    options, rest = parser.parse_known_args()
    if options.command != "demo" and rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    return PROGRAM.run(lambda configured: _run(options.command, rest, configured))


def _run(command: str, arguments: list[str], configured: Configured) -> int:
    log = configured.of(LogSettings)
    if "format" not in log.model_fields_set:  # here it is people who read it
        logs.configure(PROGRAM.service, log.model_copy(update={"format": "console"}))
    settings = configured.of(LocalSettings)
    if command == "demo":
        return int(import_module("deploy.local.demo.command").main(arguments, settings))
    if command == "setup":
        return int(import_module("deploy.local.preparation").prepare(settings))
    return int(import_module("deploy.local.up").up(settings))
