"""Utterances that Deepgram hears while they are spoken, against a server that behaves in every way there is.

Whatever happens, whoever asks for the whole has it, or knows at once that they have to ask.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from connectors.speech.exchange import Heard
from processors.transcription import dictation, dictations, metrics, rests
from processors.transcription.configured import dictations_of
from processors.transcription.dictation import Ending, Glimpsed
from processors.transcription.dictations import Dictations
from processors.transcription.engines import Question
from processors.transcription.keys import Keys, NoKeys, Unreadable
from processors.transcription.settings import TranscriptionSettings
from schemas.settings import Engine
from tests.support.deepgram_live import Refusal, Trouble, counted
from tests.support.dictated import question
from tests.support.speech_service import KEY, SpeechServer, speech_server

PATIENCE_S = 60.0


class Ring(NoKeys):
    """Projects' keys; where it is none but an Unreadable, that is raised."""

    def __init__(self, **keys: str | Unreadable) -> None:
        self.keys = keys

    async def of(self, project_id: str, engine: Engine, *, is_needed: bool) -> str | None:
        key = self.keys.get(project_id)
        if isinstance(key, Unreadable):
            raise key
        return key


class Listening:
    """Dictations at a server, and how it is spoken to them."""

    def __init__(self, server: SpeechServer, found: Dictations) -> None:
        self.server, self.live, self.dictations = server, server.live, found
        self.shown: list[Glimpsed] = []
        self._looks: set[asyncio.Task[None]] = set()

    def look(self, ms: int, utterance_id: str = "utt_1", **who: str) -> None:
        """Somebody looks at the utterance after so many ms of it."""
        self._looks.add(asyncio.create_task(self._look(question(ms, utterance_id, **who))))  # type: ignore[arg-type]

    async def _look(self, asked: Question) -> None:
        if (found := await self.dictations.glimpsed(asked)) is not None:
            self.shown.append(found)

    async def speak(self, ms: int, utterance_id: str = "utt_1", **who: str) -> None:
        """Until the service has been sent so many ms, or it is over."""
        for at_ms in range(600, ms, 200):
            self.look(at_ms, utterance_id, **who)
            await asyncio.sleep(0)
        self.look(ms, utterance_id, **who)
        spoken = self.dictations._begun[utterance_id].dictation
        await self.until(lambda: spoken.over.is_set() or spoken._sent >= 32 * ms)

    def is_over(self, utterance_id: str = "utt_1") -> bool:
        return self.dictations._begun[utterance_id].dictation.over.is_set()

    async def finished(self, ms: int, utterance_id: str = "utt_1", **who: str) -> Heard | None:
        until_s = asyncio.get_running_loop().time() + PATIENCE_S
        return await self.dictations.finished(question(ms, utterance_id, **who), until_s)  # type: ignore[arg-type]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():  # noqa: ASYNC110  nobody says when a server of threads has got there
                await asyncio.sleep(0.005)

    async def leave(self) -> None:
        """Nobody who looked may wait for ever."""
        await self.dictations.stop()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self._looks)
        await self.until(lambda: self.live.open == 0)


@asynccontextmanager
async def listening(keys: Keys | None = None, **changes: object) -> AsyncIterator[Listening]:
    with speech_server() as server:
        values = {"deepgram_base_url": server.url, "deepgram_api_key": KEY, "dictation_limit_s": PATIENCE_S}
        settings = TranscriptionSettings.model_validate(values | changes)
        one = Listening(server, dictations_of(settings, keys or NoKeys()))
        try:
            yield one
        finally:
            await one.leave()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: nobody is let go, and nobody's rest is over, before a test wants it."""
    monkeypatch.setattr(dictation, "SILENCE_S", 3 * PATIENCE_S)
    monkeypatch.setattr(rests, "FIRST_S", 3 * PATIENCE_S)


