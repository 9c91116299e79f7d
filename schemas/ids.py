"""Derived ids: the same input always yields the same id, so a replay can never make a second thing.

An id is a readable prefix and 16 characters of [A-Za-z0-9] (95 bits of a SHA-256), the shape that clients of the App
Session API know. Nothing here draws randomness; secrets and request ids come from elsewhere.
"""

import hashlib
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LENGTH = 16

SESSION_PREFIX = "app_"
UTTERANCE_PREFIX = "utt_"
PARTICIPANT_PREFIX = "par_"
PARTICIPANT_EVENT_PREFIX = "pe_"
CHAT_MESSAGE_PREFIX = "msg_"
SEGMENT_PREFIX = "seg_"
ASYNC_TRANSCRIPTION_PREFIX = "tran_"

_MURMUR2_SEED = 0x9747B28C
_MURMUR2_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def derived(prefix: str, *parts: str | int) -> str:
    """`prefix` + 16 characters derived from `parts`; parts are length-delimited, so ("ab", "c") is not ("a", "bc")."""
    digest = hashlib.sha256()
    for part in parts:
        data = str(part).encode()
        digest.update(len(data).to_bytes(4, "big"))
        digest.update(data)
    number = int.from_bytes(digest.digest()[:16], "big")
    characters = []
    for _ in range(LENGTH):
        number, remainder = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[remainder])
    return prefix + "".join(characters)


def session_id(project_id: str, rtms_stream_id: str) -> str:
    """One stream of one project is one session, however often and by whomever it is announced."""
    return derived(SESSION_PREFIX, project_id, rtms_stream_id)


def credential_id(project_id: str, kind: str) -> str:
    """A project has one credential of a kind: to write another is to replace it."""
    return derived("cred_", project_id, kind)


def record_id(prefix: str, session: str, topic: str, epoch: int, sequence: int) -> str:
    """The id of what maps one to one to an input record."""
    return derived(prefix, session, topic, epoch, sequence)


def window_id(prefix: str, session: str, kind: str, engine: str, track: str, start_ms: int) -> str:
    """The id of what spans a window: it is known by where the window begins."""
    return derived(prefix, session, kind, engine, track, start_ms)


def participant_uuid(session: str, participant_id: int) -> str:
    """A participant's id towards API clients; `participant_id` is Zoom's user id within the session."""
    return derived(PARTICIPANT_PREFIX, session, participant_id)


def chat_message_id(session: str, message_id: str) -> str:
    """A chat message's id towards API clients; `message_id` is Zoom's, the same however often it is announced."""
    return derived(CHAT_MESSAGE_PREFIX, session, message_id)


def participant_of_channel(channel_id: str) -> int:
    """The participant id of somebody whom Zoom names by a channel (contact centers); above all of Zoom's user ids."""
    return 2**32 + int.from_bytes(hashlib.sha256(channel_id.encode()).digest()[:6], "big")


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, as Java's default partitioner computes it (unsigned)."""
    length = len(data)
    value = (_MURMUR2_SEED ^ length) & _MASK
    for start in range(0, length - length % 4, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MURMUR2_MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MURMUR2_MULTIPLIER & _MASK
        value = (value * _MURMUR2_MULTIPLIER & _MASK) ^ word
    if tail := data[length - length % 4 :]:
        value = (value ^ int.from_bytes(tail, "little")) * _MURMUR2_MULTIPLIER & _MASK
    value = (value ^ value >> 13) * _MURMUR2_MULTIPLIER & _MASK
    return value ^ value >> 15


def partition_of(key: str, partitions: int) -> int:
    """The partition of `key` on every topic with `partitions` partitions; equal to Java's and Faust's choice."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
