"""Holds what a receiver of webhooks was told about a session against what an undisturbed run has to tell. Pure."""

from collections.abc import Hashable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from schemas import chat_messages
from schemas.participant_events import CHAT, PRESENCE
from schemas.records import OutputKind, UtteranceStatus
from tests.soak.expected import CHANGES, SIDE_STEPS, Expected


def differences(expected: Expected, told: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was lost, told twice under two keys, told differently or out of order. `told` has the bodies in order."""
    first: dict[str, Mapping[str, Any]] = {}
    unlike = sum(first.setdefault(body["idempotency_key"], body) != body for body in told)
    news = list(first.values())
    first_engine = expected.engines[0]
    items = [part for part in expected.utterances if part.kind is OutputKind.ITEM and part.engine == first_engine]
    said = [
        part.utterance_id for part in items if part.status is UtteranceStatus.FINAL and (part.text or part.withdraws)
    ]
    came = [part.event_id for part in expected.events if part.event in PRESENCE]
    wrote = [chat_messages.revised(part.event_id).message_id for part in expected.events if part.event in CHAT]
    sides = [(side, str(step)) for side in sorted(expected.sides) for step in SIDE_STEPS]
    trigger = "async_transcription.state_change"
    steps = sorted(zip(_all(news, trigger, "id"), _all(news, trigger, "state"), strict=True), key=itemgetter(0))
    sequences = [body["sequence"] for body in news]
    return [
        *([f"webhooks: {unlike} repeated with another body"] if unlike else []),
        *([f"webhooks: not in order: {sequences}"] if sequences != list(range(len(news))) else []),
        *_unlike("states", [step[2] for step in CHANGES], _all(news, "bot.state_change", "new_state")),
        *_unlike("utterances", sorted(said), sorted(_all(news, "transcript.update", "segment_id"))),
        *_unlike("participant events", sorted(came), sorted(_all(news, "participant_events.join_leave", "id"))),
        *_unlike("side transcripts", sides, steps),
        *_unlike("chat", sorted(wrote), sorted(_all(news, "chat_messages.update", "id"))),
    ]


def _all(news: Sequence[Mapping[str, Any]], trigger: str, key: str) -> list[str]:
    return [body["data"][key] for body in news if body["trigger"] == trigger]


def _unlike(what: str, wanted: Sequence[Hashable], told: Sequence[Hashable]) -> list[str]:
    if told == wanted:
        return []
    lost, more = set(wanted) - set(told), set(told) - set(wanted)
    return [f"webhooks: {what}: {len(told)} told, expected {len(wanted)}; {len(lost)} lost, {len(more)} foreign"]
