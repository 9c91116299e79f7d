"""A speech service as an engine: asked again, given up, bounded."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from connectors.speech.exchange import Failure, Heard, Request, Service
from connectors.speech.exchange import Word as HeardWord
from connectors.speech.openai import OpenAI
from processors.transcription.accounts import Accounts
from processors.transcription.engines import Question
from processors.transcription.keys import Keys, NoKeys, Unreadable
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised, Word
from processors.transcription.remote import RemoteEngine
from schemas.settings import Engine
from schemas.transcription_codes import Reason
from tests.support.virtual_time import run

ASKED = Question(bytes(32_000), 16_000, "en", {"openai": {"model": "m"}, "deepgram": "nonsense"})
AGAIN = Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)
HEARD = Heard("yes", (HeardWord("yes", 0.25, 7.0),), "en", "m")


class Scripted:
    """A client whose service says these things, the last one for ever; when it was asked, and how often at a time."""

    def __init__(self, *answers: Heard | Failure, takes_s: float = 0.0) -> None:
        self._answers, self.takes_s = list(answers), [takes_s]
        self.at_s: list[float] = []
        self.options: Mapping[str, object] = {}
        self.busy = self.busiest = 0

    async def ask(self, service: Service, sound: bytes, options: Mapping[str, object]) -> Heard | Failure:
        assert sound.startswith(b"RIFF")
        self.options = options
        self.at_s.append(asyncio.get_running_loop().time())
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await asyncio.sleep(self.takes_s.pop(0) if len(self.takes_s) > 1 else self.takes_s[0])
        finally:
            self.busy -= 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def close(self) -> None:
        return


def engine_of(client: object, keys: Keys | None = None, in_flight: int = 8, most: int = 8) -> RemoteEngine:
    accounts, service = Accounts(in_flight, most), OpenAI("https://api.openai.com/v1", "operators")
    return RemoteEngine(Engine.OPENAI, service, client, keys or NoKeys(), accounts, delay_s=0.5)  # type: ignore[arg-type]


def found(client: Scripted, until_s: float = 300.0, times: int = 1, in_flight: int = 8) -> Sequence[Recognition]:
    engine = engine_of(client, in_flight=in_flight)

    async def all_of_them() -> Sequence[Recognition]:
        return await asyncio.gather(*(engine.recognise(ASKED, until_s) for _ in range(times)))

    return run(all_of_them())


@pytest.mark.parametrize("end_s", [1e300, 1e306, 1.7e308])
def test_words_that_end_after_all_time_end_with_the_sound(end_s: float) -> None:
    [answer] = found(Scripted(Heard("yes", (HeardWord("yes", 0.25, end_s),))))
    assert isinstance(answer, Recognised)
    assert answer.words == (Word("yes", 250, 1000),)


def test_words_are_in_ms_and_end_with_the_sound() -> None:
    client = Scripted(HEARD)
    assert found(client) == [Recognised((Segment("yes", 0, 1000),), (Word("yes", 250, 1000),), "en", "m")]
    assert client.options == {"model": "m"}


def test_silence_is_no_failure() -> None:
    assert found(Scripted(Heard(""))) == [Recognised(())]


def test_it_is_asked_again_with_growing_pauses() -> None:
    client = Scripted(AGAIN, AGAIN, AGAIN, HEARD)
    [answer] = found(client)
    assert isinstance(answer, Recognised)
    assert client.at_s == [0, 0.5, 1.5, 3.5]


def test_the_pauses_stop_growing_and_the_time_ends() -> None:
    client = Scripted(AGAIN)
    assert found(client) == [Unrecognised(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)]
    assert client.at_s[-1] == pytest.approx(300, abs=30)
    assert client.at_s[-1] < 300
    assert client.at_s[-1] - client.at_s[-2] == 30


def test_what_will_not_change_is_not_asked_again() -> None:
    client = Scripted(Failure(Reason.CREDENTIALS_INVALID, is_final=True))
    assert found(client) == [Unrecognised(Reason.CREDENTIALS_INVALID, is_final=True)]
    assert len(client.at_s) == 1


def test_a_pause_that_the_service_asks_for_is_everybodys() -> None:
    client = Scripted(Failure(Reason.RATE_LIMIT_EXCEEDED, False, retry_after_s=20), HEARD)
    answers = found(client, times=3, in_flight=1)
    assert all(isinstance(answer, Recognised) for answer in answers)
    assert client.at_s[0] == 0
    assert min(client.at_s[1:]) == 20


def test_a_pause_that_is_too_long_is_not_sat_out() -> None:
    client = Scripted(Failure(Reason.RATE_LIMIT_EXCEEDED, False, retry_after_s=3600))
    assert found(client, times=3, in_flight=1) == [Unrecognised(Reason.RATE_LIMIT_EXCEEDED, is_final=False)] * 3
    assert client.at_s == [0]


def test_no_more_than_so_many_are_in_flight() -> None:
    client = Scripted(HEARD, takes_s=5)
    found(client, times=10, in_flight=3)
    assert client.busiest == 3
    assert len(client.at_s) == 10


def test_who_gets_no_place_in_time_goes_away() -> None:
    client = Scripted(HEARD, takes_s=400)
    answers = found(client, until_s=30, times=5, in_flight=2)
    assert answers == [Unrecognised(Reason.TIMED_OUT, is_final=False)] * 5
    assert client.busy == 0


def test_that_the_time_is_over_says_less_than_what_was_the_matter() -> None:
    client = Scripted(AGAIN, HEARD)
    client.takes_s = [0.0, 400.0]
    assert found(client) == [Unrecognised(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)]


def test_who_waits_for_the_next_attempt_holds_no_place() -> None:
    client = Scripted(AGAIN, HEARD)
    answers = found(client, times=4, in_flight=1)
    assert all(isinstance(answer, Recognised) for answer in answers)
    assert client.at_s[:4] == [0, 0, 0, 0]


class Ring(NoKeys):
    """Projects' keys by their ids; one that is an exception cannot be read."""

    def __init__(self, **keys: str | Exception) -> None:
        self.keys = keys

    async def of(self, project_id: str, engine: Engine, *, is_needed: bool) -> str | None:
        key = self.keys.get(project_id)
        if isinstance(key, Exception):
            raise key
        return key


