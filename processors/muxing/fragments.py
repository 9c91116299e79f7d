"""One segment of a recording as fragmented MP4: the header that every player needs first, and the media itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from processors.muxing.audio import FRAME, decoder_config
from processors.muxing.black import black_picture
from processors.muxing.boxes import (
    AUDIO_TRACK,
    VIDEO_TIMESCALE,
    VIDEO_TRACK,
    audio_track,
    box,
    file_type,
    full_box,
    i32,
    movie,
    u32,
    u64,
    video_track,
)
from processors.muxing.h264 import Size
from processors.muxing.parameters import size_of
from processors.muxing.pictures import ShownPicture

SAMPLE_BYTES = 16
"""What a fragment's header says of each picture."""

_MDAT_HEADER_BYTES = 8
_TICKS_PER_MS = VIDEO_TIMESCALE // 1000
_KEY_SAMPLE = 0x02000000
_OTHER_SAMPLE = 0x01010000
_BASE_IS_MOOF = 0x020000
_DEFAULT_DURATION, _DEFAULT_FLAGS = 0x08, 0x20
_OFFSET, _DURATION, _SIZE, _FLAGS, _SHIFT = 0x1, 0x100, 0x200, 0x400, 0x800


@dataclass(frozen=True, slots=True)
class AudioRun:
    """AAC packets one after the other; `start` counts samples from the recording's origin."""

    start: int
    packets: Sequence[bytes]


def sound_header(rate_hz: int) -> bytes:
    """`ftyp` and `moov` of a recording that is sound alone."""
    return file_type() + movie(b"", audio_track(decoder_config(rate_hz), rate_hz))


def picture_header(parameters: Sequence[bytes], fallback: Size) -> bytes:
    """`ftyp` and `moov` of pictures alone."""
    return file_type() + movie(_video_track(parameters, fallback), b"")


def header(parameters: Sequence[bytes], fallback: Size, rate_hz: int) -> bytes:
    """`ftyp` and `moov`."""
    return file_type() + movie(_video_track(parameters, fallback), audio_track(decoder_config(rate_hz), rate_hz))


def _video_track(parameters: Sequence[bytes], fallback: Size) -> bytes:
    """The parameter sets of black pictures are declared beside the stream's own."""
    size = size_of(parameters, fallback)
    black = black_picture(size, 0)
    return video_track([*parameters, black.sps, black.pps], size)


def fragment(number: int, pictures: Sequence[ShownPicture], audio: AudioRun, origin_ms: int, end_ms: int) -> bytes:
    """`moof` and `mdat`; the last picture is held until `end_ms`. Either kind of media may be missing."""
    first = len(_fragment_header(number, pictures, audio, origin_ms, end_ms, 0)) + _MDAT_HEADER_BYTES
    head = _fragment_header(number, pictures, audio, origin_ms, end_ms, first)
    return head + box(b"mdat", *(picture.data for picture in pictures), *audio.packets)


def _fragment_header(
    number: int, pictures: Sequence[ShownPicture], audio: AudioRun, origin_ms: int, end_ms: int, first: int
) -> bytes:
    tracks = []
    if pictures:
        tracks.append(_video_run(pictures, origin_ms, end_ms, first))
    if audio.packets:
        tracks.append(_audio_run(audio, first + sum(len(picture.data) for picture in pictures)))
    return box(b"moof", full_box(b"mfhd", 0, 0, u32(number)), *tracks)


def _video_run(pictures: Sequence[ShownPicture], origin_ms: int, end_ms: int, offset: int) -> bytes:
    following = [picture.decode_ms for picture in pictures[1:]] + [max(end_ms, pictures[-1].decode_ms + 1)]
    samples = [
        u32((next_ms - picture.decode_ms) * _TICKS_PER_MS)
        + u32(len(picture.data))
        + u32(_KEY_SAMPLE if picture.is_key else _OTHER_SAMPLE)
        + i32((picture.time_ms - picture.decode_ms) * _TICKS_PER_MS)
        for picture, next_ms in zip(pictures, following, strict=True)
    ]
    return box(
        b"traf",
        full_box(b"tfhd", 0, _BASE_IS_MOOF, u32(VIDEO_TRACK)),
        full_box(b"tfdt", 1, 0, u64((pictures[0].decode_ms - origin_ms) * _TICKS_PER_MS)),
        full_box(
            b"trun", 1, _OFFSET | _DURATION | _SIZE | _FLAGS | _SHIFT, u32(len(samples)), i32(offset), *samples
        ),
    )  # fmt: skip


def _audio_run(audio: AudioRun, offset: int) -> bytes:
    defaults = u32(FRAME) + u32(_KEY_SAMPLE)
    sizes = b"".join(u32(len(packet)) for packet in audio.packets)
    return box(
        b"traf",
        full_box(b"tfhd", 0, _BASE_IS_MOOF | _DEFAULT_DURATION | _DEFAULT_FLAGS, u32(AUDIO_TRACK), defaults),
        full_box(b"tfdt", 1, 0, u64(audio.start)),
        full_box(b"trun", 0, _OFFSET | _SIZE, u32(len(audio.packets)), i32(offset), sizes),
    )  # fmt: skip
