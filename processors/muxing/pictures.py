"""What a stretch of the recording shows, and when: pictures that can be shown, and black.

Where nothing is shown for long, black is: right after the last picture and then at every even second of Zoom's time, so
that every part of a gap can be played by itself, and where a recording goes on after a pause. All of it depends on the
chains so far and the pictures of the stretch (and a little beyond), so it does not matter which stretch is asked for by
whom.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Self

from processors.muxing.black import black_picture
from processors.muxing.chains import (
    GAP_MS,
    HOLD_MS,
    NEVER_MS,
    PATIENCE_MS,
    Accepted,
    Chain,
    Rule,
    SentPicture,
    merged,
    take,
)
from processors.muxing.h264 import AccessUnit, Size, length_prefixed
from processors.muxing.parameters import is_complete, size_of
from processors.muxing.stills import Still
from schemas.records import Codec

BLACK_EVERY_MS = 2000
_BETWEEN = 2
"""The parity of a black picture at another time."""


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture of the recording; `data` is an MP4 sample or, by its codec, a still that will become one.

    `decode_ms` grows by at least 1 from picture to picture.
    """

    time_ms: int
    decode_ms: int
    is_key: bool
    data: bytes
    codec: Codec = Codec.H264


class Stretch(NamedTuple):
    """A part of the recording's time, [start_ms, end_ms); `is_first` where nothing comes before it, `resumes` where
    what does was written when nobody knew that anything would follow."""

    start_ms: int
    end_ms: int
    is_first: bool
    resumes: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared screens: their chain, and what was sent of them."""

    chain: Chain = Chain()
    sent: tuple[SentPicture, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures of a stretch, in decoding order. `parameters` are those of the first one that is not black.

    The last one is shown until `until_ms`, which may lie behind the stretch's end. `share` is the screens' chain.
    """

    pictures: tuple[ShownPicture, ...]
    parameters: tuple[bytes, ...]
    chain: Chain
    share: Chain = Chain()
    until_ms: int = 0

    @property
    def dropped(self) -> int:
        return self.chain.dropped + self.share.dropped

    def without_last(self, count: int) -> Self:
        """With that many pictures left out at the end: what builds on them cannot be shown."""
        return replace(self, chain=self.chain.broken(count), share=self.share.broken(0))

    def paused(self, end_ms: int) -> Self:
        """At the end of media that nothing follows for now."""
        return replace(self, chain=self.chain.paused(end_ms), share=self.share.paused(end_ms), until_ms=end_ms)


class _Event(NamedTuple):
    """A picture of the recording before it is given its times for good."""

    time_ms: int
    is_key: bool
    data: bytes
    codec: Codec = Codec.H264


class _Last(NamedTuple):
    """When the last picture was shown, and whether it is shown on for long."""

    time_ms: int
    is_patient: bool

    @property
    def hold_ms(self) -> int:
        return PATIENCE_MS if self.is_patient else HOLD_MS

    @property
    def gap_ms(self) -> int:
        return PATIENCE_MS if self.is_patient else GAP_MS


def show(
    chain: Chain, sent: Iterable[SentPicture], stretch: Stretch, fallback: Size, shared: Shared | None = None
) -> Shown:
    """What `stretch` shows.

    `sent` must hold every picture after the chain's last one with a time before `stretch.end_ms + GAP_MS`; what is
    later or older does no harm. `fallback` is the size of black pictures before the stream's own size is known.
    """
    shared = shared or Shared()
    screens = take(shared.chain, shared.sent, stretch.end_ms, Rule(is_share=True))
    covers = [shared.chain.shown_ms, *(p.time_ms for p in [*screens.inside, *screens.beyond])]
    cameras = take(chain, sent, stretch.end_ms, Rule(covers=tuple(covers)))
    inside = merged(cameras.inside, screens.inside)
    beyond = min([*cameras.beyond[:1], *screens.beyond[:1]], key=lambda p: p.time_ms, default=None)
    first = inside[0].parameters if inside else chain.parameters
    last = max(_Last(c.shown_ms, c.is_patient) for c in (chain, shared.chain))
    screen = _Screen(stretch, fallback, last, chain.parameters or first)
    events = list(screen.events(inside, beyond))
    is_reordered = any(isinstance(a.picture, AccessUnit) and a.picture.is_bidirectional for a in inside)
    pictures = _timed(events, chain.decode_ms, is_reordered=is_reordered)
    after = cameras.chain
    if pictures:
        after = after._replace(decode_ms=pictures[-1].decode_ms)
    return Shown(tuple(pictures), first, after, screens.chain, screen.until_ms(beyond))


def nothing(chain: Chain, end_ms: int) -> Shown:
    """A stretch that is sound alone."""
    return Shown((), (), chain, until_ms=end_ms)


