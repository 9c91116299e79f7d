"""Starts muxing: `python -m processors muxing`."""

from connectors.host.program import Running
from connectors.kafka.producer import SEGMENTS
from processors.muxing.application import Muxing
from processors.muxing.settings import MuxingSettings
from processors.shell import service


def run(running: Running) -> int:
    """Mux until told to stop."""
    return service.run(running, lambda _: Muxing(running.configured.of(MuxingSettings)), SEGMENTS)
