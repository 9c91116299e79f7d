"""The phases of a stream as we hold it, and what moves it from one to the next."""

from enum import StrEnum


class Phase(StrEnum):
    """NEW, then RUNNING whether connected or not, then on one of three ways to OVER; `LIFE` is the table."""

    NEW = "new"
    RUNNING = "running"
    LEAVING = "leaving"  # asked Zoom to end the stream
    ENDING = "ending"  # it is over: reading what is still on its way
    HANDING_OVER = "handing_over"  # closing sockets, the stream lives on
    OVER = "over"


class Turn(StrEnum):
    """What moves a stream from one phase to the next."""

    STARTED = "started"
    CLOSED = "asked to close"
    ENDED = "ended"
    HANDED_OVER = "handed over"
    SETTLED = "all sockets closed"


LIFE: dict[Phase, dict[Turn, Phase]] = {
    Phase.NEW: {
        Turn.STARTED: Phase.RUNNING,
        Turn.ENDED: Phase.ENDING,
        Turn.HANDED_OVER: Phase.HANDING_OVER,
    },
    Phase.RUNNING: {
        Turn.CLOSED: Phase.LEAVING,
        Turn.ENDED: Phase.ENDING,
        Turn.HANDED_OVER: Phase.HANDING_OVER,
    },
    Phase.LEAVING: {
        Turn.ENDED: Phase.ENDING,
        Turn.HANDED_OVER: Phase.HANDING_OVER,
    },
    Phase.ENDING: {Turn.SETTLED: Phase.OVER},
    Phase.HANDING_OVER: {Turn.SETTLED: Phase.OVER},
    Phase.OVER: {},
}
"""(phase, turn) -> phase'. A turn that is not in it is not taken: whoever asks for it comes too late."""