class _Screen:
    """What is seen in a stretch: pictures, and black between them where they are too far apart."""

    def __init__(self, stretch: Stretch, fallback: Size, last: _Last, parameters: tuple[bytes, ...]) -> None:
        self._stretch = stretch
        self._fallback = fallback
        self._last = last
        self._parameters = parameters
        self._blacks = 0
        self._black_ms = NEVER_MS

    def events(self, inside: Iterable[Accepted], beyond: Accepted | None) -> Iterator[_Event]:
        """In the order of decoding."""
        for picture in inside:
            yield from self._dark(picture.time_ms)
            yield self._shown(picture)
        yield from self._dark(beyond.time_ms if beyond else None)

    def until_ms(self, beyond: Accepted | None) -> int:
        """How long the last of the events is seen: into the next stretch, where nothing is there to follow it yet."""
        last = self._last
        if last.time_ms == NEVER_MS:
            return self._stretch.end_ms
        is_followed = beyond is not None and not self._is_gap(beyond.time_ms)
        until_ms = beyond.time_ms if beyond and is_followed else last.time_ms + last.hold_ms
        return max(until_ms, self._stretch.end_ms)

    def _shown(self, picture: Accepted) -> _Event:
        time_ms, is_first = picture.time_ms, self._last.time_ms == NEVER_MS and not self._blacks
        if self._stretch.is_first and is_first:
            time_ms = self._stretch.start_ms  # the recording begins with a picture, not with nothing
        self._last = max(self._last, _Last(picture.time_ms, picture.is_patient), key=lambda last: last.time_ms)
        if isinstance(picture.picture, Still):
            return _Event(time_ms, True, picture.picture.data, picture.picture.codec)
        self._parameters = picture.parameters
        return _Event(time_ms, picture.picture.is_idr, _sample(picture.picture, picture.parameters))

    def _dark(self, next_ms: int | None) -> Iterator[_Event]:
        """Black up to the next picture, None where none is known."""
        until_ms = self._stretch.end_ms if next_ms is None else min(next_ms, self._stretch.end_ms)
        size = size_of(self._parameters, self._fallback)
        for time_ms in self._black_times(next_ms):
            if time_ms < until_ms:
                is_between = self._stretch.resumes and time_ms == self._stretch.start_ms
                data = _black_sample(size, _BETWEEN) if is_between else black_sample(size, time_ms)
                yield _Event(time_ms, True, data)
                self._blacks += 1

    def _black_times(self, next_ms: int | None) -> Iterator[int]:
        stretch, last_ms = self._stretch, self._last.time_ms
        if next_ms is not None and not self._is_gap(next_ms):
            return
        first_ms = last_ms + self._last.hold_ms
        if last_ms == NEVER_MS and stretch.is_first:
            first_ms = stretch.start_ms
        if first_ms >= stretch.start_ms:
            yield first_ms
        elif stretch.resumes and stretch.start_ms % BLACK_EVERY_MS:
            yield stretch.start_ms  # no picture of the stretch before lasts so long
        yield from black_times(max(first_ms, stretch.start_ms - 1), stretch.end_ms)

    def _is_gap(self, next_ms: int) -> bool:
        stretch = self._stretch
        if self._last.time_ms != NEVER_MS:
            return next_ms - self._last.time_ms > self._last.gap_ms
        return not stretch.is_first or next_ms >= stretch.end_ms or next_ms - stretch.start_ms > GAP_MS


def black_times(after_ms: int, end_ms: int) -> range:
    """When black is repeated behind a time."""
    return range(after_ms // BLACK_EVERY_MS * BLACK_EVERY_MS + BLACK_EVERY_MS, end_ms, BLACK_EVERY_MS)


def black_sample(size: Size, time_ms: int) -> bytes:
    """A black picture for a time. Long gaps share a few of them."""
    return _black_sample(size, time_ms // BLACK_EVERY_MS % 2)


@lru_cache(maxsize=32)
def _black_sample(size: Size, parity: int) -> bytes:
    return length_prefixed(black_picture(size, parity).nals)


def _sample(unit: AccessUnit, parameters: tuple[bytes, ...]) -> bytes:
    """The picture's NAL units; a key frame that does not bring its parameter sets gets those in force."""
    nals = unit.nals
    if unit.is_idr and not is_complete(unit.parameters):
        nals = (*parameters, *nals)
    return length_prefixed(nals)


def _timed(events: Sequence[_Event], decode_ms: int, *, is_reordered: bool) -> list[ShownPicture]:
    """Give every picture its times. Only where pictures are bidirectional may one be shown before its predecessor."""
    times = [event.time_ms for event in events]
    decode_times = list(times)
    if is_reordered:
        for index in range(len(times) - 2, -1, -1):
            decode_times[index] = min(times[index], decode_times[index + 1] - 1)
    pictures = []
    for event, wanted_ms in zip(events, decode_times, strict=True):
        decode_ms = max(wanted_ms, decode_ms + 1)
        time_ms = max(event.time_ms, decode_ms) if is_reordered else decode_ms
        pictures.append(ShownPicture(time_ms, decode_ms, event.is_key, event.data, event.codec))
    return pictures
