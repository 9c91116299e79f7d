"""A side transcript is made: whole, once, whatever happens to whoever makes it."""

import asyncio
import io
import json
import random
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fastavro
import pytest

from connectors.kafka.errors import DeliveryFailed
from connectors.kafka.records import Record
from connectors.objects.errors import NotFound, Unavailable
from processors.transcription.afterwards import making
from processors.transcription.afterwards.due import Order
from processors.transcription.afterwards.making import Making, NotUnderstood, Tools
from processors.transcription.recogniser import Recognised, Segment, Unrecognised
from schemas import topics
from schemas.codec import HEADER_BYTES, Codec, parsed
from schemas.keys import item_key
from schemas.records import AsyncTranscription, FactKind, OutputKind, SessionFact, Utterance, UtteranceStatus
from schemas.settings import Engine, SessionSettings, dumps
from tests.support.spoken import START_MS, silence, voice
from tests.support.stored_sound import Heard, pieces

SESSION = "app_0000000000000001"
T = START_MS
BEFORE_SIDE_TRANSCRIPTS = Path(__file__).parents[3] / "schemas" / "utterance_before_side_transcripts.avsc"
SAID = silence(600) + voice(1200) + silence(900)
SOUNDS = (Heard(7, T + 123, SAID * 2), Heard(9, T + 1500, SAID), Heard(9, T + 21_000, SAID))
OBJECTS = pieces(SESSION, SOUNDS)
UTTERANCES = 4
WANTED = AsyncTranscription(
    transcription_id="tran_1", settings=dumps(SessionSettings(engines=(Engine.MOONSHINE,))), state="not_started",
    created_at_ms=1, updated_at_ms=1,
)  # fmt: skip
ORDER = Order(SESSION, "proj_1", 3, WANTED)


class Killed(Exception):
    """The process is gone."""


class World:
    """What outlives a process: objects, the log, and what the engine was asked."""

    def __init__(self, objects=OBJECTS, answer=None):
        self.objects, self.log, self.asked = dict(objects), [], Counter()
        self.answer = answer or (lambda work: Recognised((Segment(f"at {work.speech.start_ms - T}", 0, 1),)))
        self.outages, self.noticed = 0, threading.Event()

    def tools(self, lives=10**9, in_flight=3, is_written_when_killed=True):
        """Of a process that lives for so many writes; the last of them may get through or not."""
        left = [lives]

        async def send(topic, key, record, partition):
            await asyncio.sleep(0)
            left[0] -= 1
            if left[0] >= 0 or (left[0] == -1 and is_written_when_killed):
                self.log.append((topic, key, record, partition))
            if left[0] < 0:
                raise Killed

        async def recognise(work, session_id):
            self.asked[work.participant_id, work.speech.start_ms] += 1
            await asyncio.sleep(0)
            return Engine.MOONSHINE, self.answer(work)

        return Tools(
            store=self, outbox=SimpleNamespace(send=send), loader=self, decoder=self, recognise=recognise,
            in_flight=in_flight, scanning=threading.Lock(),
        )  # fmt: skip

    def list(self, prefix):
        self._be_there()
        return [SimpleNamespace(key=key, modified_ms=0) for key in sorted(self.objects) if key.startswith(prefix)]

    def get(self, key):
        self._be_there()
        if key not in self.objects:
            raise NotFound(key)
        return self.objects[key]

    def _be_there(self):
        if self.outages:
            self.outages -= 1
            self.noticed.set()
            raise Unavailable("away")

    def load_all(self, places, stall_s):
        for offset, (topic, key, record, partition) in enumerate(self.log):
            if (topic.name, partition) in [tuple(place) for place in places]:
                yield Record(topic.name, partition, offset, 1, key, record)

    def decode(self, topic, value):
        return value

    def written(self):
        """The newest record of each key."""
        return {key: record for topic, key, record, _ in self.log if topic is topics.TRANSCRIPTS}

    def facts(self):
        return [record.kind for topic, _, record, _ in self.log if topic is topics.SESSION_FACTS]

    def words(self):
        return sorted(said.text for said in self.written().values() if said.kind is OutputKind.ITEM)

    def end(self):
        return self.written()[item_key(SESSION, "end_tran_1")]


async def made(world, order=ORDER, **life):
    await Making(world.tools(**life), order).run()
    return world


