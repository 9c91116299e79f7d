"""A long meeting in which everything happens that may, drawn by a seed, and how far sound and picture are apart in it.

It is made of scenes of ten seconds. In each somebody has the word, beeps at its middle and, where his camera is on,
flashes then. Pictures are small and few, and each kind of scene is encoded once; sound is what it costs.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import NamedTuple, TypeVar

import numpy as np

from schemas.records import Audio, Codec, MediaRecord, RecordKind, Video
from tests.support.media import BEEP_HZ, FLASH_MS, START_MS, Shot, encoded

SCENE_MS = 10_000
FLASH_AT_MS = 5_000
VOICE_MS = (4_400, 5_600)
"""When somebody is heard whose microphone is off between his words."""

FPS, KEY_EVERY = 3, 9
CHUNK_MS = 200
RATE_HZ = 16_000
SIZES = ((128, 72), (96, 54), (64, 48))
DRIFTS_PPM = (80.0, -120.0, 30.0)
"""How much faster each participant's sound card runs than Zoom's clock."""

LONGEST_TURN = 15
"""Scenes."""

TURN_MS = 600
"""How far out of its turn a frame may come: less than what `media.wrapped` takes for a silence, with a tick that denies
what is older."""

EARLY_MS = 60_000
"""Sound alone, before anybody's first picture."""

Sent = TypeVar("Sent", bound=MediaRecord)


class Scene(Enum):
    """What happens in ten seconds."""

    PLAIN = auto()
    NO_CAMERA = auto()
    LOST = auto()
    """No connection: nothing is received, and another epoch follows."""

    PAUSED = auto()
    """Nothing is sent."""

    def __bool__(self) -> bool:
        return self in (Scene.PLAIN, Scene.NO_CAMERA)


ODD = [Scene.NO_CAMERA, Scene.LOST, Scene.PAUSED]


class Act(NamedTuple):
    """One scene: who speaks, in which size he is seen, how many pictures of his first group are not there."""

    number: int
    scene: Scene
    speaker: int
    size: tuple[int, int]
    skipped: int
    is_muted: bool
    epoch: int

    @property
    def from_ms(self) -> int:
        return START_MS + self.number * SCENE_MS

    @property
    def moment_ms(self) -> int:
        return self.from_ms + FLASH_AT_MS

    @property
    def has_picture(self) -> bool:
        return self.scene is Scene.PLAIN


@dataclass(frozen=True)
class LongMeeting:
    """What was sent, in the order in which it was received, and what it was about."""

    acts: tuple[Act, ...]
    audio: list[Audio]
    video: list[Video]

    @property
    def flashes_ms(self) -> list[int]:
        """All that can be seen."""
        return [act.moment_ms for act in self.acts if act.has_picture]

    @property
    def longest_voice_ms(self) -> int:
        """The longest that somebody is heard without a gap."""
        return max(voice.to_ms - voice.from_ms for voice in _voices(self.acts))


