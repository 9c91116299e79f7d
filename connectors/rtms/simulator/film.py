"""The pictures of a whole meeting, encoded once and kept on disk: the live run costs little more than reading them.

A film's file is named by a hash of everything that shapes its bytes: the spans, the people, the encoding, and the
sources of the drawing and encoding modules. First come the payloads, then an index in JSON, last the index's length:
an hour is written without being held.
"""

import hashlib
import json
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from connectors.rtms.simulator import encoder, picture
from connectors.rtms.simulator.encoder import EncodedPicture
from connectors.rtms.simulator.picture import Plane, Still
from connectors.rtms.simulator.script import Script, Span

Progress = Callable[[int, int], None]
"""Called with the number of pictures made and to be made."""

_SLIDE_MS = 5_000
_MAKING: dict[Path, threading.Lock] = {}
_LENGTH = struct.Struct("<Q")


class PictureCodec(StrEnum):
    H264 = "h264"
    JPG = "jpg"
    PNG = "png"


class Subject(StrEnum):
    """What is filmed."""

    CAMERA = "camera"  # that of the active speaker
    CAMERAS = "cameras"  # everybody's own, all the time
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class FilmFormat:
    """How a film is made: pictures stand at multiples of 1/fps of the meeting's time."""

    subject: Subject
    codec: PictureCodec
    fps: int


CAMERA_H264 = FilmFormat(Subject.CAMERA, PictureCodec.H264, 25)
SHARE_H264 = FilmFormat(Subject.SHARE, PictureCodec.H264, 5)


@dataclass(frozen=True, slots=True)
class _Shot:
    """An unbroken run of pictures of one participant."""

    span: Span
    stills: tuple[Still, ...]
    size: tuple[int, int]

    def still(self, at_ms: int) -> Still:
        return self.stills[(at_ms - self.span.start_ms) // _SLIDE_MS % len(self.stills)]


class Film:
    """An encoded film that lies on disk."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        end = len(self._data) - _LENGTH.size
        (size,) = _LENGTH.unpack(self._data[end:])
        self._index: list[tuple[int, ...]] = [tuple(row) for row in json.loads(self._data[end - size : end])]

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[EncodedPicture]:
        for at_ms, user_id, key_frame, position, length in self._index:
            yield EncodedPicture(at_ms, user_id, bool(key_frame), self._data[position : position + length])


def open_film(script: Script, wanted: FilmFormat, folder: Path, progress: Progress | None = None) -> Film:
    """The film of that meeting, made now if it is not there yet (some seconds of work a minute of meeting)."""
    path = folder / f"{_key(script, wanted)}.film"
    with _MAKING.setdefault(path, threading.Lock()):  # meetings that begin together share its making as well
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, _encode(script, wanted, progress))
    return _opened(path)


@lru_cache(maxsize=16)
def _opened(path: Path) -> Film:
    """Meetings with the same pictures share them."""
    return Film(path)


def _spans(script: Script, wanted: FilmFormat) -> tuple[Span, ...]:
    if wanted.subject is Subject.SHARE:
        return script.shares
    spans = script.pictured() if wanted.subject is Subject.CAMERA else script.cameras
    return tuple(part for span in spans for part in _cut(span, [size.at_ms for size in script.sizes]))


def _cut(span: Span, times: Iterable[int]) -> Iterator[Span]:
    """A span in parts: pictures of another size are encoded anew."""
    start_ms = span.start_ms
    for at_ms in times:
        if start_ms < at_ms < span.end_ms:
            yield Span(span.user_id, start_ms, at_ms)
            start_ms = at_ms
    yield Span(span.user_id, start_ms, span.end_ms)


def _size(script: Script, at_ms: int) -> tuple[int, int]:
    return next(((s.width, s.height) for s in reversed(script.sizes) if s.at_ms <= at_ms), encoder.FULL_SIZE)


def _times(span: Span, fps: int) -> list[int]:
    """The times of a span's pictures."""
    first, last = -(-span.start_ms * fps // 1000), -(-span.end_ms * fps // 1000)
    return [number * 1000 // fps for number in range(first, last)]


def _key(script: Script, wanted: FilmFormat) -> str:
    spans = [(s.user_id, s.start_ms, s.end_ms) for s in _spans(script, wanted)]
    people = [(person.user_id, person.name, person.colour) for person in script.cast]
    sizes = [(size.at_ms, size.width, size.height) for size in script.sizes]
    words = [turn.text for turn in script.turns[:6]] if wanted.subject is Subject.SHARE else []
    facts = [wanted.subject, wanted.codec, wanted.fps, spans, people, picture.font_name(), sizes, words, script.beats]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for source in (picture.__file__, encoder.__file__, __file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:32]


def _shots(script: Script, wanted: FilmFormat) -> Iterator[_Shot]:
    for span in _spans(script, wanted):
        if wanted.subject is not Subject.SHARE:
            still = picture.camera(script.cast.named(span.user_id))
            yield _Shot(span, (still,), _size(script, span.start_ms))
        else:
            texts = [turn.text for turn in script.turns][:6] or ["Nothing has been said yet."]
            slides = tuple(picture.slide(n, tuple(texts[:n])) for n in range(1, len(texts) + 1))
            yield _Shot(span, slides, encoder.FULL_SIZE)


def _is_flash(at_ms: int, span: Span, script: Script, wanted: FilmFormat) -> bool:
    """A camera that comes on in the middle of a flash shows nothing of it: the flash would seem to be late."""
    if wanted.subject is Subject.SHARE:
        return False
    return any(span.holds(beat) and beat <= at_ms < beat + picture.FLASH_MS for beat in script.beats)


def _drawn(shot: _Shot, script: Script, wanted: FilmFormat) -> Iterator[tuple[int, int, Plane]]:
    for at_ms in _times(shot.span, wanted.fps):
        flash = _is_flash(at_ms, shot.span, script, wanted)
        yield at_ms, shot.span.user_id, picture.draw(shot.still(at_ms), at_ms, flash=flash)


def _encode(script: Script, wanted: FilmFormat, progress: Progress | None) -> Iterator[EncodedPicture]:
    total = sum(len(_times(span, wanted.fps)) for span in _spans(script, wanted))
    done = 0
    for shot in _shots(script, wanted):
        for encoded in _encode_shot(_drawn(shot, script, wanted), wanted, shot.size):
            yield encoded
            done += 1
            if progress:
                progress(done, total)


def _encode_shot(
    pictures: Iterable[tuple[int, int, Plane]], wanted: FilmFormat, size: tuple[int, int]
) -> Iterator[EncodedPicture]:
    if wanted.codec is PictureCodec.H264:
        return encoder.encode_h264(pictures, wanted.fps, size)
    return encoder.encode_still(pictures, wanted.codec.value, size)


def _write(path: Path, pictures: Iterable[EncodedPicture]) -> None:
    """Write aside and rename, so that nobody ever reads half a film."""
    index: list[tuple[int, ...]] = []
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="new-", delete=False) as file:
        for made in pictures:
            index.append((made.at_ms, made.user_id, int(made.key_frame), file.tell(), len(made.payload)))
            file.write(made.payload)
        index.sort(key=lambda row: row[0])
        table = json.dumps(index, separators=(",", ":")).encode()
        file.write(table + _LENGTH.pack(len(table)))
    os.replace(file.name, path)
