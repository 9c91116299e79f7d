"""Makes one file of a track's segments that lines up with the recording: played from zero together, all agree.

Nothing is decoded or encoded. A track has segments only where there is something of it: between them sound gets silent
packets, and of pictures the last one, which is black, is shown on. Both last as long as the recording.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer

from sinks.objects.movies import NOTHING, OPTIONS, reading

FRAME = 1024
"""Samples in a packet of sound."""

TICKS_PER_S = 1000
"""Of a film: a picture may be shown for as long as a session lasts, and a player counts its time in 31 bits."""

SILENT_PACKET = bytes.fromhex("01182007")
"""AAC-LC, one channel, at any rate: what an encoder makes of nothing."""


def write_sound(pieces: Iterable[bytes], path: Path, duration_ms: int) -> None:
    """Write the sound in `pieces` (a header, then segments in order); times in it count from the recording's origin.

    What `pieces` raises comes through.

    Raises:
        UnreadableRecording: no player could make anything of the pieces.
        OSError: the file cannot be written.
    """
    with reading(pieces) as source, av.open(str(path), "w", "ipod", OPTIONS) as file:
        (sound,) = source.streams.audio
        stream = file.add_stream_from_template(sound)
        for packet in _gapless(_packets(source), sound.sample_rate, duration_ms):
            packet.stream = stream
            file.mux(packet)


def write_film(pieces: Iterable[bytes], path: Path, duration_ms: int) -> None:
    """Write the pictures in `pieces`; as of sound. The first of them is seen from the beginning."""
    options = OPTIONS | {"video_track_timescale": str(TICKS_PER_S)}
    with reading(pieces) as source, av.open(str(path), "w", "mp4", options) as file:
        (pictures,) = source.streams.video
        stream = file.add_stream_from_template(pictures)
        for packet in _held(_packets(source), duration_ms):
            packet.stream = stream
            file.mux(packet)


class _Timed(NamedTuple):
    time: int
    packet: "av.Packet[av.stream.Stream]"


def _packets(source: InputContainer) -> Iterator[_Timed]:
    """At least one."""
    is_empty = True
    for packet in source.demux():
        if packet.dts is not None:
            is_empty = False
            yield _Timed(packet.dts, packet)
    if is_empty:
        raise NOTHING


def _gapless(packets: Iterable[_Timed], rate_hz: int, duration_ms: int) -> "Iterator[av.Packet[av.stream.Stream]]":
    """All frames from the first on; the segments' lie on one grid."""
    at: int | None = None
    for time, packet in packets:
        yield from _silence(time % FRAME if at is None else at, time, rate_hz)
        yield packet
        at = time + FRAME
    yield from _silence(at or 0, duration_ms * rate_hz // 1000, rate_hz)


def _silence(start: int, end: int, rate_hz: int) -> "Iterator[av.Packet[av.stream.Stream]]":
    for time in range(start, end, FRAME):
        packet = av.Packet(SILENT_PACKET)
        packet.pts = packet.dts = time
        packet.duration, packet.time_base, packet.is_keyframe = FRAME, Fraction(1, rate_hz), True
        yield packet


def _held(packets: Iterable[_Timed], duration_ms: int) -> "Iterator[av.Packet[av.stream.Stream]]":
    """The first one from the beginning, the last one until the end."""
    last: _Timed | None = None
    for timed in packets:
        if last is None:
            timed.packet.pts = (timed.packet.pts or 0) - timed.time
            timed.packet.dts = 0
        else:
            yield last.packet
        last = timed
    if last is not None and last.packet.time_base is not None:
        end = int(Fraction(duration_ms, 1000) / last.packet.time_base)
        last.packet.duration = max(last.packet.duration or 0, end - last.time)
        yield last.packet
