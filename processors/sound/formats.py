"""What sound comes as, and how much of it a payload holds, told without decoding it. Pure."""

from dataclasses import dataclass
from functools import lru_cache

from processors.sound import opus
from schemas.records import Audio, Codec

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 96_000
MAX_CHANNELS = 8
G722_RATE_HZ = 16_000
_G722_SAMPLES_PER_BYTE = 2
_SAMPLE_BYTES = {Codec.L16: 2, Codec.G711: 1}
_DELAYS = {Codec.G722: 22, Codec.OPUS: 312}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The codec, and the rate and channels that decoding it gives."""

    codec: Codec
    sample_rate_hz: int
    channels: int

    @classmethod
    def of(cls, record: Audio) -> "AudioFormat":
        return _known(record.codec, record.sample_rate_hz, record.channels)

    @property
    def is_known(self) -> bool:
        """Whether it can be decoded: what Zoom can be asked for, and samples of any sane rate."""
        match self.codec:
            case Codec.L16 | Codec.G711:
                return 1 <= self.channels <= MAX_CHANNELS and MIN_RATE_HZ <= self.sample_rate_hz <= MAX_RATE_HZ
            case Codec.G722:
                return self.sample_rate_hz == G722_RATE_HZ and self.channels == 1
            case Codec.OPUS:
                return self.sample_rate_hz == opus.RATE_HZ and self.channels in (1, 2)
            case _:
                return False

    @property
    def has_memory(self) -> bool:
        """Whether what a payload sounds like depends on the ones before it."""
        return self.codec not in _SAMPLE_BYTES

    @property
    def delay(self) -> int:
        """By how many samples coding and decoding it shift the sound."""
        return _DELAYS.get(self.codec, 0)

    def length(self, payload: bytes) -> int:
        """Samples of each channel; a cut-off last one does not count. The format must be known."""
        match self.codec:
            case Codec.G722:
                return len(payload) * _G722_SAMPLES_PER_BYTE
            case Codec.OPUS:
                return opus.length(payload)
            case _:
                return len(payload) // self._frame_bytes

    def is_whole(self, payload: bytes) -> bool:
        """Whether it holds sound, and nothing cut off at its end."""
        is_cut = not self.has_memory and len(payload) % self._frame_bytes
        return self.length(payload) > 0 and not is_cut

    def duration_ms(self, payload: bytes) -> int:
        """Rounded up. The format must be known."""
        return -(-self.length(payload) * 1000 // self.sample_rate_hz)

    def __str__(self) -> str:
        return f"{self.codec} {self.sample_rate_hz} Hz x {self.channels}"

    @property
    def _frame_bytes(self) -> int:
        """One sample of each channel."""
        return _SAMPLE_BYTES[self.codec] * self.channels


_known = lru_cache(maxsize=256)(AudioFormat)
