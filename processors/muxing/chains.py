"""Which pictures can be shown: a fold over those of one source, cameras or shared screens, in the order they were sent.

A picture that builds on others can be shown only if the chain of pictures since the last key frame is unbroken: after a
gap, a change of speaker or a new connection everything up to the next key frame is dropped. While a screen is shared,
that is shown and the cameras are not, which breaks their chain, too. A still builds on nothing.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Self

from processors.checkpoint.folds import known_fields
from processors.muxing.h264 import AccessUnit, access_unit
from processors.muxing.parameters import in_force, is_complete
from processors.muxing.stills import CODECS as STILL_CODECS
from processors.muxing.stills import Still, still
from schemas.records import Codec

GAP_MS = 700
"""Without a picture of a camera for longer than this, the last one is not shown on."""

HOLD_MS = 40
"""How long a picture before a gap is shown."""

PATIENCE_MS = 2000
"""Stills and shared screens come seldom, once a second at best: each is shown on for so long."""

COVER_MS = 1500
"""For so long after its last picture a shared screen keeps the cameras away."""

NEVER_MS = -1


class SentPicture(NamedTuple):
    """A picture as it was recorded: where it stood in its stream, whose it is and when it was taken."""

    epoch: int
    sequence: int
    participant_id: int
    time_ms: int
    data: bytes
    codec: Codec = Codec.H264


class Chain(NamedTuple):
    """What the pictures of the cameras, or of shared screens, leave behind so far; a tuple, because a new one is made
    for every picture.

    `epoch` and `sequence` are of the last picture that was looked at, `shown_ms` is the time of the last one shown
    (black does not count), `decode_ms` the last decoding time given out. `speaker` is whose chain is unbroken, None
    after a break. `parameters` are the stream's parameter sets in force. `is_patient`: the last one is shown on for
    long. The rest counts.
    """

    epoch: int = -1
    sequence: int = -1
    shown_ms: int = NEVER_MS
    decode_ms: int = NEVER_MS
    speaker: int | None = None
    parameters: tuple[bytes, ...] = ()
    dropped: int = 0
    bidirectional: int = 0
    is_patient: bool = False

    def broken(self, dropped: int = 1) -> Self:
        """With pictures left out: what builds on them cannot be shown."""
        return self._replace(speaker=None, dropped=self.dropped + dropped)

    def paused(self, end_ms: int) -> Self:
        """As of the end of a recording's part that nothing follows for now: no picture is shown on behind it."""
        if not self.is_patient or self.shown_ms == NEVER_MS:
            return self
        return self._replace(shown_ms=max(self.shown_ms, end_ms - HOLD_MS), is_patient=False)

    def to_json(self) -> dict[str, Any]:
        return self._asdict() | {"parameters": [nal.hex() for nal in self.parameters]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        parameters = tuple(map(bytes.fromhex, value["parameters"]))
        return cls(**known_fields(cls._fields, value) | {"parameters": parameters})


class Accepted(NamedTuple):
    time_ms: int
    picture: AccessUnit | Still
    parameters: tuple[bytes, ...]
    is_patient: bool


class Taken(NamedTuple):
    """What can be shown of one source, in a stretch and behind it; `chain` is as of its end."""

    chain: Chain
    inside: list[Accepted]
    beyond: list[Accepted]


class Rule(NamedTuple):
    """How one source's pictures are taken; `covers` are the times of another's that hide them."""

    is_share: bool = False
    covers: tuple[int, ...] = ()

    def hides(self, time_ms: int) -> bool:
        return any(0 <= time_ms - cover <= COVER_MS for cover in self.covers if cover != NEVER_MS)


def take(chain: Chain, sent: Iterable[SentPicture], end_ms: int, rule: Rule) -> Taken:
    """The chain after the stretch, what can be shown of it, and what can be shown afterwards: of cameras the first."""
    waiting = sorted(p for p in sent if (p.epoch, p.sequence) > (chain.epoch, chain.sequence))
    inside: list[Accepted] = []
    beyond: list[Accepted] = []
    at_end: Chain | None = None
    for picture in waiting:
        if at_end is None and picture.time_ms >= end_ms:
            at_end = chain
        if beyond and not rule.is_share:
            break
        chain, accepted = _step(chain, picture, rule)
        if accepted:
            (inside if at_end is None else beyond).append(accepted)
    return Taken(chain if at_end is None else at_end, inside, beyond)


def _step(chain: Chain, sent: SentPicture, rule: Rule) -> tuple[Chain, Accepted | None]:
    if sent.codec in STILL_CODECS:
        return _still_step(chain._replace(epoch=sent.epoch, sequence=sent.sequence), sent, rule)
    is_new_epoch, unit = sent.epoch != chain.epoch, access_unit(sent.data)
    parameters = in_force(chain.parameters, unit.parameters)
    chain = chain._replace(epoch=sent.epoch, sequence=sent.sequence, parameters=parameters)
    if not unit.has_picture:
        return chain, None
    if rule.hides(sent.time_ms):
        return chain.broken(0), None
    gap_ms = PATIENCE_MS if rule.is_share else GAP_MS
    is_unbroken = not is_new_epoch and chain.speaker == sent.participant_id and sent.time_ms - chain.shown_ms <= gap_ms
    if not (is_complete(parameters) and (unit.is_idr or is_unbroken)):
        return chain.broken(), None
    chain = chain._replace(
        shown_ms=_shown_ms(chain, sent),
        is_patient=rule.is_share,
        speaker=sent.participant_id,
        bidirectional=chain.bidirectional + unit.is_bidirectional,
    )
    return chain, Accepted(sent.time_ms, unit, parameters, rule.is_share)


def _still_step(chain: Chain, sent: SentPicture, rule: Rule) -> tuple[Chain, Accepted | None]:
    """Nothing builds on a still."""
    chain = chain.broken(0)
    if rule.hides(sent.time_ms):
        return chain, None
    picture = still(sent.codec, sent.data)
    if picture is None:
        return chain.broken(), None
    chain = chain._replace(shown_ms=_shown_ms(chain, sent), is_patient=True)
    return chain, Accepted(sent.time_ms, picture, (), True)


def _shown_ms(chain: Chain, sent: SentPicture) -> int:
    return sent.time_ms if chain.shown_ms == NEVER_MS else max(chain.shown_ms, sent.time_ms)


def merged(cameras: Sequence[Accepted], screens: Sequence[Accepted]) -> list[Accepted]:
    """Both in one order. Pictures of one source stay in theirs, in which they are decoded."""
    if not screens:
        return list(cameras)
    reached = accumulate((picture.time_ms for picture in cameras), max)
    keyed = [(time_ms, picture) for time_ms, picture in zip(reached, cameras, strict=True)]
    keyed += [(picture.time_ms, picture) for picture in screens]
    return [picture for _, picture in sorted(keyed, key=lambda row: row[0])]
