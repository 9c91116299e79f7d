"""Starts participants: `python -m processors participants`."""

from processors.participants.application import ParticipantsApplication
from processors.shell import service


def run() -> None:
    """Run until told to stop."""
    service.run(ParticipantsApplication.name, ParticipantsApplication)
