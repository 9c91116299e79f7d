"""Starts participants: `python -m processors participants`."""

from connectors.host.program import Running
from processors.participants.application import ParticipantsApplication
from processors.shell import service


def run(running: Running) -> int:
    """Run until told to stop."""
    return service.run(running, lambda _: ParticipantsApplication())
