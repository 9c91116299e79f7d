"""Which events to ask for: numbers differ by product, and 1 and 7 come by themselves."""

from connectors.rtms.protocol import codes
from connectors.rtms.protocol.codes import ContactCenterEventType, EventType, Medium
from connectors.rtms.protocol.parameters import MediaParameters

_PEOPLE = (EventType.ACTIVE_SPEAKER_CHANGE, EventType.PARTICIPANT_JOIN, EventType.PARTICIPANT_LEAVE)
_SHARING = (EventType.SHARING_START, EventType.SHARING_STOP)
_MEETING = (*_PEOPLE, *_SHARING, EventType.PARTICIPANT_VIDEO_ON, EventType.PARTICIPANT_VIDEO_OFF)
_CHAT_GROUPS = (
    EventType.CHAT_GROUP_CREATE,
    EventType.CHAT_GROUP_DELETE,
    EventType.CHAT_GROUP_MEMBERS_ADD,
    EventType.CHAT_GROUP_MEMBERS_DELETE,
    EventType.CHAT_GROUP_MEMBER_STATUS_UPDATE,
)

EVENTS_OF: dict[str, tuple[int, ...]] = {
    codes.MEETING: _MEETING,
    codes.WEBINAR: _MEETING,
    codes.VIDEO_SDK: _MEETING,
    codes.CONTACT_CENTER: (*_PEOPLE, *_SHARING, *ContactCenterEventType),
    codes.PHONE: _PEOPLE,
}
"""What to subscribe to whatever is streamed."""

_WITH_CHAT_GROUPS = frozenset({codes.MEETING, codes.WEBINAR, codes.VIDEO_SDK})


def wanted_events(product: str, media: MediaParameters) -> tuple[int, ...]:
    """The event types for message 5; those about chat groups come with the chat."""
    groups = _CHAT_GROUPS if product in _WITH_CHAT_GROUPS and Medium.CHAT in media else ()
    return (*EVENTS_OF[product], *groups)
