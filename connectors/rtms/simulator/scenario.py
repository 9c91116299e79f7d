"""A meeting as a file that people write: TOML, or JSON with the same keys (the control address takes the latter).

    about = "The host's camera goes off while he speaks."
    seconds = 20

    [[people]]
    name = "Ada"
    camera = [[0, 6], [9, 20]]

    [[speech]]
    who = "Ada"
    at_s = 2
    reading = "two_cities"
    last = 4

    [[faults]]
    kind = "cut_media"
    medium = "video"
    at_s = 12

Without `people`, the meeting is the one that `seed` and `seconds` write. TOML because people comment and correct such
files by hand, and because the standard library reads it. Unknown keys are errors; errors name the line and the key.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from connectors.rtms.protocol import codes
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator import screenplay, texts, validation, writer
from connectors.rtms.simulator.channel import Framing
from connectors.rtms.simulator.faults import Fault
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import EVERY_MEDIUM, Duplicate
from connectors.rtms.simulator.screenplay import (
    CaptionsEntry,
    ChatEntry,
    CorrectionEntry,
    PersonEntry,
    PicturesEntry,
    Screenplay,
    ShareEntry,
    SpeakerEntry,
    SpeechEntry,
)
from connectors.rtms.simulator.script import Script
from connectors.rtms.simulator.validation import LONGEST_S, Invalid, Seconds, SomeSeconds
from connectors.rtms.simulator.webhooks import Shape


class Product(StrEnum):
    """What kind of call it is, named as its webhooks are."""

    MEETING = codes.MEETING
    WEBINAR = codes.WEBINAR
    VIDEO_SDK = codes.VIDEO_SDK
    CONTACT_CENTER = codes.CONTACT_CENTER
    PHONE = codes.PHONE


class BadScenario(ValueError):
    """A scenario that cannot be; the text says where and what is allowed."""


class RulesEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Zoom behaves in this meeting; what is left out is as the command line says. See `rules.Rules`."""

    scopes: list[Medium] | None = None
    duplicate: Duplicate | None = None
    framing: Framing | None = None
    keep_alive_s: SomeSeconds | None = None
    audio_buffer_s: Seconds | None = None
    signalling_window_s: SomeSeconds | None = None
    media_window_s: SomeSeconds | None = None
    stale_picture_s: Seconds | None = None

    def changes(self) -> Mapping[str, Any]:
        """As fields of `Rules`."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        scopes = given.pop("scopes", None)
        if scopes is None:
            return given
        if not scopes or not frozenset(scopes) <= EVERY_MEDIUM:
            raise Invalid("scopes are from audio, video, share, captions, chat", ("rules", "scopes"))
        return given | {"offered": frozenset(scopes)}


class ScenarioFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All keys there are; None where the usual value counts."""

    about: str = ""
    product: Product | None = None
    seed: int | None = None
    seconds: int | None = None
    meeting_uuid: str | None = None
    rtms_stream_id: str | None = None
    webhook_shape: Shape | None = None
    beeps: bool = True
    rules: RulesEntry = RulesEntry()
    captions: CaptionsEntry = CaptionsEntry()
    people: list[PersonEntry] = []
    speech: list[SpeechEntry] = []
    speakers: list[SpeakerEntry] = []
    share: list[ShareEntry] = []
    chat: list[ChatEntry] = []
    corrections: list[CorrectionEntry] = []
    pictures: list[PicturesEntry] = []
    faults: list[Fault] | None = None


def read_scenario(value: Any, usual: MeetingRequest | None = None) -> MeetingRequest:
    """The meeting of a decoded scenario; what is left out is as in `usual`.

    Raises:
        Invalid: it makes no sense.
    """
    usual = usual or MeetingRequest()
    file = validation.convert(value, ScenarioFile)
    for name in ("seed", "seconds"):
        if (number := getattr(file, name)) is not None and number < 1:
            raise Invalid("a whole number above 0", (name,))
    if file.seconds is not None and file.seconds > LONGEST_S:
        raise Invalid(f"at most {LONGEST_S}", ("seconds",))
    request = replace(
        usual,
        about=file.about or usual.about,
        product=(file.product or Product(usual.product)).value,
        seed=file.seed or usual.seed,
        seconds=file.seconds or usual.seconds,
        faults=usual.faults if file.faults is None else file.faults,
        rules={**usual.rules, **file.rules.changes()},
        webhook_shape=file.webhook_shape or usual.webhook_shape,
        meeting_uuid=file.meeting_uuid,
        stream_id=file.rtms_stream_id,
    )
    return replace(request, script=_script(file, request, usual))


def read_file(path: Path) -> MeetingRequest:
    """The meeting of a scenario file; `.json` is read as JSON, everything else as TOML.

    Raises:
        BadScenario: it makes no sense; the text names the file, the line and the key.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadScenario(f"{path}: this is no text in UTF-8") from None
    try:
        value = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return read_scenario(value)
    except RecursionError:
        raise BadScenario(f"{path}: nested too deeply") from None
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadScenario(f"{path}: {error}") from None
    except Invalid as error:
        line = None if path.suffix == ".json" else line_of(text, error.path)
        where = f"{path}, line {line}" if line else f"{path}"
        raise BadScenario(f"{where}: {error}") from None
    except ValueError as error:
        raise BadScenario(f"{path}: {error}") from None


def _script(file: ScenarioFile, request: MeetingRequest, usual: MeetingRequest) -> Script | None:
    """The script if the file says anything about what happens, else that of `usual`."""
    plain = file.captions == CaptionsEntry() and not file.pictures and not file.corrections
    if not file.people:
        for name in ("speech", "speakers", "share", "chat"):
            if getattr(file, name):
                raise Invalid("needs [[people]]: say who is there", (name,))
        if plain:
            return usual.script
        script = writer.write(request.seed, request.seconds)
    else:
        script = screenplay.stage(
            Screenplay(
                people=file.people,
                speech=file.speech,
                speakers=file.speakers,
                share=file.share,
                chat=file.chat,
                beeps=file.beeps,
            ),
            request.seed,
            request.seconds,
        )
    script = replace(
        script,
        captions=screenplay.caption_style(file.captions),
        corrections=screenplay.corrections(file.corrections),
        sizes=screenplay.picture_sizes(file.pictures),
    )
    texts.check(script)
    return script


_HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_.-]+)\s*\]{1,2}")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


def line_of(text: str, path: validation.Path) -> int | None:
    """The line of a TOML text, from 1, on which the value at `path` or the table around it begins."""
    table: validation.Path = ()
    counts: dict[str, int] = {}
    lines: dict[validation.Path, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header[2]
            counts[name] = counts.get(name, -1) + 1
            table = (name, counts[name]) if header[1] == "[[" else (name,)
            lines.setdefault(table, number)
            lines.setdefault((name,), number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1]), number)
    prefixes = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[prefix] for prefix in prefixes if prefix in lines), None)
