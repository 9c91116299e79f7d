"""Participants' sound as the objects sink keeps it: pieces of a grid, made by the encoder that makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from processors.muxing import audio, mixing
from processors.muxing.fragments import AudioRun, fragment, sound_header
from schemas.object_names import StoredSegment, header_key, header_name, segments_prefix
from schemas.tracks import of_participant

RATE_HZ = 16_000
GRID_MS = 4_000


@dataclass(frozen=True)
class Heard:
    """Somebody's 16-bit mono sound from `from_ms` on; pieces are kept of the slots that it touches."""

    participant_id: int
    from_ms: int
    pcm: bytes


def pieces(session_id: str, heard: Iterable[Heard], rate_hz: int = RATE_HZ) -> dict[str, bytes]:
    """The objects by key, headers included."""
    by_whom: dict[int, list[Heard]] = {}
    for one in heard:
        by_whom.setdefault(one.participant_id, []).append(one)
    objects = {header_key(session_id, header_name(sound_header(rate_hz))): sound_header(rate_hz)}
    for number, sounds in by_whom.items():
        for start_ms in _slots(sounds, rate_hz):
            header = header_name(sound_header(rate_hz))
            name = f"{start_ms}-{GRID_MS}-{header}.m4s"
            key = f"{segments_prefix(session_id, of_participant(number))}/{name}"
            objects[key] = _piece(sounds, start_ms, rate_hz)
    return objects


def stored(objects: Mapping[str, bytes]) -> dict[int, list[StoredSegment]]:
    """The same as a listing tells of them, by participant."""
    found: dict[int, list[StoredSegment]] = {}
    for key in sorted(objects):
        parts = key.split("/")
        if "tracks" in parts:
            start_ms, duration_ms, header = parts[-1].removesuffix(".m4s").split("-")
            segment = StoredSegment(int(start_ms), int(duration_ms), header, key)
            found.setdefault(int(parts[3].removeprefix("participant-")), []).append(segment)
    return found


def _slots(sounds: Iterable[Heard], rate_hz: int) -> list[int]:
    slots: set[int] = set()
    for sound in sounds:
        until_ms = sound.from_ms + len(sound.pcm) // 2 * 1000 // rate_hz
        slots |= set(range(sound.from_ms // GRID_MS, (until_ms - 1) // GRID_MS + 1))
    return sorted(slot * GRID_MS for slot in slots)


def _piece(sounds: Iterable[Heard], start_ms: int, rate_hz: int) -> bytes:
    end_ms = start_ms + GRID_MS
    frames = audio.frames_between(mixing.sample_at(start_ms, rate_hz), mixing.sample_at(end_ms, rate_hz))
    first, count = audio.samples_for(frames)
    mix = np.zeros(count, np.int16)
    for sound in sounds:
        samples = np.frombuffer(sound.pcm, "<i2")
        begin = mixing.sample_at(sound.from_ms, rate_hz) - first
        low, high = max(0, begin), min(count, begin + len(samples))
        if low < high:
            mix[low:high] = samples[low - begin : high - begin]
    packets = audio.encode(mix, frames, rate_hz)
    return fragment(1, (), AudioRun(frames.start * audio.FRAME, packets), start_ms, end_ms)
