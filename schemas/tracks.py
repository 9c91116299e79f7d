"""What a recording consists of beside itself: each participant's sound, and the shared screens. Pure.

A track is known by its name, in records and in the names of objects: `participant-{Zoom's user id}`, `share` or
`composed`. Somebody who comes again is somebody else to Zoom, and has another track.
"""

from enum import StrEnum

RECORDING = ""
"""The recording itself."""

SHARE = "share"

COMPOSED = "composed"
"""The recording once more, with what its view asks for drawn where a screen is shared. It is made after the end, has
segments only of those stretches, and is the recording's own in all others."""

NOBODY = 0
"""The participant of mixed sound, who has no track."""

MAX_PARTICIPANTS = 200
"""Tracks of participants that a recording has at most: of the first ones that are heard."""

TOO_MANY = "too_many_participants"
"""The reason why somebody who was heard has no track: there were `MAX_PARTICIPANTS` before."""

NO_MEDIA = "no_media"
"""The reason why there is no recording, or no track, where nothing came."""

SEGMENTS_MISSING = "segments_missing"
"""The reason why no file was made of segments: some of them are not stored."""

_PARTICIPANT = "participant-"


class Kind(StrEnum):
    """What is in a track."""

    AUDIO = "audio"
    SHARE = "share"
    COMPOSED = "composed"


def of_participant(participant_id: int) -> str:
    return f"{_PARTICIPANT}{participant_id}"


def participant_of(track: str) -> int | None:
    """Whose sound it is; None of any other track."""
    name = track.removeprefix(_PARTICIPANT)
    return int(name) if name != track and name.isascii() and name.isdigit() else None


def kind(track: str) -> Kind:
    """Of a track beside the recording."""
    return {SHARE: Kind.SHARE, COMPOSED: Kind.COMPOSED}.get(track, Kind.AUDIO)