async def test_who_speaks_is_understood_meanwhile_and_in_the_end(counts: Callable[[Ending], float]) -> None:
    async with listening() as one:
        await one.speak(2_000)
        await one.until(lambda: len(one.shown) > 0)
        await one.speak(4_400)
        await one.until(lambda: len(one.shown) > 1)
        heard = await one.finished(4_700)
        [call] = one.live.calls
    assert heard is not None
    assert (heard.text, heard.language, heard.model) == (counted(4.7), "en", "nova-3")
    assert [word.text for word in heard.words] == heard.text.split()
    revisions = [glimpse.heard_ms for glimpse in one.shown]
    assert revisions == sorted(set(revisions))
    assert all(g.said.text.startswith(counted(g.heard_ms / 1000 - 0.4)) for g in one.shown)
    assert call.pcm == question(4_700).pcm, "each second once, none that is not in the utterance"
    assert (call.controls, call.closed) == (["CloseStream"], 1000)
    assert 0 < min(call.sizes) <= max(call.sizes) <= 32 * dictation.CHUNK_MS
    assert counts(Ending.TOLD) == 1


async def test_what_nobody_looked_at_is_not_known() -> None:
    async with listening() as one:
        assert await one.finished(400) is None
        assert one.live.calls == []


async def test_the_sound_is_sent_as_it_is() -> None:
    async with listening() as one:
        spoken = question(1_200, rate_hz=48_000)
        assert await one.dictations.glimpsed(spoken) is not None
        assert await one.dictations.finished(spoken, asyncio.get_running_loop().time() + PATIENCE_S) is not None
        [call] = one.live.calls
        assert (call.query["sample_rate"], call.pcm) == (["48000"], spoken.pcm)


async def test_who_looks_again_takes_the_place_of_who_looked_before() -> None:
    async with listening() as one:
        first = asyncio.create_task(one.dictations.glimpsed(question(600)))
        await asyncio.sleep(0)
        second = asyncio.create_task(one.dictations.glimpsed(question(800)))
        assert await first is None
        one.look(1_000)
        assert await second is None
        await one.until(lambda: len(one.shown) == 1)
        assert one.shown[0].heard_ms == 1_000


async def test_what_had_to_be_cut_is_less_than_what_was_told() -> None:
    async with listening() as one:
        await one.speak(14_000)
        heard = await one.finished(12_000)
        assert heard is not None
        assert heard.text == counted(12.0)
        assert one.live.seconds == pytest.approx(14.0)


