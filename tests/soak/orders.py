"""What customers ask for in their meetings: between them, all that a session can be told to make. Pure.

The seed decides who asks for what; four meetings ask for everything that costs little, what is dear comes with more.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.settings import Engine
from tests.soak.buckets import FORBIDDEN, TAKING

Section = Mapping[str, Any]

LIVE: frozenset[str] = frozenset({Engine.DEEPGRAM})
"""Services that hear while somebody speaks, where a session wants partials."""

_ENGINE_OF = {str(engine): engine for engine in Engine} | {"meeting_closed_captions": Engine.ZOOM}
_LOCAL: Section = {"moonshine": {"language": "en"}}
_PARTIAL: Section = {"moonshine": {"partials": True}}
_OPENAI: Section = {"openai": {"model": "gpt-4o-transcribe"}}
_CAPTIONS: Section = {"meeting_closed_captions": {}}
_MERGED: Section = {"meeting_closed_captions": {"merge_consecutive_captions": True}}
_SMALL: Section = {"video": {"height": 360}}
_TRACKS: Section = {"per_participant_audio": True, "separate_screen_share": True}


@dataclass(frozen=True, slots=True)
class Order:
    """`transcription` and `recording` are the settings of these names, `rtms` what is asked of Zoom; `afterwards` names
    who is to transcribe the stored sound once more when the session has ended, one after the other. `is_corrected`:
    Zoom changes its mind about some captions. `bucket` is the customer's own that the recording is copied to, where
    `is_named` under a name that the customer chose.
    """

    transcription: Section
    recording: Section
    rtms: Section = field(default_factory=dict)
    afterwards: Sequence[Section] = ()
    is_corrected: bool = False
    bucket: str = ""
    is_named: bool = False

    @property
    def failures(self) -> list[str]:
        """What a session says in the end that there is not of it."""
        return failures(self.bucket)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Whose transcripts there are; receivers of webhooks are told of the first's."""
        named = {_ENGINE_OF[name] for name in self.transcription}
        return tuple(engine for engine in Engine if engine in named)

    @property
    def live(self) -> frozenset[str]:
        """Of these transcripts nobody knows the words for certain (`expected.Expected`)."""
        return LIVE if any(section.get("partials") for section in self.transcription.values()) else frozenset()

    def body(self, stream_id: str) -> dict[str, object]:
        """What asks for the session of a stream."""
        stream = {"meeting_uuid": f"{stream_id}==", "rtms_stream_id": stream_id, "server_urls": "wss://rtms.zoom.us"}
        settings: dict[str, object] = {
            "transcription_settings": self.transcription, "recording_settings": self.recording,
        }  # fmt: skip
        if self.bucket:
            named = {"recording_file_name": f"soak/{stream_id} (é+).mp4"} if self.is_named else {}
            settings["external_media_storage_settings"] = {"bucket_name": self.bucket, **named}
        return {"zoom_rtms": stream, **settings, **({"rtms_settings": self.rtms} if self.rtms else {})}


def failures(bucket: str | None) -> list[str]:
    """What there is not of a session whose recording is copied to this bucket."""
    return ["external_media_storage: access_denied"] if bucket == FORBIDDEN else []


PLAIN = Order({**_LOCAL, **_CAPTIONS}, {"format": "mp4"})

FEW = (
    PLAIN,
    Order({**_LOCAL, **_CAPTIONS}, {"format": "mp4", **_TRACKS}, afterwards=(_OPENAI,), bucket=FORBIDDEN),
    Order(_MERGED, {"format": "mp4", "view": "side_by_side_view"}, _SMALL, is_corrected=True,
          bucket=TAKING, is_named=True),
    Order({"deepgram": {"partials": True}, **_CAPTIONS}, {"format": "mp4"}, is_corrected=True, bucket=TAKING),
)  # fmt: skip
"""What the first meetings ask for."""

MORE = (
    Order({**_OPENAI, **_CAPTIONS}, {"format": "mp3", "per_participant_audio": True}, afterwards=(_LOCAL, _OPENAI),
          bucket=TAKING),
    Order({**_OPENAI, **_MERGED}, {"format": "mp4", "view": "gallery_view", **_TRACKS}),
    Order({**_PARTIAL, **_CAPTIONS}, {"format": "mp4", "view": "shared_screen_with_speaker_view", **_TRACKS},
          afterwards=({"deepgram": {}}, _OPENAI)),
)  # fmt: skip
"""What further ones do."""


def orders(seed: int, count: int) -> list[Order]:
    """One for each meeting of a seed."""
    dice = random.Random(f"{seed} orders")
    drawn = [*dice.sample(FEW, len(FEW)), *dice.sample(MORE, len(MORE))]
    return [drawn[number % len(drawn)] for number in range(count)]
