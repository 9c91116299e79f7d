"""A meeting to start, as a value: what a scenario file, a command line and a POST to the control address all become."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.rtms.protocol import codes
from connectors.rtms.simulator.faults import Fault
from connectors.rtms.simulator.script import Script
from connectors.rtms.simulator.webhooks import Shape

DEFAULT_SECONDS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingRequest:
    """Everything has a default.

    `script` None: the meeting that `seed` and `seconds` write. `rules` are changes to the server's `Rules`, by field.
    `webhook_shape` None: the server's. `recording`: play that file instead of a script.
    """

    about: str = ""
    product: str = codes.MEETING
    seed: int = 1
    seconds: int = DEFAULT_SECONDS
    script: Script | None = None
    faults: Sequence[Fault] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    webhook_shape: Shape | None = None
    meeting_uuid: str | None = None
    stream_id: str | None = None
    recording: Path | None = None
