"""The one place where pictures are encoded: a fresh encoder for each run of them, with one thread. The same pictures,
the same bytes."""

from fractions import Fraction

import av
from av.video.frame import PictureType

from processors.muxing.h264 import AccessUnit, Size, access_unit, kind, length_prefixed

_SEI = 6
_MS = Fraction(1, 1000)
_PARAMETER_SETS_ID = 30
"""Like those of black, an id that the pictures of a stream hardly use."""

_TUNING = (
    f"keyint=infinite:scenecut=0:bframes=0:threads=1:repeat-headers=1:sps-id={_PARAMETER_SETS_ID}"
    ":vbv-maxrate={kbit}:vbv-bufsize={kbit}"
)
"""With the last two no segment can outgrow a record."""


class Encoder:
    """Of one run of pictures of one size; `fps` is how many there are about, `kbit_per_s` the most that they take."""

    def __init__(self, size: Size, fps: int, kbit_per_s: int) -> None:
        self.size = size
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = size.width, size.height, "yuv420p"
        context.time_base, context.framerate = _MS, Fraction(fps)
        tuning = _TUNING.format(kbit=kbit_per_s)
        context.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "23", "x264-params": tuning}
        self._context = context

    def encode(self, frame: av.VideoFrame, at_ms: int) -> AccessUnit:
        """The next picture, the first one as a key frame with its parameter sets."""
        frame.pts, frame.time_base, frame.pict_type = at_ms, _MS, PictureType.NONE
        (packet,) = self._context.encode(frame)
        return access_unit(bytes(packet))


def sample(unit: AccessUnit) -> bytes:
    """An encoded picture as an MP4 holds it."""
    return length_prefixed(nal for nal in unit.nals if kind(nal) != _SEI)