@pytest.mark.parametrize(
    ("how", "ending"),
    [("cut", Ending.LOST), ("closed", Ending.LOST), ("garbage", Ending.GARBLED), ("bytes", Ending.GARBLED),
     ("error", Ending.GARBLED), ("silent", Ending.SILENT)],
)  # fmt: skip
async def test_who_breaks_off_is_asked_again_at_once_and_then_left_alone(
    how: str, ending: Ending, counts: Callable[[Ending], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "silent":
        monkeypatch.setattr(dictation, "SILENCE_S", 1.0)
    async with listening() as one:
        one.live.plan.append(Trouble(how, after_s=1.5))
        await one.speak(4_000)
        await one.until(one.is_over)
        assert await one.finished(4_200) is None
        assert counts(ending) == 1
        await one.speak(1_000, "utt_2")
        assert await one.finished(1_200, "utt_2") is None
        assert counts(Ending.RESTING) == 1
        assert len(one.live.calls) == 1


async def test_trouble_of_one_project_is_none_of_another() -> None:
    async with listening() as one:
        one.live.plan.append(Trouble("cut", after_s=1.0))
        await one.speak(2_000)
        await one.until(one.is_over)
        await one.speak(2_000, "utt_2", project_id="proj_b")
        assert await one.finished(2_200, "utt_2", project_id="proj_b") is not None


async def test_who_had_trouble_is_tried_again_by_one_at_a_time(
    counts: Callable[[Ending], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many speak: of a service that is still broken one final is late."""
    monkeypatch.setattr(rests, "FIRST_S", 0.0)
    monkeypatch.setattr(rests, "LONGEST_S", 0.0)
    async with listening() as one:
        one.live.plan.extend([Trouble("short", after_s=PATIENCE_S)] * 2)
        for names in (["utt_1"], ["utt_2a", "utt_2b", "utt_2c"], ["utt_3a", "utt_3b"]):
            for name in names:
                await one.speak(1_000, name)
            heard = [await one.finished(1_200, name) for name in names]
        assert (counts(Ending.INCOMPLETE), counts(Ending.RESTING)) == (2, 3)
        assert [text is not None for text in heard] == [True, False]
        for name in ("utt_4a", "utt_4b"):
            await one.speak(1_000, name)
        assert [await one.finished(1_200, name) is not None for name in ("utt_4a", "utt_4b")] == [True, True]
    assert one.dictations._tried == set()


@pytest.mark.parametrize("how", ["lingers", "deaf", "silent"])
async def test_nobody_waits_long_for_who_is_slow(how: str, counts: Callable[[Ending], float]) -> None:
    async with listening(dictation_limit_s=1.5) as one:  # for the connection, too
        one.live.patience_s = PATIENCE_S  # it is not the service that gives up
        slow = Trouble(how, after_s=0.8)
        one.live.plan.append(slow)
        await one.speak(1_200)
        assert await one.finished(1_500) is None
        slow.held.set()
        assert counts(Ending.LATE) == 1


async def test_who_has_not_heard_all_of_it_is_not_believed(counts: Callable[[Ending], float]) -> None:
    async with listening() as one:
        one.live.plan.append(Trouble("short", after_s=PATIENCE_S))
        await one.speak(2_000)
        assert await one.finished(2_200) is None
        assert counts(Ending.INCOMPLETE) == 1


@pytest.mark.parametrize("status", [200, 302, 400, 402, 403, 404, 429, 500, 503])
async def test_who_refuses_is_not_asked_again_for_a_while(status: int, counts: Callable[[Ending], float]) -> None:
    async with listening() as one:
        elsewhere = f"{one.server.url.replace('http', 'ws')}/v1/listen?encoding=linear16&sample_rate=16000"
        one.live.plan.append(Refusal(status, {"Location": elsewhere, "Retry-After": "7"}))
        for utterance_id in ("utt_1", "utt_2"):
            await one.speak(1_000, utterance_id)
            await one.until(lambda: one.is_over(utterance_id))  # noqa: B023
            assert await one.finished(1_200, utterance_id) is None
        assert (counts(Ending.REFUSED), counts(Ending.RESTING)) == (1, 1)
        assert one.live.refused == [status]
        assert one.live.calls == []


async def test_what_is_wrong_with_one_session_is_not_held_against_the_others_of_its_project() -> None:
    async with listening() as one:
        one.live.plan.append(Refusal(400))
        await one.speak(1_000)
        await one.until(one.is_over)
        other = question(1_200, "utt_2")
        other = Question(other.pcm, 16_000, "en", {"deepgram": {"language": "de"}}, "app_2", "proj_a", "utt_2")
        assert await one.dictations.glimpsed(other) is not None


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1", "https://127.0.0.1:{port}", "nowhere", "http://h:99999"])
async def test_nobody_is_there(base_url: str, counts: Callable[[Ending], float]) -> None:
    with speech_server() as without_tls:
        async with listening(deepgram_base_url=base_url.format(port=without_tls.port)) as one:
            await one.speak(1_000)
            assert await one.finished(1_200) is None
            assert counts(Ending.REFUSED) == 1


@pytest.mark.parametrize("key", ["", "wrong", "no\nheader"])
async def test_a_key_that_is_none_is_no_hindrance(key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with listening(deepgram_api_key=key) as one:
        await one.speak(1_000)
        assert await one.finished(1_200) is None
        assert one.live.refused == ([401] if key == "wrong" else [])
    assert "wrong" not in caplog.text


async def test_a_projects_own_key_comes_first_and_one_that_cannot_be_read_is_not_replaced() -> None:
    keys = Ring(proj_a=KEY, proj_b="refused", proj_c=Unreadable())
    async with listening(keys, deepgram_api_key="operators") as one:
        for project_id, is_heard in (("proj_a", True), ("proj_b", False), ("proj_c", False), ("proj_d", False)):
            await one.speak(1_000, project_id, project_id=project_id)
            assert (await one.finished(1_200, project_id, project_id=project_id) is not None) is is_heard
        assert one.live.refused == [401, 401], "the second project's key, the operator's for the fourth's"


async def test_no_more_than_so_many_in_all_and_of_one_project(counts: Callable[[Ending], float]) -> None:
    async with listening(dictations=3, dictations_per_project=2) as one:
        for number in range(3):
            await one.speak(1_000, f"utt_{number}")
        assert [one.is_over(f"utt_{number}") for number in range(3)] == [False, False, True]
        await one.speak(1_000, "utt_b", project_id="proj_b")
        await one.speak(1_000, "utt_c", project_id="proj_c")
        assert [one.is_over(name) for name in ("utt_b", "utt_c")] == [False, True]
        assert counts(Ending.BUSY) == 2
        assert one.live.most_open == 3
        assert metrics.DICTATIONS_OPEN._value.get() == 3
        for number in range(3):
            assert (await one.finished(1_200, f"utt_{number}") is not None) is (number < 2)
        await one.until(lambda: one.dictations._open.total() == 1)
        await one.speak(1_000, "utt_d")
        assert await one.finished(1_200, "utt_d") is not None
    assert one.dictations._open == {}
    assert metrics.DICTATIONS_OPEN._value.get() == 0


async def test_who_falls_silent_is_let_go(counts: Callable[[Ending], float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictation, "SILENCE_S", 0.3)
    async with listening() as one:
        await one.speak(2_000)
        await one.until(one.is_over)
        assert counts(Ending.DROPPED) == 1
        assert await one.finished(2_200) is None
        monkeypatch.setattr(dictation, "SILENCE_S", PATIENCE_S)
        await one.speak(2_000, "utt_2")
        assert await one.finished(2_200, "utt_2") is not None, "that was nobody's trouble"


async def test_what_is_over_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictations, "KEPT_S", 0.0)
    async with listening() as one:
        one.live.plan.append(Trouble("cut", after_s=0.1))
        await one.speak(1_000)
        await one.until(one.is_over)
        await one.speak(1_000, "utt_2", project_id="proj_b")
        assert list(one.dictations._begun) == ["utt_2"]


async def test_who_looks_too_late_begins_nothing() -> None:
    async with listening() as one:
        await one.speak(1_000)
        assert await one.finished(1_200) is not None
        assert await one.dictations.glimpsed(question(1_200)) is None
        assert await one.finished(1_200) is None, "it is told once; whoever needs it again asks"
        assert len(one.live.calls) == 1


async def test_a_connection_that_hangs_holds_up_nobody() -> None:
    async with listening(dictation_limit_s=0.3) as one:
        held = threading.Event()
        one.live.plan.append(Refusal(503, held=held))
        one.look(1_000)
        await asyncio.sleep(0)
        assert await one.finished(1_200) is None
        held.set()


async def test_whoever_is_cancelled_while_it_ends_leaves_nothing_open() -> None:
    async with listening() as one:
        one.live.plan.append(Trouble("lingers"))
        await one.speak(1_000)
        ending = asyncio.create_task(one.finished(1_200))
        await one.until(lambda: one.live.calls[0].controls == ["CloseStream"])
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
        await one.until(lambda: one.live.open == 0)
        assert one.dictations._open == {}
