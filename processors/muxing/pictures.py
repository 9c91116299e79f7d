"""Which pictures a stretch of the recording shows, and when: a fold over the pictures in the order they were sent.

A picture that builds on others is shown only if the chain of pictures since the last key frame is unbroken: after a
gap, a change of speaker or a new connection everything up to the next key frame is dropped. Where nothing is shown for
long, black is: right after the last picture and then at every even second of Zoom's time, so that every part of a gap
can be played by itself. All of it depends on the chain so far and the pictures of the stretch (and a little beyond),
so it does not matter which stretch is asked for by whom.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, Self

from processors.muxing.black import black_picture
from processors.muxing.h264 import AccessUnit, Size, access_unit, length_prefixed
from processors.muxing.parameters import in_force, is_complete, size_of

GAP_MS = 700
"""Without a picture for longer than this, the last one is not shown on."""

HOLD_MS = 40
"""How long a picture before a gap is shown."""

BLACK_EVERY_MS = 2000

NEVER_MS = -1


class SentPicture(NamedTuple):
    """A picture as it was recorded: where it stood in its stream, whose it is and when it was taken."""

    epoch: int
    sequence: int
    participant_id: int
    time_ms: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture of the recording; `data` is an MP4 sample. `decode_ms` grows by at least 1 from picture to picture."""

    time_ms: int
    decode_ms: int
    is_key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """What the pictures so far leave behind.

    `epoch` and `sequence` are of the last picture that was looked at, `shown_ms` is the time of the last one shown
    (black does not count), `decode_ms` the last decoding time given out. `speaker` is whose chain is unbroken, None
    after a break. `parameters` are the stream's parameter sets in force. The rest counts.
    """

    epoch: int = -1
    sequence: int = -1
    shown_ms: int = NEVER_MS
    decode_ms: int = NEVER_MS
    speaker: int | None = None
    parameters: tuple[bytes, ...] = ()
    dropped: int = 0
    bidirectional: int = 0

    def broken(self, dropped: int = 1) -> Self:
        """With pictures left out: what builds on them cannot be shown."""
        return replace(self, speaker=None, dropped=self.dropped + dropped)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"parameters": [nal.hex() for nal in self.parameters]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(**value | {"parameters": tuple(map(bytes.fromhex, value["parameters"]))})


