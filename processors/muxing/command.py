"""Starts muxing: `python -m processors muxing`."""

from connectors.kafka.producer import MEDIA
from processors.muxing.application import Muxing
from processors.muxing.settings import MuxingSettings
from processors.shell import service


def run() -> None:
    """Mux until told to stop."""
    service.run(Muxing.name, lambda: Muxing(MuxingSettings()), MEDIA)