class ByKey:
    """A client whose service answers by the key that it is asked with; who asked, in order."""

    def __init__(self, **answers: Heard | Failure) -> None:
        self.answers, self.asked_with = answers, list[str]()
        self.takes_s: dict[str, float] = {}

    async def ask(self, service: Service, sound: bytes, options: Mapping[str, object]) -> Heard | Failure:
        request = service.request(sound, options)
        assert isinstance(request, Request)
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked_with.append(key)
        await asyncio.sleep(self.takes_s.get(key, 0.0))
        return self.answers[key]

    async def close(self) -> None:
        return


def of_project(project_id: str) -> Question:
    return Question(bytes(32_000), 16_000, "en", project_id=project_id)


def test_a_projects_own_key_comes_before_the_operators_and_is_nobody_elses() -> None:
    client, keys = ByKey(a=HEARD, b=HEARD, operators=HEARD), Ring(proj_a="a", proj_b="b")
    engine = engine_of(client, keys)

    async def in_turn() -> None:
        for project_id in ("proj_a", "proj_b", "proj_c", ""):
            assert isinstance(await engine.recognise(of_project(project_id), 300), Recognised)
        keys.keys["proj_a"] = "anew"
        client.answers["anew"] = HEARD
        await engine.recognise(of_project("proj_a"), 300)

    run(in_turn())
    assert client.asked_with == ["a", "b", "operators", "operators", "anew"]


def test_a_key_that_is_refused_or_unreadable_is_not_replaced_by_the_operators() -> None:
    client = ByKey(a=Failure(Reason.CREDENTIALS_INVALID, is_final=True), operators=HEARD)
    engine = engine_of(client, Ring(proj_a="a", proj_b=Unreadable()))

    async def both() -> Sequence[Recognition]:
        return [await engine.recognise(of_project(project_id), 300) for project_id in ("proj_a", "proj_b")]

    assert run(both()) == [
        Unrecognised(Reason.CREDENTIALS_INVALID, is_final=True),
        Unrecognised(Reason.CREDENTIALS_NOT_FOUND),
    ]
    assert client.asked_with == ["a"]


