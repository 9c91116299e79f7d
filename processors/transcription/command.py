"""Starts transcription: `python -m processors transcription`."""

from connectors.host.program import Running
from processors.shell import service
from processors.transcription.application import TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings


def run(running: Running) -> int:
    """Run until told to stop."""
    return service.run(running, lambda: TranscriptionApplication(running.configured.of(TranscriptionSettings)))
