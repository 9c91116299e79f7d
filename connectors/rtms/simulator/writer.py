"""Writes the script of a meeting from a seed and a length, and nothing else: the same two numbers, the same meeting.

The readings are dealt to the people in turns, round after round until the time is up. The latecomer reads the other
book than those he interrupts, so that overlapping voices differ.
"""

import random
from dataclasses import dataclass

from connectors.rtms.protocol.codes import ChatOperation
from connectors.rtms.simulator.people import Cast, Role
from connectors.rtms.simulator.script import ChatLine, Script, Span, Turn

BEAT_MS = 2_000
"""A flash and a beep at every multiple of this."""

_TAIL_MS = 900
"""Nobody speaks at the very end."""

_REACTION_MS = 400
"""How long Zoom takes to call a new voice the active speaker."""

SHORTEST_S = 10


@dataclass(frozen=True, slots=True)
class _Line:
    """A turn before it has a time; `gap_ms` after the previous one's end, negative to interrupt."""

    role: Role
    reading: str
    first: int
    last: int
    gap_ms: int


_ROUND = (
    _Line(Role.HOST, "two_cities", 0, 0, 1_500),
    _Line(Role.READER, "two_cities", 1, 2, 1_500),
    _Line(Role.HOST, "two_cities", 3, 4, 1_400),
    _Line(Role.LATECOMER, "beckett", 0, 1, -1_300),
    _Line(Role.READER, "two_cities", 5, 6, 1_600),
    _Line(Role.HOST, "two_cities", 7, 7, 1_400),
    _Line(Role.LATECOMER, "beckett", 2, 3, -1_100),
    _Line(Role.READER, "two_cities", 8, 8, 1_500),
    _Line(Role.HOST, "two_cities", 9, 10, 1_500),
    _Line(Role.READER, "two_cities", 11, 11, 1_400),
    _Line(Role.LATECOMER, "beckett", 4, 5, 1_600),
    _Line(Role.HOST, "two_cities", 12, 12, 1_300),
)
_SWAPPED = {Role.HOST: Role.READER, Role.READER: Role.HOST}


def write(seed: int, seconds: int) -> Script:
    """The meeting of that seed and length; ValueError below ten seconds, when nobody would get to speak."""
    if seconds < SHORTEST_S:
        raise ValueError(f"a meeting lasts at least {SHORTEST_S} seconds, not {seconds}")
    length_ms = seconds * 1000
    cast = Cast.choose(seed)
    turns = _turns(cast, random.Random(seed), length_ms)  # noqa: S311 - repeatable on purpose, and no secret
    presences = _presences(cast, turns, length_ms)
    return Script(
        seed=seed,
        length_ms=length_ms,
        cast=cast,
        turns=turns,
        presences=presences,
        cameras=_cameras(cast, turns, presences),
        speakers=speakers(cast.having(Role.HOST).user_id, turns, length_ms),
        shares=_shares(cast, length_ms),
        chat=_chat(cast, presences, length_ms),
        beats=beats(length_ms),
    )


def _turns(cast: Cast, dice: random.Random, length_ms: int) -> tuple[Turn, ...]:
    """Rounds of the readings, every second one with the readers swapped, as far as the time goes."""
    turns: list[Turn] = []
    end_ms, number = 0, 0
    while True:
        line = _ROUND[number % len(_ROUND)]
        swapped = number // len(_ROUND) % 2 == 1
        role = _SWAPPED.get(line.role, line.role) if swapped else line.role
        start_ms = end_ms + line.gap_ms + dice.randrange(-250, 251)
        turn = Turn(cast.having(role).user_id, start_ms, line.reading, line.first, line.last)
        if turn.end_ms > length_ms - _TAIL_MS:
            return tuple(turns)
        turns.append(turn)
        end_ms = max(end_ms, turn.end_ms)
        number += 1


def _own(turns: tuple[Turn, ...], user_id: int) -> list[Turn]:
    return [turn for turn in turns if turn.user_id == user_id]


