"""One utterance that a speech service hears while it is spoken, over a connection of its own."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from connectors.speech.dictating import Lost, Wire
from connectors.speech.dictation import Counted, Dictated, DictationService, Opening, Said
from connectors.speech.exchange import Heard, NoAnswer
from processors.transcription import metrics

CHUNK_MS = 200
SILENCE_S = 5.0
UNANSWERED_MS = 2_000
"""A service that hears something tells something every second."""


class Ending(StrEnum):
    """What became of it; only what is `TOLD` has words that count."""

    TOLD = "used"
    INCOMPLETE = "incomplete"
    LATE = "late"
    LOST = "lost"
    SILENT = "silent"
    GARBLED = "garbled"
    REFUSED = "refused"
    KEYLESS = "keyless"
    RESTING = "resting"
    BUSY = "busy"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Glimpsed:
    """What was understood of the first `heard_ms` of an utterance."""

    said: Heard
    heard_ms: int


class Dictation:
    """Its sound is mono, 16 bit. It never holds more than the utterance, so whoever reads slowly holds up nobody."""

    def __init__(self, sample_rate_hz: int) -> None:
        self.over = asyncio.Event()
        self.ending: Ending | None = None
        self._bytes_per_ms = 2 * sample_rate_hz // 1000
        self._dictated = Dictated()
        self._sound, self._sent = b"", 0
        self._is_complete = self._is_farewell_sent = False
        self._more = asyncio.Event()
        self._looking: asyncio.Future[Glimpsed | None] | None = None
        self._news: Glimpsed | None = None
        self._shown_ms = 0

    def more(self, pcm: bytes) -> None:
        """All that is certain to be in the utterance by now."""
        if not (self._is_complete or self.over.is_set()) and len(pcm) > len(self._sound):
            self._sound = pcm
            self._more.set()

    def complete(self, pcm: bytes) -> None:
        """All that is in the utterance: less than what was sent, where it had to be cut."""
        self._sound, self._is_complete = pcm, True
        self._more.set()
        self._hand_over()

    def end(self, ending: Ending) -> bool:
        """It is over, whoever still speaks; False where it was before."""
        if self.ending is not None:
            return False
        self.ending = ending
        self.over.set()
        self._hand_over()
        return True

    async def glimpsed(self) -> Glimpsed | None:
        """What is understood and was not shown, as soon as there is something. None: it is over, or somebody else asks
        by now."""
        if self._looking is not None and not self._looking.done():
            self._looking.set_result(None)
        looking: asyncio.Future[Glimpsed | None] = asyncio.get_running_loop().create_future()
        self._looking = looking
        self._hand_over()
        return await looking

    def whole(self) -> Heard | None:
        """What was said in it, None where that is not certain."""
        if self.ending is not Ending.TOLD:
            return None
        try:
            return self._dictated.whole(self._seconds(len(self._sound)), self._seconds(self._sent))
        except NoAnswer:
            return None

    async def carry(self, service: DictationService, opening: Opening, wire: Wire) -> Ending:
        """Send what there is and what comes, and listen, until one of the two has no more to say."""
        self._dictated = Dictated(opening.language, opening.model)
        sending = asyncio.create_task(self._send(service, wire))
        try:
            return await self._listen(service, wire)
        finally:
            sending.cancel()

    async def _send(self, service: DictationService, wire: Wire) -> None:
        try:
            while not self._is_farewell_sent:
                await self._more.wait()
                self._more.clear()
                await self._send_sound(wire)
                if self._is_complete:
                    self._is_farewell_sent = True
                    await wire.send(service.farewell)
        except Lost:
            return  # whoever listens meets it, too

    async def _send_sound(self, wire: Wire) -> None:
        size = CHUNK_MS * self._bytes_per_ms
        while chunk := self._sound[self._sent : self._sent + size]:
            await wire.send(chunk)
            self._sent += len(chunk)
            metrics.DICTATED_SECONDS.inc(self._seconds(len(chunk)))

    async def _listen(self, service: DictationService, wire: Wire) -> Ending:
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    told = service.told(await wire.receive())
                self._heed(told)
                if self._is_farewell_sent and self._dictated.is_all(self._seconds(self._sent)):
                    return Ending.TOLD
            except TimeoutError:
                is_answered = self._sent - self._covered_ms() * self._bytes_per_ms <= UNANSWERED_MS * self._bytes_per_ms
                return Ending.DROPPED if is_answered else Ending.SILENT
            except Lost:
                return Ending.TOLD if self._is_farewell_sent else Ending.LOST
            except NoAnswer:
                return Ending.GARBLED

    def _heed(self, told: Said | Counted | None) -> None:
        if told is None:
            return
        self._dictated.hear(told)
        said, heard_ms = self._dictated.so_far(), self._covered_ms()
        if said.text and heard_ms > self._shown_ms:
            self._news = Glimpsed(said, heard_ms)
            self._hand_over()

    def _covered_ms(self) -> int:
        """How much of the utterance the words are of: no more than was sent, whatever the service says."""
        return int(1000 * min(self._dictated.covered_s, self._seconds(self._sent)))

    def _hand_over(self) -> None:
        """To whoever looks. What is final soon need not be shown."""
        looking, is_over = self._looking, self._is_complete or self.ending is not None
        if looking is None or looking.done() or not (is_over or self._news):
            return
        news, self._news = (None if is_over else self._news), None
        self._shown_ms = news.heard_ms if news else self._shown_ms
        looking.set_result(news)

    def _seconds(self, size: int) -> float:
        return size / self._bytes_per_ms / 1000
