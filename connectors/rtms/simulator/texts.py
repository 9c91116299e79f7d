"""The captions and the chat of a script, as Zoom would send them."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace

from connectors.rtms.protocol.codes import Medium, TextAttribute
from connectors.rtms.simulator.frames import CaptionFrame, ChatFrame
from connectors.rtms.simulator.script import Correction, Script
from connectors.rtms.simulator.validation import Invalid


def captions(script: Script, start_ms: int) -> Iterator[CaptionFrame]:
    """One caption a phrase, sorted by when the phrases end, and what Zoom says of some of them later."""
    first = list(_captions(script, start_ms))
    changed = [_corrected(first[one.caption], one, start_ms) for one in script.corrections] if first else []
    yield from sorted([*first, *changed], key=lambda frame: frame.due_ms)


def check(script: Script) -> None:
    """Raises Invalid where Zoom would change its mind about a caption that it has not sent by then."""
    first = list(_captions(script, 0))
    for number, one in enumerate(script.corrections):
        if not 0 <= one.caption < len(first):
            known = f"there are captions 0 to {len(first) - 1}" if first else "there are no captions"
            raise Invalid(known, ("corrections", number, "caption"))
        if one.at_ms <= (sent_ms := first[one.caption].due_ms):
            raise Invalid(f"the caption is sent at {sent_ms / 1000:g} s", ("corrections", number, "at_s"))


def _corrected(frame: CaptionFrame, one: Correction, start_ms: int) -> CaptionFrame:
    attribute = TextAttribute.DELETE if one.text is None else TextAttribute.UPDATE
    return replace(frame, due_ms=start_ms + one.at_ms, attribute=attribute, text=one.text or "")


def _captions(script: Script, start_ms: int) -> Iterator[CaptionFrame]:
    style = script.captions
    if not style.sent:
        return
    spoken = [(phrase, turn.user_id) for turn in script.turns for phrase in turn.spoken()]
    for phrase, user_id in sorted(spoken, key=lambda item: item[0].end_ms):
        yield CaptionFrame(
            medium=Medium.CAPTIONS,
            due_ms=start_ms + phrase.end_ms + style.delay_ms,
            timestamp_ms=start_ms + phrase.start_ms,
            user_id=user_id,
            user_name=script.cast.named(user_id).name,
            start_ms=start_ms + phrase.start_ms,
            end_ms=start_ms + phrase.end_ms,
            language=style.language,
            text=phrase.text,
            attribute=TextAttribute.NEW if style.say_new else None,
        )


def chat(script: Script, start_ms: int) -> Iterator[ChatFrame]:
    """The chat's operations; message ids look like Zoom's and differ from meeting to meeting."""
    for line in script.chat:
        yield ChatFrame(
            medium=Medium.CHAT,
            due_ms=start_ms + line.at_ms,
            timestamp_ms=start_ms + line.at_ms,
            user_id=line.user_id,
            user_name=script.cast.named(line.user_id).name,
            operation=line.operation,
            message_id=_message_id(start_ms, script.seed, line.message),
            parent_message_id=_message_id(start_ms, script.seed, line.about) if line.about else None,
            text=line.text,
        )


def _message_id(start_ms: int, seed: int, name: str) -> str:
    digest = hashlib.sha256(f"{start_ms}:{seed}:{name}".encode()).digest()
    return base64.b64encode(digest[:15]).decode()
