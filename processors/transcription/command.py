"""Starts transcription: `python -m processors transcription`."""

from connectors.host.program import Running
from processors.shell import service
from processors.transcription.afterwards.connecting import afterwards
from processors.transcription.application import TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings


def run(running: Running) -> int:
    """Run until told to stop."""
    settings = running.configured.of(TranscriptionSettings)
    return service.run(running, lambda: TranscriptionApplication(settings, afterwards(running.configured)))
