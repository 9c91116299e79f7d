"""What every program has in common: a --help that lists its environment, and a start that is refused in a sentence."""

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from connectors.host import traces
from connectors.host.configuration import Configured, NotConfigured, read
from connectors.host.environment import listing
from connectors.host.health import Health
from connectors.host.logs import configure, get_logger
from connectors.host.settings import HealthSettings, LogSettings, TracesSettings
from connectors.host.signals import StopSignal
from connectors.host.standstill import Watch
from connectors.host.waiting import Stopped

log = get_logger(__name__)

NOT_CONFIGURED = 2
"""The exit status for settings that are missing or wrong, as for a wrong command line: starting again will not help."""


INTERRUPTED = 130
"""The exit status of a command that a Ctrl-C ended, as a shell has it."""

LEFT = 1
"""The exit status after `Leave`, and of a process that stood still."""


class Leave(Exception):
    """What this process holds is of no use any more: it ends, and its successor goes on from what was committed."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a service has once it runs: its settings, its probes, and the signal that ends it."""

    configured: Configured
    health: Health
    stop: StopSignal


@dataclass(frozen=True, slots=True)
class Program:
    """`command` follows `python -m`, `service` is its name in logs; it gets those settings that it says it `reads`."""

    command: str
    service: str
    about: str
    reads: tuple[type[BaseSettings], ...]

    def parser(self, **more: Any) -> argparse.ArgumentParser:
        """The command line, without arguments yet."""
        return argparse.ArgumentParser(prog=f"python -m {self.command}", **self.help(), **more)

    def help(self) -> dict[str, Any]:
        """What a parser is to be made with, also one of a sub-command."""
        return {
            "description": self.about,
            "epilog": listing(self.reads),
            "formatter_class": argparse.RawDescriptionHelpFormatter,
        }

    def run(self, body: Callable[[Configured], int]) -> int:
        """The exit status: what `body` returns, 0 when it was told to stop while it waited, NOT_CONFIGURED, LEFT,
        INTERRUPTED."""
        if LogSettings in self.reads:
            configure(self.service, _log_settings())
        try:
            return body(read(self.reads))
        except NotConfigured as error:
            sys.stderr.write(f"cannot start: {error} (all settings: python -m {self.command} --help)\n")
            return NOT_CONFIGURED
        except Stopped:
            log.info("stopped")
            return 0
        except KeyboardInterrupt:
            return INTERRUPTED
        except Leave as error:
            log.error("leaving, to be started again", reason=str(error), code=getattr(error, "code", ""))
            return LEFT

    def serve(self, body: Callable[[Running], int]) -> int:
        """`run` for a service, which answers its probes and takes SIGTERM and SIGINT from the first moment on."""

        def serving(configured: Configured) -> int:
            gc.freeze()  # what is imported stays: each look through all of it holds the process up for 0.1 s
            stop, health = StopSignal().install(), Health(self.service, configured.of(HealthSettings))
            _listen(health, configured.of(HealthSettings))
            Watch(health, stop, LEFT).start()
            try:
                if TracesSettings in self.reads:
                    traces.begin(self.service, configured.of(TracesSettings))
                return body(Running(configured, health, stop))
            finally:
                traces.end()
                health.stop()
                stop.uninstall()

        return self.run(serving)

    def serve_command(self) -> int:
        """`serve` what the `command` module of this name runs: a process imports only what its own service needs."""
        gc.disable()  # importing makes next to no garbage, and looking for it takes a tenth of the start
        try:
            body: Callable[[Running], int] = import_module(f"{self.command.replace(' ', '.')}.command").run
        finally:
            gc.freeze()
            gc.enable()
        return self.serve(body)


def select(command: str, about: str, programs: Sequence[Program]) -> Program:
    """The one of several programs that the command line names, by what stands last in its command."""
    parser = argparse.ArgumentParser(prog=f"python -m {command}", description=about)
    names = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    for program in programs:
        names.add_parser(program.command.rpartition(" ")[2], help=program.about, **program.help())
    name = parser.parse_args().name
    return next(program for program in programs if program.command == f"{command} {name}")


def _listen(health: Health, settings: HealthSettings) -> None:
    try:
        health.start()
    except OSError as error:
        raise NotConfigured(
            f"RTMS_HEALTH_PORT: nothing can listen on {settings.bind}:{settings.port} ({error.strerror}): "
            "take a port that is free, or 0 for any"
        ) from None


def _log_settings() -> LogSettings:
    """How to log until the settings have been read: what is wrong with these is said with all the rest."""
    try:
        return LogSettings()
    except ValidationError:
        return LogSettings.model_construct()
