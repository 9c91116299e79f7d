"""Starts transcription: `python -m processors transcription`."""

from processors.shell import service
from processors.transcription.application import TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings


def run() -> None:
    """Run until told to stop."""
    settings = TranscriptionSettings()
    service.run(TranscriptionApplication.name, lambda: TranscriptionApplication(settings))