async def test_one_is_made():
    world = await made(World())
    said = [entry for entry in world.written().values() if entry.kind is OutputKind.ITEM]
    assert len(said) == UTTERANCES
    assert {entry.engine for entry in said} == {"tran_1"}
    assert {(entry.recognised_by, entry.status, entry.session_id) for entry in said} == {
        ("moonshine", UtteranceStatus.FINAL, SESSION)
    }
    assert world.facts() == [FactKind.ASYNC_TRANSCRIPTION_BEGUN]
    end = world.end()
    assert (end.kind, end.count, end.status, end.reason) == (
        OutputKind.SIDE_END,
        UTTERANCES,
        UtteranceStatus.FINAL,
        None,
    )
    assert world.log[-1][2] is end, "the end is the last word"
    assert {(topic.name, partition) for topic, _, _, partition in world.log} == {
        ("transcripts", 3),
        ("session-facts", 3),
    }


async def test_another_side_transcript_is_another_one():
    one, other = (
        await made(World()),
        await made(World(), replace(ORDER, wanted=replace(WANTED, transcription_id="tran_2"))),
    )
    assert not one.written().keys() & other.written().keys()


@pytest.mark.parametrize("seed", range(25))
async def test_whoever_is_killed_has_a_successor_and_nothing_is_missing_or_twice(seed):
    rolled, world, order, deaths = random.Random(seed), World(), ORDER, 0
    expected = await made(World())
    while True:
        life = {"lives": rolled.randrange(4), "in_flight": rolled.randrange(1, 5),
                "is_written_when_killed": rolled.random() < 0.5}  # fmt: skip
        try:
            await made(world, order, **(life if deaths < 12 else {}))
        except Killed:
            deaths += 1
            order = ORDER if world.facts() == [] else ORDER.begun()
        else:
            break
    assert world.written() == expected.written()
    assert all(times <= deaths + 1 for times in world.asked.values())
    asked = Counter(world.asked)
    await made(world, ORDER.begun())
    assert world.asked == asked, "what is whole is not made again"


async def test_an_end_that_nobody_has_stored_yet_is_said_once_more():
    """A ClickHouse sink of an earlier release has passed over it, and it would stay in progress for ever."""
    world = await made(World({}), replace(ORDER, stored={7: 2}))
    before, first = len(world.log), world.end()
    await made(world, ORDER.begun())
    assert [record for _, _, record, _ in world.log[before:]] == [first]


async def test_who_read_transcripts_before_there_were_side_transcripts_takes_no_end_for_the_sessions():
    world = await made(World())
    old = fastavro.parse_schema(json.loads(BEFORE_SIDE_TRANSCRIPTS.read_text()))
    codec = Codec.with_ids_from([topics.TRANSCRIPTS])
    for said in world.written().values():
        body = io.BytesIO(codec.encode(topics.TRANSCRIPTS, said)[HEADER_BYTES:])
        read = fastavro.schemaless_reader(body, parsed(topics.TRANSCRIPTS.schema), old)
        assert isinstance(read, dict)
        assert read["kind"] == ("item" if said.utterance_id else "unknown")
        assert read["engine"] == "tran_1"


async def test_what_stands_in_the_log_is_not_asked_again():
    world = World()
    with pytest.raises(Killed):
        await made(world, lives=3, in_flight=1)
    known = len(world.words())
    assert 0 < known < UTTERANCES
    await made(world, ORDER.begun())
    assert sum(world.asked.values()) <= UTTERANCES + 1
    assert len(world.words()) == UTTERANCES


async def test_what_is_known_already_is_not_played_as_fast_as_it_can_be(monkeypatch):
    """It has the interpreter that the meetings of this process need, and no engine makes it wait."""
    world, rests, sleep = await made(World()), [], asyncio.sleep
    world.log = [entry for entry in world.log if entry[1] != item_key(SESSION, "end_tran_1")]

    async def noted(delay_s):
        rests.append(delay_s)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    await made(world, ORDER.begun())
    assert sum(world.asked.values()) == UTTERANCES
    assert len([rest for rest in rests if 0 < rest <= making.MOST_REST_S]) >= UTTERANCES


async def test_two_at_a_time_make_one():
    world, expected = World(), await made(World())
    await asyncio.gather(made(world), made(world), made(world, ORDER.begun()))
    assert world.written() == expected.written()


async def test_words_that_were_deleted_meanwhile_do_not_count_as_written():
    world = await made(World())
    world.log += [
        (topic, key, None, partition) for topic, key, record, partition in world.log if isinstance(record, Utterance)
    ]
    await made(world, ORDER.begun())
    assert len(world.words()) == UTTERANCES


