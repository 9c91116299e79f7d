"""The boxes of ISO base media files (ISO 14496-12, -14, -15), as far as a recording needs them.

Written here rather than by a muxing library, because a replay must yield the same bytes: a box holds what it is given
and nothing else, no creation time, no version of anything.
"""

from collections.abc import Sequence

from processors.muxing import h264
from processors.muxing.h264 import Nal, Size, kind

VIDEO_TRACK = 1
AUDIO_TRACK = 2
VIDEO_TIMESCALE = 90_000

_MATRIX = b"".join(n.to_bytes(4, "big") for n in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
_LANGUAGE_UNDETERMINED = 0x55C4
_HIGH_PROFILES = frozenset({100, 110, 122, 144})


def u8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def i32(value: int) -> bytes:
    return value.to_bytes(4, "big", signed=True)


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def box(name: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return u32(8 + len(body)) + name + body


def full_box(name: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    return box(name, u32(version << 24 | flags), *contents)


def file_type() -> bytes:
    return box(b"ftyp", b"iso5", u32(512), b"iso5iso6mp41")


def movie(video: bytes, audio: bytes) -> bytes:
    """`moov` of a fragmented file with the two tracks' `trak` boxes, one of which may be missing."""
    header = full_box(
        b"mvhd", 0, 0, u32(0) * 2, u32(1000), u32(0), u32(0x10000), u16(0x100), bytes(10), _MATRIX, bytes(24), u32(3)
    )
    tracks = [number for number, there in ((VIDEO_TRACK, video), (AUDIO_TRACK, audio)) if there]
    extends = [full_box(b"trex", 0, 0, u32(track), u32(1), u32(0) * 3) for track in tracks]
    return box(b"moov", header, video, audio, box(b"mvex", *extends))


def video_track(parameters: Sequence[bytes], size: Size) -> bytes:
    """`trak` of H.264 pictures; all of `parameters` are declared, more may stand within the samples."""
    entry = box(
        b"avc1",
        bytes(6), u16(1), bytes(16), u16(size.width), u16(size.height), u32(0x480000), u32(0x480000), bytes(4),
        u16(1), bytes(32), u16(24), u16(0xFFFF), _avc_configuration(parameters),
    )  # fmt: skip
    media_header = full_box(b"vmhd", 0, 1, bytes(8))
    shape = u32(size.width << 16) + u32(size.height << 16)
    return _track(VIDEO_TRACK, VIDEO_TIMESCALE, b"vide", shape, media_header, entry)


def audio_track(decoder_config: bytes, rate_hz: int) -> bytes:
    """`trak` of AAC packets, one channel; times count samples."""
    entry = box(
        b"mp4a", bytes(6), u16(1), bytes(8), u16(1), u16(16), bytes(4), u32(rate_hz << 16), _elementary(decoder_config)
    )
    return _track(AUDIO_TRACK, rate_hz, b"soun", bytes(8), full_box(b"smhd", 0, 0, bytes(4)), entry)


def _track(number: int, timescale: int, handler: bytes, shape: bytes, media_header: bytes, entry: bytes) -> bytes:
    is_audio = handler == b"soun"
    header = full_box(
        b"tkhd", 0, 3, u32(0) * 2, u32(number), u32(0) * 2, bytes(8), u16(0), u16(0), u16(0x100 * is_audio), u16(0),
        _MATRIX, shape,
    )  # fmt: skip
    tables = [full_box(name, 0, 0, u32(0)) for name in (b"stts", b"stsc")]
    tables += [full_box(b"stsz", 0, 0, u32(0) * 2), full_box(b"stco", 0, 0, u32(0))]
    reference = box(b"dinf", full_box(b"dref", 0, 0, u32(1), full_box(b"url ", 0, 1)))
    description = full_box(b"stsd", 0, 0, u32(1), entry)
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, u32(0) * 2, u32(timescale), u32(0), u16(_LANGUAGE_UNDETERMINED), u16(0)),
        full_box(b"hdlr", 0, 0, u32(0), handler, bytes(12), b"\0"),
        box(b"minf", media_header, reference, box(b"stbl", description, *tables)),
    )
    return box(b"trak", header, media)


def _avc_configuration(parameters: Sequence[bytes]) -> bytes:
    """Speaks for the first sequence parameter set, declares all of them."""
    sets = [nal for nal in parameters if kind(nal) == Nal.SPS]
    pictures = [nal for nal in parameters if kind(nal) == Nal.PPS]
    first = sets[0]
    contents = [b"\1", first[1:4], b"\xff", u8(0xE0 | len(sets))]
    contents += [u16(len(nal)) + nal for nal in sets]
    contents += [u8(len(pictures)), *(u16(len(nal)) + nal for nal in pictures)]
    described = h264.sequence(first)
    if described.profile in _HIGH_PROFILES:
        contents.append(u8(0xFC | described.chroma_format))
        contents += [u8(0xF8 | described.luma_depth - 8), u8(0xF8 | described.chroma_depth - 8), u8(0)]
    return box(b"avcC", *contents)


def _elementary(decoder_config: bytes) -> bytes:
    config = b"\5" + u8(len(decoder_config)) + decoder_config
    decoder = b"\x40\x15" + bytes(11) + config
    stream = u16(AUDIO_TRACK) + b"\0" + b"\4" + u8(len(decoder)) + decoder + b"\6\1\2"
    return full_box(b"esds", 0, 0, b"\3", u8(len(stream)), stream)
