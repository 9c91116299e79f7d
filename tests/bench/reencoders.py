"""What others do with a meeting: decode every picture and encode it again. Run as whole programs from Debian packages.

Each gets the minute in the form that spares it most: pictures as one stream of a known frame rate, sound mixed already.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.meeting import BITS_PER_S, FPS, Minute
from tests.support.spoken import RATE_HZ

_INSPECT = "gst-inspect-1.0"
_PACKAGES = {
    "h264parse": "gstreamer1.0-plugins-bad", "avdec_h264": "gstreamer1.0-libav",
    "textoverlay": "gstreamer1.0-x", "timeoverlay": "gstreamer1.0-x",
    "x264enc": "gstreamer1.0-plugins-ugly", "voaacenc": "gstreamer1.0-plugins-bad",
    "mp4mux": "gstreamer1.0-plugins-good", "rawaudioparse": "gstreamer1.0-plugins-bad",
}  # fmt: skip


@dataclass(frozen=True)
class Material:
    """The minute as files."""

    video: Path
    audio: Path

    @classmethod
    def written(cls, minute: Minute, folder: Path) -> "Material":
        material = cls(folder / "video.h264", folder / "audio.pcm")
        material.video.write_bytes(minute.h264)
        material.audio.write_bytes(minute.mixed_pcm())
        return material


@dataclass(frozen=True)
class Reencoder:
    """`command` takes the material and where to write an MP4; `missing` names the packages to install first."""

    name: str
    command: Callable[[Material, Path], Sequence[str]]
    missing: Callable[[], Sequence[str]]

    @property
    def remedy(self) -> str:
        """What to do before it can run; empty when it can."""
        packages = sorted(set(self.missing()))
        return f"not measured: apt-get install {' '.join(packages)}" if packages else ""


def gstreamer(material: Material, output: Path) -> list[str]:
    """Decode, write a name and the time over the picture, encode with x264 as fast as it goes, and AAC."""
    return [
        "gst-launch-1.0", "-q",
        "filesrc", f"location={material.video}", "!", "h264parse", "!", f"video/x-h264,framerate={FPS}/1", "!",
        "avdec_h264", "!", "videoconvert", "!", "textoverlay", "text=Ada Lovelace", "!", "timeoverlay", "!",
        "x264enc", "speed-preset=ultrafast", "tune=zerolatency", f"bitrate={BITS_PER_S // 1000}", "!", "h264parse", "!",
        "mp4mux", "name=mux", "!", "filesink", f"location={output}",
        "filesrc", f"location={material.audio}", "!",
        "rawaudioparse", "use-sink-caps=false", "format=pcm", "pcm-format=s16le", f"sample-rate={RATE_HZ}",
        "num-channels=1", "!", "audioconvert", "!", "voaacenc", "!", "aacparse", "!", "mux.",
    ]  # fmt: skip


def ffmpeg(material: Material, output: Path) -> list[str]:
    """Zoom's sample: x264 veryfast at quality 23, and AAC."""
    return [
        "ffmpeg", "-nostdin", "-y", "-v", "error",
        "-f", "h264", "-framerate", str(FPS), "-i", str(material.video),
        "-f", "s16le", "-ar", str(RATE_HZ), "-ac", "1", "-i", str(material.audio),
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-c:a", "aac", str(output),
    ]  # fmt: skip


def _missing_elements() -> list[str]:
    if shutil.which(_INSPECT) is None:
        return ["gstreamer1.0-tools", *_PACKAGES.values()]
    return [package for element, package in _PACKAGES.items() if not _has(element)]


def _has(element: str) -> bool:
    return subprocess.run([_INSPECT, "--exists", element], check=False, capture_output=True).returncode == 0


GSTREAMER = Reencoder("GStreamer: decode, overlay, x264 ultrafast, AAC", gstreamer, _missing_elements)
FFMPEG = Reencoder(
    "ffmpeg: decode, x264 veryfast crf 23, AAC", ffmpeg, lambda: [] if shutil.which("ffmpeg") else ["ffmpeg"]
)
