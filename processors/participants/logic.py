"""What participants do: Zoom's events and the chat in, participant events out; one end when both are over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from processors.checkpoint.folds import Fold, Json, Slack
from processors.checkpoint.windows import Cut, Observed, Progress, Track
from processors.participants import chat, roster
from processors.participants.chat import Conversation
from processors.participants.roster import Roster
from schemas.records import MediaRecord
from schemas.topics import CHAT, EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processors.checkpoint.windows import Logic


@dataclass(frozen=True, slots=True)
class Closing:
    """The last word: how many there were."""

    count: int


class ParticipantsLogic:
    """See `checkpoint.windows.Logic`: no windows, everything is in the folds."""

    topics: "tuple[str, ...]" = (EVENTS.name, CHAT.name)
    clocks: "Mapping[str, Slack]" = {}
    answers_for: "tuple[str, ...]" = topics

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        return chat.observed(part, record) if topic == CHAT.name else roster.observed(part, record)

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        return None

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        raise NotImplementedError("there are no tracks")

    def final(self, folds: "Mapping[str, Fold]", progress: "Mapping[str, Progress]") -> object | None:
        came_and_went = Roster.from_json(folds[EVENTS.name].part)
        return Closing(came_and_went.count + Conversation.from_json(folds[CHAT.name].part).count)


if TYPE_CHECKING:
    _: Logic = ParticipantsLogic()
