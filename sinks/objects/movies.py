"""Makes one file of a recording's segments: the same pictures and sounds, with the index in front.

Nothing is decoded or encoded, but where there is sound alone: that becomes an MP3. What is read comes piece by piece,
what is written goes to a file.
"""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer

from sinks.objects.sounds import write_sound

OPTIONS = {"movflags": "faststart", "fflags": "bitexact"}
_OF_THE_DISK = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOENT, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}
)


class UnreadableRecording(Exception):
    """The segments do not make a file; trying again will not help if the storage told the truth."""


NOTHING = UnreadableRecording("nothing in it")


class Pieces:
    """Reads pieces one after the other as if they were one file; nothing but `read`, so nobody seeks."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)


def write_movie(pieces: Iterable[bytes], path: Path) -> bool:
    """Write the file that `pieces` (a header, then segments in order) add up to; whether it has pictures.

    What `pieces` raises comes through.

    Raises:
        UnreadableRecording: no player could make anything of the pieces.
        OSError: the file cannot be written.
    """
    with reading(pieces) as source:
        has_pictures = bool(source.streams.video)
        packets = _copied(source, path) if has_pictures else write_sound(source, path)
    if not packets:
        raise NOTHING
    return has_pictures


@contextmanager
def reading(pieces: Iterable[bytes]) -> Iterator[InputContainer]:
    """The file that `pieces` add up to, to be copied within. Raises what `write_movie` does."""
    try:
        with av.open(Pieces(pieces), "r", format="mp4") as source:
            yield source
    except (av.FFmpegError, ValueError) as error:  # rubbish makes the library raise either
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise
        raise UnreadableRecording(type(error).__name__) from None


def _copied(source: InputContainer, path: Path) -> int:
    packets = 0
    with av.open(str(path), "w", "mp4", OPTIONS) as movie:
        streams = [movie.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                movie.mux(packet)
                packets += 1
    return packets
