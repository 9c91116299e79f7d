"""Moonshine tiny (English) from the `moonshine-voice` wheel, bound straight to its shared library.

The wheel's own Python package imports a sound card library and an HTTP client and copies audio through lists; its C
interface needs none of that. Only what is called here is declared; the layouts are those of version 0.1.0.

The library's own voice detector is one object per process whose state outlives every call, so the same audio can give
another answer the second time. Decoding with the detector switched off has no memory, but invents words for noise. So
a second transcriber, which has no model and only detects, says whether there is speech at all; and the owner of a
`Moonshine` must use it for one utterance per process (see `worker`) to get the same answer every time.
"""

import ctypes
import importlib.util
import platform
from pathlib import Path
from typing import Any

import numpy as np

from processors.transcription.pcm import RECOGNISER_RATE_HZ, resampled
from processors.transcription.recogniser import Recognised, RecogniserMissing, RecognitionFailed, Segment

PACKAGE = "moonshine_voice"
HOW_TO_GET_IT = "the local recogniser is not installed: install rtms-pipeline[recogniser] (moonshine-voice==0.1.0)"

_LIBRARY = {"Linux": "libmoonshine.so", "Darwin": "libmoonshine.dylib"}
_HEADER_VERSION = 30_000
_TINY = 0
_LONGEST_S = 30
"""Above every utterance, so that the library never cuts one itself."""

_DECODER = {"vad_threshold": "0.0", "vad_max_segment_duration": str(_LONGEST_S)}
_DETECTOR = {"skip_transcription": "true"}


class _Line(ctypes.Structure):
    _fields_ = (
        ("text", ctypes.c_char_p),
        ("audio", ctypes.c_void_p),
        ("audio_count", ctypes.c_size_t),
        ("start_s", ctypes.c_float),
        ("duration_s", ctypes.c_float),
        ("id", ctypes.c_uint64),
        ("flags", ctypes.c_int8 * 5),
        ("speakers", ctypes.c_void_p),
        ("speaker_count", ctypes.c_uint64),
        ("latency_ms", ctypes.c_uint32),
        ("words", ctypes.c_void_p),
        ("word_count", ctypes.c_uint64),
    )


class _Transcript(ctypes.Structure):
    _fields_ = (("lines", ctypes.POINTER(_Line)), ("line_count", ctypes.c_uint64))


class _Option(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("value", ctypes.c_char_p))


def package_folder() -> Path:
    """Where the wheel is installed.

    Raises:
        RecogniserMissing: it is not, or this is no platform of its.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise RecogniserMissing(HOW_TO_GET_IT)
    folder = Path(found.submodule_search_locations[0])
    name = _LIBRARY.get(platform.system())
    if name is None or not (folder / name).is_file() or not (folder / "assets" / "tiny-en").is_dir():
        raise RecogniserMissing(f"{HOW_TO_GET_IT}; the installed one has no library or model for this platform")
    return folder


class Moonshine:
    """A loaded model. The environment must say `MOONSHINE_ORT_SINGLE_THREAD=1` by then: its threads only spin."""

    def __init__(self, folder: Path) -> None:
        try:
            self._library = _declared(ctypes.CDLL(str(folder / _LIBRARY[platform.system()])))
        except OSError as error:
            raise RecogniserMissing(f"the local recogniser's library does not load: {error}") from error
        self._model = str(folder / "assets" / "tiny-en").encode()
        self._detector = self._loaded(_DETECTOR)
        self._decoder = self._loaded(_DECODER)

    def recognise(self, pcm: bytes, sample_rate_hz: int) -> Recognised:
        samples = resampled(np.frombuffer(pcm, dtype="<i2"), sample_rate_hz)
        audio = np.ascontiguousarray(samples, dtype=np.float32) / np.float32(32768)
        if not len(audio) or not self._transcribed(self._detector, audio):
            return Recognised(())
        return Recognised(tuple(segment for segment in self._transcribed(self._decoder, audio) if segment.text))

    def _loaded(self, options: dict[str, str]) -> int:
        array = (_Option * len(options))(*(_Option(k.encode(), v.encode()) for k, v in options.items()))
        handle: int = self._library.moonshine_load_transcriber_from_files(
            self._model, _TINY, array, len(options), _HEADER_VERSION
        )
        if handle < 0:
            raise RecogniserMissing(f"the local recogniser's model does not load: {self._error(handle)}")
        return handle

    def _transcribed(self, handle: int, audio: np.ndarray[Any, np.dtype[np.float32]]) -> list[Segment]:
        found = ctypes.POINTER(_Transcript)()
        code = self._library.moonshine_transcribe_without_streaming(
            handle, audio.ctypes.data, len(audio), RECOGNISER_RATE_HZ, 0, ctypes.byref(found)
        )
        if code != 0:
            raise RecognitionFailed(f"the local recogniser refused the audio: {self._error(code)}")
        transcript = found.contents
        return [_segment(transcript.lines[place]) for place in range(transcript.line_count)]

    def _error(self, code: int) -> str:
        return (self._library.moonshine_error_to_string(code) or b"unknown").decode(errors="replace")


def _segment(line: _Line) -> Segment:
    start_ms = round(line.start_s * 1000)
    text = (line.text or b"").decode(errors="replace").strip()
    return Segment(text, start_ms, start_ms + round(line.duration_s * 1000))


def _declared(library: Any) -> Any:
    library.moonshine_error_to_string.restype = ctypes.c_char_p
    library.moonshine_error_to_string.argtypes = (ctypes.c_int32,)
    library.moonshine_load_transcriber_from_files.restype = ctypes.c_int32
    library.moonshine_load_transcriber_from_files.argtypes = (
        ctypes.c_char_p, ctypes.c_uint32, ctypes.POINTER(_Option), ctypes.c_uint64, ctypes.c_int32,
    )  # fmt: skip
    library.moonshine_transcribe_without_streaming.restype = ctypes.c_int32
    library.moonshine_transcribe_without_streaming.argtypes = (
        ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int32, ctypes.c_uint32,
        ctypes.POINTER(ctypes.POINTER(_Transcript)),
    )  # fmt: skip
    return library
