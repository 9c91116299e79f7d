"""One dictation, whoever is at the other end of it and whatever they say."""

import asyncio
import json

from connectors.speech.deepgram_live import DeepgramLive
from connectors.speech.dictating import Lost
from connectors.speech.dictation import Opening
from processors.transcription.dictation import SILENCE_S, Dictation, Ending, Glimpsed
from tests.support.virtual_time import run

RATE_HZ = 16_000
SERVICE = DeepgramLive("https://api.deepgram.com", "k3y")
OPENING = Opening("wss://api.deepgram.com", {}, "en", "nova-3")
FAREWELL = SERVICE.farewell


def sound(ms: int) -> bytes:
    return bytes(range(256)) * (ms // 8)


def results(until_s: float, text: str = "yes", *, is_final: bool = False) -> str:
    alternatives = [{"transcript": text, "words": []}]
    channel = {"alternatives": alternatives}
    return json.dumps({"type": "Results", "start": 0.0, "duration": until_s, "is_final": is_final, "channel": channel})


class Wire:
    """What is sent, and what the test lets be heard; None: the other one hangs up."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.told: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    @property
    def sound(self) -> bytes:
        return b"".join(one for one in self.sent if isinstance(one, bytes))

    async def send(self, message: str | bytes) -> None:
        self.sent.append(message)

    async def receive(self) -> str | bytes:
        message = await self.told.get()
        if message is None:
            raise Lost
        return message


def begun(wire: Wire) -> tuple[Dictation, asyncio.Task[Ending]]:
    spoken = Dictation(RATE_HZ)
    return spoken, asyncio.create_task(spoken.carry(SERVICE, OPENING, wire))  # type: ignore[arg-type]


async def settled() -> None:
    await asyncio.sleep(0.01)


def test_it_is_sent_each_second_once_and_nothing_when_it_is_complete() -> None:
    async def spoken() -> list[str | bytes]:
        wire = Wire()
        one, carried = begun(wire)
        one.more(sound(1_000))
        await settled()
        one.more(sound(600))
        await settled()
        assert wire.sound == sound(1_000), "who looked before but comes later says nothing new"
        one.more(sound(1_400))
        await settled()
        one.complete(sound(1_200))
        one.more(sound(1_600))
        await settled()
        assert wire.sound == sound(1_400)
        wire.told.put_nowait(None)
        assert await carried is Ending.TOLD
        return wire.sent

    sent = run(spoken())
    assert sent[-1] == FAREWELL
    assert FAREWELL not in sent[:-1]
    assert max(map(len, sent[:-1])) == 6_400


def test_what_is_understood_is_never_more_than_was_sent_and_always_more_than_before() -> None:
    async def spoken() -> list[Glimpsed | None]:
        wire, shown = Wire(), list[Glimpsed | None]()
        one, carried = begun(wire)
        for ms, until_s, text in ((1_000, 99.0, "a"), (1_400, 1.2, "b"), (1_800, 0.9, "c"), (2_000, 1.9, "")):
            one.more(sound(ms))
            await settled()
            wire.told.put_nowait(results(until_s, text))
            await settled()
            looking = asyncio.create_task(one.glimpsed())
            await settled()
            shown.append(await looking if looking.done() else None)
        one.end(Ending.LATE)
        carried.cancel()
        return shown

    first, second, *others = run(spoken())
    assert first is not None
    assert second is not None
    assert [(g.said.text, g.heard_ms) for g in (first, second)] == [("a", 1_000), ("b", 1_200)]
    assert others == [None, None], "less than before, and nothing at all"


def test_nobody_waits_for_who_has_told_all_to_hang_up() -> None:
    async def spoken(until_s: float, counted_s: float) -> bool:
        wire = Wire()
        one, carried = begun(wire)
        one.more(sound(1_000))
        await settled()
        one.complete(sound(1_200))
        await settled()
        wire.told.put_nowait(results(until_s, is_final=True))
        wire.told.put_nowait(json.dumps({"type": "Metadata", "duration": counted_s}))
        await settled()
        is_over = carried.done()
        wire.told.put_nowait(None)
        assert await carried is Ending.TOLD
        one.end(Ending.TOLD)
        assert (one.whole() is not None) is (counted_s == 1.2)
        return is_over

    assert run(spoken(1.2, 1.2))
    assert not run(spoken(0.9, 1.2)), "there may be a word in the last 0.3 s"
    assert not run(spoken(1.2, 0.9))


def test_who_has_told_all_of_what_there_is_by_now_is_told_more() -> None:
    async def spoken() -> bool:
        wire = Wire()
        one, carried = begun(wire)
        one.more(sound(1_000))
        await settled()
        wire.told.put_nowait(results(1.0, is_final=True))
        wire.told.put_nowait(json.dumps({"type": "Metadata", "duration": 1.0}))
        await settled()
        is_over = carried.done()
        carried.cancel()
        return is_over

    assert not run(spoken())


def test_what_is_final_soon_need_not_be_shown() -> None:
    async def spoken() -> Glimpsed | None:
        wire = Wire()
        one, carried = begun(wire)
        one.more(sound(1_000))
        await settled()
        looking = asyncio.create_task(one.glimpsed())
        await settled()
        one.complete(sound(1_200))
        wire.told.put_nowait(results(1.2))
        found = await looking
        carried.cancel()
        return found

    assert run(spoken()) is None


def test_who_speaks_on_and_hears_nothing_gives_up_and_who_is_silent_is_let_go() -> None:
    async def spoken(covered_s: float) -> tuple[Ending, float]:
        wire, loop = Wire(), asyncio.get_running_loop()
        one, carried = begun(wire)
        one.more(sound(4_000))
        await settled()
        wire.told.put_nowait(results(covered_s))
        return await carried, loop.time()

    for covered_s, ending in ((1.0, Ending.SILENT), (3.5, Ending.DROPPED)):
        found, at_s = run(spoken(covered_s))
        assert found is ending
        assert SILENCE_S <= at_s < SILENCE_S + 1


def test_words_count_only_when_it_was_told_to_the_end() -> None:
    one = Dictation(RATE_HZ)
    assert one.end(Ending.LOST)
    assert not one.end(Ending.TOLD)
    assert one.whole() is None