async def test_another_sessions_words_and_the_sessions_own_are_not_taken_for_it():
    world = World()
    own = Utterance(session_id=SESSION, kind=OutputKind.END, engine="", count=3)
    other = Utterance(session_id=SESSION, kind=OutputKind.SIDE_END, engine="tran_2", count=3)
    world.log += [(topics.TRANSCRIPTS, item_key(SESSION, "end"), own, 3),
                  (topics.TRANSCRIPTS, item_key(SESSION, "end_tran_2"), other, 3)]  # fmt: skip
    await made(world, ORDER.begun())
    assert len(world.words()) == UTTERANCES


@pytest.mark.parametrize(("reason", "code"), [("timed_out", "timed_out"), ("what nobody knows", "internal_error")])
async def test_with_the_first_that_nobody_understood_it_is_over(reason, code):
    world = World(answer=lambda work: Unrecognised(reason))
    with pytest.raises(NotUnderstood, match=f"^{code}$"):
        await made(world, in_flight=1)
    assert (sum(world.asked.values()), world.written()) == (1, {}), "nobody pays for what nobody can read"


async def test_what_failed_before_a_crash_is_asked_once_more():
    world = World(answer=lambda work: Unrecognised("timed_out"))
    with pytest.raises(NotUnderstood):
        await made(world, in_flight=1)
    world.answer = lambda work: Recognised((Segment("hello", 0, 1),) if work.participant_id == 7 else ())
    await made(world, ORDER.begun())
    assert (world.end().status, world.end().reason, world.words()) == (UtteranceStatus.FINAL, None, ["hello"] * 2)
    assert world.end().count == 2, "the wordless ones are not counted"


async def test_several_are_asked_for_at_a_time_and_no_more_than_that():
    world, at_once, most, free = World(), 0, 0, asyncio.Event()
    tools = world.tools(in_flight=2)

    async def recognise(work, session_id):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if at_once == 2:
            free.set()
        await free.wait()
        at_once -= 1
        return await tools.recognise(work, session_id)

    async with asyncio.timeout(60):
        await Making(replace(tools, recognise=recognise), ORDER).run()
    assert most == 2
    assert len(world.words()) == UTTERANCES


async def test_whom_this_release_does_not_know_it_does_not_ask():
    world = World()
    unknown = replace(ORDER, wanted=replace(WANTED, settings='{"engines":["nobody"]}'))
    with pytest.raises(LookupError):
        await made(world, unknown)
    assert world.written() == {}


async def test_sound_without_words_is_nothing_to_write():
    world = await made(World(answer=lambda work: Recognised(())))
    assert (world.words(), world.end().count, world.end().status) == ([], 0, UtteranceStatus.FINAL)


async def test_where_nobody_spoke_the_transcript_is_whole_and_empty():
    world = await made(World({}))
    assert (world.words(), world.end().status, world.end().reason) == ([], UtteranceStatus.FINAL, None)


async def test_pieces_that_are_not_there_are_said_to_be_missing():
    some = {key: data for key, data in OBJECTS.items() if "participant-9" not in key}
    world = await made(World(some), replace(ORDER, stored={7: 2, 9: 3}))
    end = world.end()
    assert (end.status, end.reason) == (UtteranceStatus.FINAL, "stored_audio_missing"), "the rest can be read"
    world = await made(World({}), replace(ORDER, stored={7: 2}))
    assert world.end().status is UtteranceStatus.FAILED, "there is nothing to be read"


async def test_a_store_that_is_away_is_waited_for(monkeypatch):
    monkeypatch.setattr(making, "LONGEST_PAUSE_S", 0.001)
    monkeypatch.setattr(making, "delays_s", lambda longest_s: iter([0.001] * 100))
    world = World()
    world.outages = 7
    await made(world)
    assert len(world.words()) == UTTERANCES


async def test_who_leaves_off_leaves_a_store_that_is_away_too():
    world = World()
    world.outages = 10**9
    task = asyncio.create_task(made(world))
    await asyncio.to_thread(world.noticed.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_log_that_does_not_take_it_is_for_the_caller():
    world = World()
    tools = world.tools()

    async def refuse(*_):
        raise DeliveryFailed("away")

    with pytest.raises(DeliveryFailed):
        await Making(replace(tools, outbox=SimpleNamespace(send=refuse)), ORDER).run()


async def test_that_it_never_will_be_whole_can_be_stated():
    world = World()
    await Making(world.tools(), ORDER).fail("internal_error")
    [(_, key, fact, _)] = world.log
    assert key == SESSION.encode()
    assert isinstance(fact, SessionFact)
    assert (fact.kind, fact.transcription_id, fact.reason) == (
        FactKind.ASYNC_TRANSCRIPTION_FAILED, "tran_1", "internal_error",
    )  # fmt: skip
