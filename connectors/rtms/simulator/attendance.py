"""Who is present and whose camera is on, as far as the events have got: the answer to a late subscription. Pure."""

from connectors.rtms.protocol.codes import EventType
from connectors.rtms.simulator.frames import EventFrame
from connectors.rtms.simulator.people import Cast, Person


class Attendance:
    """Folds the events of a meeting in their order."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._present: dict[int, Person] = {}
        self._cameras: set[int] = set()

    def apply(self, event: EventFrame) -> None:
        """One more event."""
        if event.event_type is EventType.PARTICIPANT_JOIN:
            self._present[event.user_id] = self._cast.named(event.user_id)
        elif event.event_type is EventType.PARTICIPANT_LEAVE:
            self._present.pop(event.user_id, None)
            self._cameras.discard(event.user_id)
        elif event.event_type is EventType.PARTICIPANT_VIDEO_ON:
            self._cameras.add(event.user_id)
        elif event.event_type is EventType.PARTICIPANT_VIDEO_OFF:
            self._cameras.discard(event.user_id)

    def has_camera(self, user_id: int | None) -> bool:
        """Whether that participant's camera is on."""
        return user_id in self._cameras

    def present(self) -> list[Person]:
        """Everybody who is there, in the order of joining."""
        return list(self._present.values())

    def with_camera(self) -> list[Person]:
        """Everybody whose camera is on."""
        return [person for person in self._present.values() if person.user_id in self._cameras]