def long_meeting(session_id: str, minutes: int, seed: int) -> LongMeeting:
    dice = random.Random(seed)
    acts = tuple(_acts(minutes * 60_000 // SCENE_MS, dice))
    sound = [chunk for voice in _voices(acts) for chunk in voice.chunks(session_id)]
    sound.sort(key=lambda chunk: (chunk.timestamp_ms, chunk.participant_id))
    pictures = [picture for act in acts for picture in _pictures(session_id, act, dice)]
    return LongMeeting(acts, _received(sound, dice), _received(pictures, dice))


def _acts(count: int, dice: random.Random) -> Iterator[Act]:
    """Whoever speaks goes on for minutes, whatever else happens meanwhile."""
    left, speaker, size, epoch, is_muted = 0, 0, SIZES[0], 1, False
    odd, odd_left = Scene.PLAIN, 0
    for number in range(count):
        skipped = 0
        if not left:
            left, speaker, size = dice.randint(1, LONGEST_TURN), (speaker + 1) % len(DRIFTS_PPM), dice.choice(SIZES)
            skipped, is_muted = dice.randrange(KEY_EVERY), dice.random() < 0.5 and number > 0
        if not odd_left:
            was_lost = odd is Scene.LOST
            odd, odd_left = (dice.choice(ODD), dice.randint(1, 2)) if odd is Scene.PLAIN else (Scene.PLAIN, 3)
            epoch += was_lost
        scene = Scene.NO_CAMERA if number * SCENE_MS < EARLY_MS else odd
        left, odd_left = left - 1, odd_left - 1
        yield Act(number, scene, speaker, size, skipped, is_muted, epoch)


@dataclass(frozen=True)
class _Voice:
    """A stretch of sound without a gap, from a device that is `drift_ppm` fast."""

    from_ms: int
    to_ms: int
    acts: tuple[Act, ...]

    @property
    def _speed(self) -> float:
        return 1 + DRIFTS_PPM[self.acts[0].speaker] / 1e6

    def samples(self) -> np.ndarray:
        seconds = np.arange(int((self.to_ms - self.from_ms) * self._speed * RATE_HZ / 1000)) / RATE_HZ
        wave = 600 * np.sin(2 * np.pi * 150 * seconds)
        for act in self.acts:
            first = round((act.moment_ms - self.from_ms) * self._speed * RATE_HZ / 1000)
            beep = slice(first, first + FLASH_MS * RATE_HZ // 1000)
            wave[beep] = 14_000 * np.sin(2 * np.pi * BEEP_HZ * (seconds[beep] - seconds[first]))
        return wave.round().astype("<i2")

    def chunks(self, session_id: str) -> Iterator[Audio]:
        samples, step = self.samples(), CHUNK_MS * RATE_HZ // 1000
        for number, at in enumerate(range(0, len(samples), step)):
            stamp_ms = self.from_ms + int(at / self._speed * 1000 / RATE_HZ) + number * 7919 % 3 - 1
            act = self.acts[min((stamp_ms - self.from_ms) // SCENE_MS, len(self.acts) - 1)]
            yield Audio(
                session_id=session_id, kind=RecordKind.FRAME, epoch=act.epoch, sequence=0, timestamp_ms=stamp_ms,
                arrived_us=0, participant_id=act.speaker, codec=Codec.L16, sample_rate_hz=RATE_HZ, channels=1,
                payload=samples[at : at + step].tobytes(),
            )  # fmt: skip


def _voices(acts: Sequence[Act]) -> Iterator[_Voice]:
    """Each one's open microphone, and single words of those who open it for these alone."""
    run: list[Act] = []
    for act in [*acts, None]:
        if run and (act is None or not _goes_on(run[-1], act)):
            yield _Voice(run[0].from_ms, run[-1].from_ms + SCENE_MS, tuple(run))
            run = []
        if act is not None and act.scene:
            if act.is_muted:
                yield _Voice(act.from_ms + VOICE_MS[0], act.from_ms + VOICE_MS[1], (act,))
            else:
                run.append(act)


def _goes_on(before: Act, act: Act) -> bool:
    same = (before.speaker, before.epoch) == (act.speaker, act.epoch)
    return same and bool(act.scene) and not act.is_muted


def _pictures(session_id: str, act: Act, dice: random.Random) -> Iterator[Video]:
    if not act.has_picture:
        return
    width, height = act.size
    shot = Shot(
        0, SCENE_MS, fps=FPS, key_every=KEY_EVERY, width=width, height=height, flashes_ms=(FLASH_AT_MS,),
        grey=60 + 20 * act.speaker, skip=act.skipped,
    )  # fmt: skip
    for at_ms, is_key, data in encoded(shot):
        wobble = 0 if at_ms == FLASH_AT_MS else dice.randint(-20, 20)
        yield Video(
            session_id=session_id, kind=RecordKind.FRAME, epoch=act.epoch, sequence=0, arrived_us=0,
            timestamp_ms=act.from_ms + max(0, at_ms + wobble), participant_id=act.speaker, codec=Codec.H264,
            key_frame=is_key, payload=data,
        )  # fmt: skip


def _received(frames: list[Sent], dice: random.Random) -> list[Sent]:
    """Numbered as they were sent. Some come before their turn or after it, some twice, and some once more, much too
    late; an epoch is over before the next one begins."""
    numbers: dict[int, int] = {}
    numbered = []
    for frame in frames:
        numbers[frame.epoch] = numbers.get(frame.epoch, 0) + 1
        numbered.append(replace(frame, sequence=numbers[frame.epoch]))
    turns = {id(f): f.timestamp_ms + (dice.randint(-TURN_MS, TURN_MS) if dice.random() < 0.05 else 0) for f in numbered}
    received: list[Sent] = []
    for frame in sorted(numbered, key=lambda f: (f.epoch, turns[id(f)], f.sequence)):
        received.append(frame)
        if dice.random() < 0.03:
            received.append(dice.choice(received[-4:]))
        if dice.random() < 0.02:
            old = received[max(0, len(received) - 60)]
            if old.epoch == frame.epoch and frame.timestamp_ms - old.timestamp_ms > 4_000:
                received.append(replace(old, sequence=1_000_000 + len(received)))
    return received
