"""Makes an MP3 of a recording that is sound alone: decoded, and encoded once more as one piece."""

from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer

_OPTIONS = {"fflags": "bitexact", "id3v2_version": "0"}
_ENCODING = {"compression_level": "2"}
BITS_PER_S = 64_000
_WIDE_BITS_PER_S = 96_000
_WIDE_HZ = 32_000


def write_sound(source: InputContainer, path: Path) -> int:
    """Write the sound of `source`, one channel, to `path`; how many packets it took.

    Raises:
        av.FFmpegError, ValueError: nobody could make anything of it.
        OSError: the file cannot be written.
    """
    (sound,) = source.streams.audio
    if not (rate_hz := _rate_hz(sound)):
        raise ValueError("sound of no kind that is known")
    packets = 0
    with av.open(str(path), "w", "mp3", _OPTIONS) as file:
        made = file.add_stream("libmp3lame", rate=rate_hz, layout="mono", options=_ENCODING)
        made.bit_rate = _WIDE_BITS_PER_S if rate_hz >= _WIDE_HZ else BITS_PER_S
        for frame in chain(source.decode(sound), (None,)):
            for packet in made.encode(frame):
                file.mux(packet)
                packets += 1
    return packets


def _rate_hz(sound: av.AudioStream) -> int:
    """0 where nobody knows it: rubbish has no codec at all."""
    return int(getattr(sound.codec_context, "sample_rate", 0) or 0)
