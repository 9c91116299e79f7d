"""What a peer can say that makes no sense on an RTMS socket, and why each is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

T = 1_760_000_000_000
"""A possible time; whoever sends these to a living stream replaces it."""


def frame(msg_type: Any = 14, **changes: Any) -> bytes:
    """A frame that is good but for the changes; a change to `...` leaves the field out."""
    content: dict[str, Any] = {"user_id": 7, "user_name": "Mallory", "timestamp": T, "data": "QUJD"} | changes
    content = {name: value for name, value in content.items() if value is not ...}
    return json.dumps({"msg_type": msg_type, "content": content}).encode()


ANYWHERE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not_a_json_object"),
    "truncated": (frame()[:-9], "not_a_json_object"),
    "a list": (b"[1]", "not_a_json_object"),
    "two documents": (b"{}{}", "not_a_json_object"),
    "not UTF-8": (frame().replace(b"Mallory", b"\xff\xfe"), "not_a_json_object"),
    "UTF-16": ('{"msg_type":14}'.encode("utf-16"), "not_a_json_object"),
    "half a surrogate": (frame().replace(b"Mallory", b"\xed\xa0\x80"), "not_a_json_object"),
    "binary": (bytes(range(256)) * 20, "not_a_json_object"),
    "NULs": (b"\x00" * 5000, "not_a_json_object"),
    "a NUL in it": (frame().replace(b'"Mallory"', b'"Mal\x00lory"'), "not_a_json_object"),
    "never closed": (b"[" * 100_000, "not_a_json_object"),
    "nested too deeply": (b'{"msg_type":14,"content":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "not_a_json_object"),
    "NaN": (b'{"msg_type":NaN}', "not_a_json_object"),
    "no type": (b"{}", "no_message_type"),
    "a type that is null": (frame(None), "no_message_type"),
    "a type that is an object": (frame({}), "no_message_type"),
    "a type that is a word": (frame("audio"), "no_message_type"),
    "a type that is a fraction": (frame(14.5), "no_message_type"),
    "a huge type": (frame(2**70), "no_message_type"),
    "an endless type": (b'{"msg_type":' + b"9" * 4000 + b"}", "no_message_type"),
}
"""On every socket, in every state in which it is read."""

ON_MEDIA: dict[str, tuple[bytes, str]] = {
    "no content": (b'{"msg_type":14}', "no_payload"),
    "content that is a list": (b'{"msg_type":14,"content":[]}', "no_payload"),
    "content that is a number": (b'{"msg_type":14,"content":17}', "no_payload"),
    "an empty payload": (frame(data=""), "no_payload"),
    "no payload": (frame(data=...), "no_payload"),
    "a payload that is a number": (frame(data=17), "no_payload"),
    "a payload that is no base64": (frame(data="%%%"), "bad_base64"),
    "a large payload that is no base64": (frame(15, data=base64.b64encode(bytes(9000)).decode()[:-1]), "bad_base64"),
    "no time": (frame(timestamp=...), "no_timestamp"),
    "a time that is a word": (frame(timestamp="now"), "no_timestamp"),
    "the time 0": (frame(timestamp=0), "no_timestamp"),
    "a negative time": (frame(timestamp=-T), "no_timestamp"),
    "a time that is no number at all": (frame(timestamp=2**64), "no_timestamp"),
    "a time in the far future": (frame(timestamp=2**62), "implausible_timestamp"),
    "a time in the far past": (frame(timestamp=1), "implausible_timestamp"),
    "a user that is a word": (frame(user_id="Mallory"), "bad_user_id"),
    "a negative user": (frame(user_id=-1), "bad_user_id"),
    "a huge user": (frame(user_id=2**70), "bad_user_id"),
    "a caption without words": (frame(17, data=...), "no_text"),
    "a caption that is a number": (frame(17, data=5), "no_text"),
    "a caption without a time": (frame(17, timestamp=...), "no_timestamp"),
    "a chat message without words": (frame(18, data=...), "no_text"),
    "a chat message without a time": (frame(18, timestamp=None), "no_timestamp"),
    "what only a client says": (b'{"msg_type":3}', "misplaced"),
    "what belongs on signalling": (b'{"msg_type":6,"event":{}}', "misplaced"),
}

ON_SIGNALLING: dict[str, tuple[bytes, str]] = {
    "a frame": (frame(), "misplaced"),
    "what only a client says": (b'{"msg_type":1}', "misplaced"),
}

IGNORED: dict[str, bytes] = {
    "a type nobody knows": frame(9_999),
    "a negative type": frame(-5),
    "a type that is huge": frame(2**62),
    "a keep-alive without a time": b'{"msg_type":12}',
}
"""No fault of anybody's: passed over, because Zoom adds messages every year."""