def _presences(cast: Cast, turns: tuple[Turn, ...], length_ms: int) -> tuple[Span, ...]:
    """The latecomer arrives shortly before speaking, the listener leaves early, the others stay throughout."""
    late = _own(turns, cast.having(Role.LATECOMER).user_id)
    joined_ms = max(1_000, late[0].start_ms - 3_000) if late else length_ms // 2
    starts = {Role.LATECOMER: joined_ms, Role.LISTENER: length_ms // 20}
    ends = {Role.LISTENER: length_ms * 4 // 5}
    spans = [Span(p.user_id, starts.get(p.role, 0), ends.get(p.role, length_ms)) for p in cast]
    return tuple(sorted(spans, key=lambda span: span.start_ms))


def _cameras(cast: Cast, turns: tuple[Turn, ...], presences: tuple[Span, ...]) -> tuple[Span, ...]:
    """The reader's camera goes off in the middle of a turn and on again in the next one; the listener has none."""
    spans: list[Span] = []
    for presence in presences:
        role = cast.named(presence.user_id).role
        if role in (Role.LISTENER, Role.BEACON):
            continue
        start_ms = presence.start_ms + (900 if role is Role.LATECOMER else 0)
        own = _own(turns, presence.user_id)
        if role is Role.READER and len(own) >= 2:
            spans.append(Span(presence.user_id, start_ms, own[1].start_ms + 1_700))
            start_ms = own[2].start_ms + 1_300 if len(own) >= 3 else own[1].end_ms + 1_000
        spans.append(Span(presence.user_id, start_ms, presence.end_ms))
    return tuple(sorted(spans, key=lambda span: span.start_ms))


def beats(length_ms: int) -> tuple[int, ...]:
    """When the beacon beeps in a meeting of that length."""
    return tuple(range(BEAT_MS, length_ms - BEAT_MS // 4, BEAT_MS))


def speakers(first: int, turns: tuple[Turn, ...], length_ms: int) -> tuple[Span, ...]:
    """`first` until somebody speaks; then whoever speaks, but nobody takes over while the one before still speaks."""
    changes = [(0, first)]
    silent_from_ms = 0
    for turn in turns:
        at_ms = max(turn.start_ms + _REACTION_MS, silent_from_ms + _REACTION_MS // 2)
        if turn.user_id != changes[-1][1]:
            changes.append((at_ms, turn.user_id))
        silent_from_ms = turn.end_ms
    ends = [at_ms for at_ms, _ in changes[1:]] + [length_ms]
    return tuple(Span(user_id, at_ms, end) for (at_ms, user_id), end in zip(changes, ends, strict=True))


def _shares(cast: Cast, length_ms: int) -> tuple[Span, ...]:
    return (Span(cast.having(Role.HOST).user_id, length_ms * 11 // 20, length_ms * 14 // 20),)


def _chat(cast: Cast, presences: tuple[Span, ...], length_ms: int) -> tuple[ChatLine, ...]:
    """A greeting, a reply, a correction, a reaction and something taken back."""
    host, late = cast.having(Role.HOST).user_id, cast.having(Role.LATECOMER).user_id
    listener = cast.having(Role.LISTENER).user_id
    joined_ms = next(span.start_ms for span in presences if span.user_id == late)
    lines = (
        ChatLine(length_ms // 10, listener, ChatOperation.NEW, "m1", "Good morning. I am only listening today."),
        ChatLine(joined_ms + 800, late, ChatOperation.NEW, "m2", "Sorry, my train was late – what did I miss?"),
        ChatLine(joined_ms + 2_400, host, ChatOperation.NEW, "m3", "The best of times. And the worst.", "m2"),
        ChatLine(joined_ms + 3_600, listener, ChatOperation.ADD_REACTION, "m3", "👍"),
        ChatLine(length_ms * 3 // 5, host, ChatOperation.NEW, "m4", "Slides: https://exmaple.org/two-cities"),
        ChatLine(length_ms * 13 // 20, host, ChatOperation.UPDATE, "m4", "Slides: https://example.org/two-cities"),
        ChatLine(length_ms * 7 // 10, listener, ChatOperation.NEW, "m5", "Wrong window, never mind."),
        ChatLine(length_ms * 18 // 25, listener, ChatOperation.DELETE, "m5", ""),
    )
    return tuple(sorted((line for line in lines if line.at_ms < length_ms), key=lambda line: line.at_ms))
