"""What a recording has beside itself, as far as it is cut: how many segments each track has, and what its film shows.

A participant's track has a segment for every stretch that would sound of him in any of its frames, the film of shared
screens one for every stretch in which a screen is seen or goes dark. Between these there is silence, or black: whoever
makes a file of a track fills in the silence, and the last black picture is shown on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from processors.muxing import audio, pictures
from processors.muxing.chains import NEVER_MS, PATIENCE_MS, Chain, SentPicture
from processors.muxing.h264 import Size
from processors.muxing.mixing import Chunk, sample_at
from processors.muxing.parameters import size_of
from processors.muxing.pictures import Shared, Shown, ShownPicture, Stretch
from schemas import tracks as names
from schemas.records import Audio, Codec


@dataclass(frozen=True, slots=True)
class Tracks:
    """`counts` says how many segments each track has. `is_crowded`: somebody was heard who has none.

    Of the film `screens` is what the shared pictures leave behind, `dark` what the black between them does.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    is_crowded: bool = False
    screens: Chain = Chain()
    dark: Chain = Chain()

    def with_segments(self, added: Mapping[str, int]) -> Self:
        return replace(
            self, counts={**self.counts, **{name: self.counts.get(name, 0) + n for name, n in added.items()}}
        )

    def with_film(self, shown: Shown, segments: int) -> Self:
        after = self.with_segments({names.SHARE: segments}) if segments else self
        return replace(after, screens=shown.share, dark=shown.chain)

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "is_crowded": self.is_crowded,
            "screens": self.screens.to_json(),
            "dark": self.dark.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            counts=value["counts"],
            is_crowded=value["is_crowded"],
            screens=Chain.from_json(value["screens"]),
            dark=Chain.from_json(value["dark"]),
        )


class Heard(NamedTuple):
    """Whose tracks have a segment of a stretch, in order, and the tracks as of its end."""

    participants: tuple[int, ...]
    tracks: Tracks


def hear(tracks: Tracks, chunks: Iterable[Chunk], start_ms: int, end_ms: int, rate_hz: int) -> Heard:
    """A frame sounds of its own samples and of the next one's: outside of what is written here, all are silent.

    A microphone that is open in a silent room, and sends nothing but zeros, is not heard.
    """
    frames = audio.frames_between(sample_at(start_ms, rate_hz), sample_at(end_ms, rate_hz))
    first, end = frames.start * audio.FRAME, (frames.stop + 1) * audio.FRAME
    within = [c.record for c in chunks if frames and c.start < end and first < c.start + c.length]
    heard = {record.participant_id for record in within if not _is_silent(record)}
    known = {who for who in heard if names.of_participant(who) in tracks.counts}
    room = names.MAX_PARTICIPANTS - sum(name != names.SHARE for name in tracks.counts)
    new = sorted(heard - known - {names.NOBODY})
    participants = tuple(sorted([*known, *new[:room]]))
    after = tracks.with_segments({names.of_participant(who): 1 for who in participants})
    return Heard(participants, replace(after, is_crowded=tracks.is_crowded or len(new) > room))


def _is_silent(record: Audio) -> bool:
    """Surely, without decoding it."""
    return record.codec is Codec.L16 and not record.payload.strip(b"\0")


def film(tracks: Tracks, sent: Sequence[SentPicture], stretch: Stretch, fallback: Size) -> Shown:
    """What the film of shared screens shows; without a picture it has no segment.

    Its first segment begins with black or is of the recording's first stretch: whoever makes a film shows the first
    picture from the recording's origin on, however long that is.
    """
    before = tracks.screens
    dark = tracks.dark._replace(parameters=before.parameters)
    shown = pictures.show(dark, (), stretch, fallback, Shared(before, tuple(sent)))
    was_seen = before.shown_ms != NEVER_MS and before.shown_ms + PATIENCE_MS >= stretch.start_ms
    if not (was_seen or shown.share.shown_ms > before.shown_ms):
        return replace(shown, pictures=(), chain=tracks.dark)
    if names.SHARE in tracks.counts or stretch.is_first:
        return shown
    before_ms = stretch.start_ms - 1
    black = pictures.black_sample(size_of(shown.parameters, fallback), before_ms)
    return replace(shown, pictures=(ShownPicture(before_ms, before_ms, True, black), *shown.pictures))
