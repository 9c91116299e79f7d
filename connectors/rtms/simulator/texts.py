"""The captions and the chat of a script, as Zoom would send them."""

import base64
import hashlib
from collections.abc import Iterator

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.frames import CaptionFrame, ChatFrame
from connectors.rtms.simulator.script import Script


def captions(script: Script, start_ms: int) -> Iterator[CaptionFrame]:
    """One caption a phrase, sorted by when the phrases end."""
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