def test_a_key_that_cannot_be_decrypted_yet_is_waited_for() -> None:
    client, keys = ByKey(a=HEARD, b=HEARD), Ring(proj_a=Unreadable(), proj_b="b")
    engine = engine_of(client, keys, most=3)

    async def anew() -> None:
        asked = [asyncio.create_task(engine.recognise(of_project("proj_a"), 300)) for _ in range(6)]
        assert isinstance(await engine.recognise(of_project("proj_b"), 300), Recognised)
        await asyncio.sleep(100)
        assert [task.done() for task in asked] == [True] * 3 + [False] * 3, "others need the places"
        assert asked[0].result() == Unrecognised(Reason.CREDENTIALS_NOT_FOUND, is_final=True)
        keys.keys["proj_a"] = "a"
        for task in asked[3:]:
            assert isinstance(await task, Recognised)

    run(anew())
    assert client.asked_with == ["b", "a", "a", "a"]


LIMITED = Failure(Reason.RATE_LIMIT_EXCEEDED, is_final=False, retry_after_s=60)


@pytest.mark.parametrize(("answer", "takes_s"), [(LIMITED, 0.0), (Failure(Reason.TIMED_OUT, is_final=False), 30.0)])
def test_a_key_in_a_pause_or_hanging_is_nobody_elses_trouble(answer: Failure, takes_s: float) -> None:
    client = ByKey(a=answer, b=HEARD)
    client.takes_s["a"] = takes_s
    engine = engine_of(client, Ring(proj_a="a", proj_b="b"), in_flight=1)

    async def beside() -> float:
        loop = asyncio.get_running_loop()
        waiting = [asyncio.create_task(engine.recognise(of_project("proj_a"), 300)) for _ in range(5)]
        await asyncio.sleep(1)
        assert isinstance(await engine.recognise(of_project("proj_b"), 300), Recognised)
        took_s = loop.time() - 1
        await asyncio.gather(*waiting)
        return took_s

    assert run(beside()) == 0


def test_who_waits_for_projects_keys_in_trouble_holds_so_many_places_and_the_longest_goes_first() -> None:
    client = ByKey(a=Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False), b=HEARD, operators=HEARD)
    engine = engine_of(client, Ring(proj_a="a", proj_b="b"), in_flight=8, most=3)

    async def crowd() -> None:
        asked = [asyncio.create_task(engine.recognise(of_project("proj_a"), 300)) for _ in range(6)]
        await asyncio.sleep(20)
        assert not any(task.done() for task in asked), "one failure is no trouble yet"
        await asyncio.sleep(40)
        assert [task.done() for task in asked] == [True] * 3 + [False] * 3
        assert asked[0].result() == Unrecognised(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=True)
        last = asyncio.create_task(engine.recognise(of_project("proj_a"), 300))
        await asyncio.sleep(1)
        assert [task.done() for task in [*asked, last]] == [True] * 4 + [False] * 3
        client.answers["a"] = HEARD
        for task in [*asked[4:], last]:
            assert isinstance(await task, Recognised)

    run(crowd())


def test_a_key_that_was_changed_is_not_kept() -> None:
    client, keys = ByKey(**{f"k{n}": HEARD for n in range(50)}), Ring(proj_a="k0")
    accounts = Accounts(8, 8)
    service = OpenAI("https://api.openai.com/v1", "")
    engine = RemoteEngine(Engine.OPENAI, service, client, keys, accounts, delay_s=0.5)  # type: ignore[arg-type]

    async def changing() -> None:
        for number in range(50):
            keys.keys["proj_a"] = f"k{number}"
            await engine.recognise(of_project("proj_a"), 300)

    run(changing())
    assert len(accounts._accounts) == 1