class Stretch(NamedTuple):
    """A part of the recording's time, [start_ms, end_ms); `is_first` where nothing comes before it."""

    start_ms: int
    end_ms: int
    is_first: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures of a stretch, in decoding order. `parameters` are those of the first one that is not black."""

    pictures: tuple[ShownPicture, ...]
    parameters: tuple[bytes, ...]
    chain: Chain


class _Accepted(NamedTuple):
    time_ms: int
    unit: AccessUnit
    parameters: tuple[bytes, ...]


def show(chain: Chain, sent: Iterable[SentPicture], stretch: Stretch, fallback: Size) -> Shown:
    """What `stretch` shows.

    `sent` must hold every picture after the chain's last one with a time before `stretch.end_ms + GAP_MS`; what is
    later or older does no harm. `fallback` is the size of black pictures before the stream's own size is known.
    """
    waiting = iter(sorted(p for p in sent if (p.epoch, p.sequence) > (chain.epoch, chain.sequence)))
    after, accepted, beyond = _accept(chain, waiting, stretch.end_ms)
    first = accepted[0].parameters if accepted else chain.parameters
    known = chain.parameters or first
    events = list(_events(chain, accepted, beyond, stretch, known, fallback))
    is_reordered = any(a.unit.is_bidirectional for a in accepted)
    pictures = _timed(events, chain.decode_ms, is_reordered=is_reordered)
    if pictures:
        after = replace(after, decode_ms=pictures[-1].decode_ms)
    return Shown(tuple(pictures), first, after)


def _accept(
    chain: Chain, waiting: Iterator[SentPicture], end_ms: int
) -> tuple[Chain, list[_Accepted], _Accepted | None]:
    """The chain after the stretch, what can be shown of it, and the first that can be shown afterwards."""
    accepted: list[_Accepted] = []
    for sent in waiting:
        unit = access_unit(sent.data)
        following, is_shown = _step(chain, sent, unit)
        if sent.time_ms >= end_ms:
            return chain, accepted, _first_beyond(following, is_shown, sent, unit, waiting)
        chain = following
        if is_shown:
            accepted.append(_Accepted(sent.time_ms, unit, chain.parameters))
    return chain, accepted, None


def _first_beyond(
    chain: Chain, is_shown: bool, sent: SentPicture, unit: AccessUnit, waiting: Iterator[SentPicture]
) -> _Accepted | None:
    while not is_shown:
        following = next(waiting, None)
        if following is None:
            return None
        sent, unit = following, access_unit(following.data)
        chain, is_shown = _step(chain, sent, unit)
    return _Accepted(sent.time_ms, unit, chain.parameters)


def _step(chain: Chain, sent: SentPicture, unit: AccessUnit) -> tuple[Chain, bool]:
    is_new_epoch = sent.epoch != chain.epoch
    parameters = in_force(chain.parameters, unit.parameters)
    chain = replace(chain, epoch=sent.epoch, sequence=sent.sequence, parameters=parameters)
    if not unit.has_picture:
        return chain, False
    is_unbroken = not is_new_epoch and chain.speaker == sent.participant_id and sent.time_ms - chain.shown_ms <= GAP_MS
    if not (is_complete(parameters) and (unit.is_idr or is_unbroken)):
        return chain.broken(), False
    shown_ms = sent.time_ms if chain.shown_ms == NEVER_MS else max(chain.shown_ms, sent.time_ms)
    bidirectional = chain.bidirectional + unit.is_bidirectional
    return replace(chain, speaker=sent.participant_id, shown_ms=shown_ms, bidirectional=bidirectional), True


def _events(
    chain: Chain,
    accepted: Sequence[_Accepted],
    beyond: _Accepted | None,
    stretch: Stretch,
    known: tuple[bytes, ...],
    fallback: Size,
) -> Iterator[tuple[int, bool, bytes]]:
    """Time, key, sample: in the order of decoding, black between the accepted ones where they are too far apart."""
    last_ms, parameters, blacks = chain.shown_ms, known, 0
    for picture in [*accepted, *([beyond] if beyond else [None])]:
        until_ms = min(picture.time_ms, stretch.end_ms) if picture else stretch.end_ms
        next_ms = picture.time_ms if picture else None
        size = size_of(parameters, fallback)
        for time_ms in _black_times(last_ms, next_ms, stretch):
            if time_ms < until_ms:
                yield time_ms, True, black_sample(size, time_ms)
                blacks += 1
        if picture is None or picture is beyond:
            return
        time_ms = picture.time_ms
        if stretch.is_first and last_ms == NEVER_MS and not blacks:
            time_ms = stretch.start_ms  # the recording begins with a picture, not with nothing
        yield time_ms, picture.unit.is_idr, _sample(picture)
        last_ms, parameters = max(last_ms, picture.time_ms), picture.parameters


def _black_times(last_ms: int, next_ms: int | None, stretch: Stretch) -> Iterator[int]:
    """When black starts between two pictures, within the stretch."""
    if next_ms is not None and not _is_gap(last_ms, next_ms, stretch):
        return
    first_ms = last_ms + HOLD_MS
    if last_ms == NEVER_MS and stretch.is_first:
        first_ms = stretch.start_ms
    if first_ms >= stretch.start_ms:
        yield first_ms
    yield from black_times(max(first_ms, stretch.start_ms - 1), stretch.end_ms)


def black_times(after_ms: int, end_ms: int) -> range:
    """When black is repeated behind a time."""
    return range(after_ms // BLACK_EVERY_MS * BLACK_EVERY_MS + BLACK_EVERY_MS, end_ms, BLACK_EVERY_MS)


def black_sample(size: Size, time_ms: int) -> bytes:
    """A black picture for a time. Long gaps share a few of them."""
    return _black_sample(size, time_ms // BLACK_EVERY_MS % 2)


@lru_cache(maxsize=32)
def _black_sample(size: Size, parity: int) -> bytes:
    return length_prefixed(black_picture(size, parity).nals)


def _is_gap(last_ms: int, next_ms: int, stretch: Stretch) -> bool:
    if last_ms != NEVER_MS:
        return next_ms - last_ms > GAP_MS
    return not stretch.is_first or next_ms >= stretch.end_ms or next_ms - stretch.start_ms > GAP_MS


def _sample(picture: _Accepted) -> bytes:
    """The picture's NAL units; a key frame that does not bring its parameter sets gets those in force."""
    nals = picture.unit.nals
    if picture.unit.is_idr and not is_complete(picture.unit.parameters):
        nals = (*picture.parameters, *nals)
    return length_prefixed(nals)


def _timed(events: Sequence[tuple[int, bool, bytes]], decode_ms: int, *, is_reordered: bool) -> list[ShownPicture]:
    """Give every picture its times. Only where pictures are bidirectional may one be shown before its predecessor."""
    times = [time_ms for time_ms, _, _ in events]
    decode_times = list(times)
    if is_reordered:
        for index in range(len(times) - 2, -1, -1):
            decode_times[index] = min(times[index], decode_times[index + 1] - 1)
    pictures = []
    for (time_ms, is_key, data), wanted_ms in zip(events, decode_times, strict=True):
        decode_ms = max(wanted_ms, decode_ms + 1)
        pictures.append(ShownPicture(max(time_ms, decode_ms) if is_reordered else decode_ms, decode_ms, is_key, data))
    return pictures
