"""Whether a recording is one: it must decode without complaint and hold every picture."""

import io
from pathlib import Path

import av
import av.container


class Broken(AssertionError):
    """A figure for a recording that is not whole would mean nothing."""


def check_pictures(source: bytes | Path, wanted: int) -> None:
    """Raises Broken unless every picture is there."""
    with _opened(source) as container:
        found = sum(packet.size > 0 for packet in container.demux(video=0))
    if found != wanted:
        raise Broken(f"{found} pictures of {wanted}")


def check_decodes(source: bytes | Path, wanted: int) -> None:
    """Raises Broken unless every picture is there and the decoders like it all, sound included."""
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as complaints, _opened(source) as container:
            found, sound_s = 0, 0.0
            for frame in container.decode(video=0, audio=0):
                found += isinstance(frame, av.VideoFrame)
                sound_s += frame.samples / frame.sample_rate if isinstance(frame, av.AudioFrame) else 0
    except av.FFmpegError as error:
        raise Broken(f"the decoder gives up: {type(error).__name__}") from error
    finally:
        av.logging.set_level(None)
    errors = [text.strip() for level, _, text in complaints if level <= av.logging.WARNING]
    if errors or found != wanted or sound_s <= 0:
        raise Broken(f"{found} pictures of {wanted}, {sound_s:.1f} s of sound, the decoder says {errors[:3]}")


def _opened(source: bytes | Path) -> av.container.InputContainer:
    return av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r")
