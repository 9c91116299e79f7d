"""In which order the shell does things, and what it leaves undone, on inputs in memory."""

import asyncio
import threading

import pytest
from faust.types import TP

from connectors.kafka.errors import DeliveryFailed, TimedOut
from connectors.kafka.records import Place
from processors.shell.reading import DRAIN_S, QUEUEING_S, STANDSTILL_S
from processors.shell.worker import MAX_LETTERS, NotCopartitioned
from schemas import topics
from schemas.codec import Codec, Undecodable
from tests.support.processes import PATIENCE_S
from tests.support.toy_processor import AUDIO, CAPTIONS, VIDEO, ToyLogic, Work, as_written, control, frame
from tests.support.toy_service import utterance
from tests.support.worker_bench import AUDIO_0, CAPTIONS_0, CODEC, VIDEO_0, Bench, until


async def test_outputs_then_states_then_offsets():
    bench = await Bench().assign()
    bench.application.may_render.clear()
    await bench.caption(0)
    await bench.worker.checkpoint()
    assert (bench.written, bench.inputs.offsets) == ([], {CAPTIONS_0: 0, AUDIO_0: 0, VIDEO_0: 0})
    bench.application.may_render.set()
    await until(lambda: bench.written)
    await until(lambda: bench.worker._rendering._has_room.is_set() and not bench.worker._rendering._tasks)
    await bench.worker.checkpoint()
    assert bench.inputs.offsets[CAPTIONS_0] == 1
    (stored,) = bench.states.alive.values()
    assert stored.state.marks[CAPTIONS].offset == 1


async def test_nothing_is_fed_before_the_states_are_loaded():
    bench = Bench()
    taking = asyncio.create_task(bench.caption(0))
    await asyncio.sleep(0)
    assert not taking.done()
    await bench.assign()
    await taking
    await until(lambda: bench.written)


async def test_nothing_of_an_older_generation_is_fed():
    bench = await Bench().assign()
    bench.inputs.generation = 2
    await bench.caption(0, generation=1)
    await bench.assign()
    await bench.caption(0, generation=2)
    await until(lambda: bench.written)
    assert len(bench.written) == 1


async def test_nothing_is_fed_across_a_gap_but_read_again_from_where_it_begins():
    bench = await Bench().assign()
    for offset in (3, 4, 5):
        await bench.caption(offset)
    assert bench.flow == [("pause", CAPTIONS_0)]
    await bench.worker.checkpoint()
    assert bench.flow == [("pause", CAPTIONS_0), ("rewind", CAPTIONS_0, 0), ("resume", CAPTIONS_0)]
    for offset in (6, 0, 0, 7, 1):
        await bench.caption(offset)
    await until(lambda: len(bench.written) == 2)
    assert len(bench.flow) == 3, "what was on its way before the rewind is no new gap"


async def test_a_gap_that_stays_is_closed_again():
    bench = await Bench().assign()
    await bench.caption(3)
    await bench.worker.checkpoint()
    bench.clock.seconds += DRAIN_S
    await bench.caption(3)
    await bench.worker.checkpoint()
    assert bench.flow.count(("rewind", CAPTIONS_0, 0)) == 2


async def test_an_input_that_stands_still_although_there_is_more_is_rewound():
    bench = await Bench().assign()
    bench.inputs.log_ends[CAPTIONS_0] = 3
    await bench.worker.checkpoint()
    await bench.caption(0)
    bench.clock.seconds += STANDSTILL_S
    await bench.worker.checkpoint()
    assert bench.flow == []
    bench.clock.seconds += STANDSTILL_S
    for _ in range(2):
        await bench.worker.checkpoint()
    assert bench.flow == [("pause", CAPTIONS_0), ("rewind", CAPTIONS_0, 1), ("resume", CAPTIONS_0)]


async def test_while_others_move_an_input_may_be_queueing_for_longer():
    bench = await Bench().assign()
    bench.inputs.log_ends[AUDIO_0] = 9
    await bench.worker.checkpoint()
    for offset in range(int(QUEUEING_S / 2)):
        assert bench.flow == []
        await bench.caption(offset)
        await until(lambda: not bench.worker._rendering._tasks)
        await bench.worker.checkpoint()
        bench.clock.seconds += 2.0
    await bench.worker.checkpoint()
    await bench.worker.checkpoint()
    assert bench.flow == [("pause", AUDIO_0), ("rewind", AUDIO_0, 0), ("resume", AUDIO_0)]


async def test_standing_still_means_nothing_while_outputs_are_waited_for():
    bench = await Bench().assign()
    bench.application.may_render.clear()
    bench.inputs.log_ends[CAPTIONS_0] = 9
    for offset in range(4):
        await bench.caption(offset)
    for _ in range(3):
        await bench.worker.checkpoint()
        bench.clock.seconds += STANDSTILL_S
    assert bench.flow == []
    bench.application.may_render.set()
    await until(lambda: len(bench.written) == 4)


async def test_a_gap_that_retention_made_is_stated_and_stepped_over():
    bench = await Bench().assign()
    bench.inputs.log_starts[CAPTIONS_0] = 7
    await bench.caption(7)
    await bench.worker.checkpoint()
    assert bench.flow == [("pause", CAPTIONS_0), ("rewind", CAPTIONS_0, 7), ("resume", CAPTIONS_0)]
    await bench.caption(7)
    await until(lambda: bench.written)


async def test_a_session_whose_end_retention_took_of_one_input_ends_with_the_others():
    bench = Bench()
    bench.inputs.log_starts[VIDEO_0] = bench.inputs.log_starts[CAPTIONS_0] = 40
    bench.inputs.first_ms = {VIDEO_0: 9_000, CAPTIONS_0: 9_000}
    await bench.assign()
    await bench.deliver(AUDIO_0, 0, frame("s", AUDIO, 1, 1000), written_s=2.0)
    await bench.deliver(AUDIO_0, 1, control("s", "end", 2, 2000), written_s=3.0)
    await until(lambda: "s|s/summary" in bench.written)


async def test_what_was_committed_and_deleted_since_is_stepped_over_at_the_start():
    bench = Bench()
    bench.inputs.offsets = {CAPTIONS_0: 2}
    bench.inputs.log_starts[CAPTIONS_0] = 5
    await bench.assign()
    await bench.caption(5)
    await until(lambda: bench.written)


async def test_a_loss_is_stated_before_anything_is_read_on():
    bench = Bench()
    bench.inputs.offsets = {CAPTIONS_0: 2}
    bench.inputs.log_starts[CAPTIONS_0] = 5
    bench.losses.errors = [TimedOut("kafka is slow")]
    await bench.assign()
    assert bench.losses.stated == [Place(*CAPTIONS_0)], "asked again until it was done"
    bench.inputs.log_starts[AUDIO_0] = 7
    await bench.deliver(AUDIO_0, 7, control("s", "tick", 1, 1000))
    bench.losses.errors = [TimedOut("kafka is slow")]
    await bench.worker.checkpoint()
    assert bench.flow == [("pause", AUDIO_0)], "not stated, not read on"
    await bench.worker.checkpoint()
    assert bench.losses.stated == [Place(*CAPTIONS_0), Place(*AUDIO_0)]
    assert bench.flow == [("pause", AUDIO_0), ("rewind", AUDIO_0, 7), ("resume", AUDIO_0)]


async def test_finished_sessions_expire_while_the_worker_runs():
    bench = await Bench().assign()
    for source in (AUDIO_0, VIDEO_0, CAPTIONS_0):
        await bench.deliver(source, 0, control("s", "end", 1, 1000))
    await until(lambda: bench.written and not bench.worker._rendering._tasks)
    await bench.worker.checkpoint()
    assert len(bench.states.alive) == 1
    bench.inputs.log_starts = dict.fromkeys((AUDIO_0, VIDEO_0), 1)
    bench.clock.seconds += 601
    await bench.worker.expire()
    assert len(bench.states.alive) == 1, "an input holds its end still"
    bench.inputs.log_starts[CAPTIONS_0] = 1
    await bench.worker.expire()
    assert len(bench.states.alive) == 1, "not so soon again"
    bench.clock.seconds += 601
    await bench.worker.expire()
    assert bench.states.alive == {}
    assert bench.worker._assignment.stored_count == 0


async def test_undecodable_input_becomes_a_dead_letter_and_counts_as_fed():
    bench = await Bench().assign()
    await bench.deliver(CAPTIONS_0, 0, b"garbage")
    await bench.deliver(CAPTIONS_0, 1, CODEC.encode(topics.TRANSCRIPTS, utterance("s", Work("x", ()))))
    await bench.deliver(CAPTIONS_0, 2, b"")
    await bench.worker.checkpoint()
    assert [(source, offset) for source, offset, _ in bench.outbox.refused] == [(CAPTIONS_0, n) for n in range(3)]
    assert bench.inputs.offsets[CAPTIONS_0] == 3


async def test_no_offset_is_committed_before_its_letter_is_written_and_one_that_cannot_be_ends_the_process():
    bench = await Bench().assign()
    written, refuse = asyncio.Event(), bench.outbox.refuse

    async def slowly(*arguments):
        await written.wait()
        await refuse(*arguments)

    bench.outbox.refuse = slowly
    await bench.deliver(CAPTIONS_0, 0, b"garbage")
    await bench.deliver(CAPTIONS_0, 1, b"garbage")
    checkpoint = asyncio.create_task(bench.worker.checkpoint())
    for _ in range(50):
        await asyncio.sleep(0)
    assert not checkpoint.done()
    assert CAPTIONS_0 not in bench.inputs.offsets
    written.set()
    await checkpoint
    assert bench.inputs.offsets[CAPTIONS_0] == 2
    bench.outbox.error = DeliveryFailed("away")
    await bench.deliver(CAPTIONS_0, 2, b"garbage")
    with pytest.raises(DeliveryFailed):
        await bench.worker.checkpoint()
    assert bench.inputs.offsets[CAPTIONS_0] == 2


async def test_a_flood_of_garbage_has_a_bounded_number_of_letters_under_way():
    bench = await Bench().assign()
    for number in range(5 * MAX_LETTERS):
        await bench.deliver(CAPTIONS_0, number, b"garbage")
        assert len(bench.worker._letters) < MAX_LETTERS
    await bench.worker.checkpoint()
    assert [offset for _, offset, _ in bench.outbox.refused] == list(range(5 * MAX_LETTERS))
    assert bench.inputs.offsets[CAPTIONS_0] == 5 * MAX_LETTERS


class Stumbling(ToyLogic):
    def observe(self, topic, part, record):
        if record.sequence == 1:
            raise RuntimeError("a fault of ours")
        return super().observe(topic, part, record)


async def test_a_record_that_the_logic_stumbles_over_is_put_aside_and_the_session_goes_on():
    bench = Bench()
    bench.application.logic = Stumbling()
    await bench.assign()
    await bench.caption(0)
    await bench.caption(1)
    await until(lambda: bench.written)
    await until(lambda: bench.outbox.refused == [(CAPTIONS_0, 0, "RuntimeError in the logic")])
    await until(lambda: not bench.worker._rendering._tasks)
    await bench.worker.checkpoint()
    assert bench.inputs.offsets[CAPTIONS_0] == 2


async def test_a_registry_that_is_away_makes_no_dead_letters():
    bench = Bench(registry_url="http://127.0.0.1:1")
    await bench.assign()
    foreign = Codec.with_ids_from(topics.ALL, start=1000)
    value = foreign.encode(topics.CAPTIONS, as_written(CAPTIONS, frame("s", CAPTIONS, 1, 1000)))
    await bench.deliver(CAPTIONS_0, 0, value)
    assert bench.outbox.refused == []
    assert bench.health.ready_report()[1]["conditions"]["registry"]["reason"].startswith("waiting for registry")
    await bench.worker.checkpoint()
    assert bench.flow == [("pause", CAPTIONS_0), ("rewind", CAPTIONS_0, 0), ("resume", CAPTIONS_0)]
    await bench.caption(0)
    assert bench.health.is_ready()
    await until(lambda: bench.written)


async def test_a_registry_is_not_waited_for_any_more_when_the_input_has_moved_away():
    bench = await Bench().assign()
    foreign = Codec.with_ids_from(topics.ALL, start=1000)
    value = foreign.encode(topics.CAPTIONS, as_written(CAPTIONS, frame("s", CAPTIONS, 1, 1000)))
    await bench.deliver(CAPTIONS_0, 0, value)
    assert not bench.health.is_ready()
    await bench.worker.on_revoked()
    await bench.assign()
    assert bench.health.is_ready()


async def test_asking_the_registry_does_not_hold_up_the_loop():
    """Faust sends its heartbeats from there."""
    bench, asked, may_answer = await Bench().assign(), threading.Event(), threading.Event()

    def slow(_error: object) -> None:
        asked.set()
        may_answer.wait(10)
        raise Undecodable("unknown schema id 1000")

    bench.worker._to.decoder._learn = slow
    foreign = Codec.with_ids_from(topics.ALL, start=1000)
    value = foreign.encode(topics.CAPTIONS, as_written(CAPTIONS, frame("s", CAPTIONS, 1, 1000)))
    taking = asyncio.create_task(bench.deliver(CAPTIONS_0, 0, value))
    await until(asked.is_set)  # while the loop stood still, this would not come back
    assert not taking.done()
    may_answer.set()
    await taking
    await until(lambda: bench.outbox.refused == [(CAPTIONS_0, 0, "unknown schema id 1000")])


async def test_checkpoints_that_cannot_go_on_end_the_process():
    bench = await Bench().assign()

    async def broken(_assignment: object) -> None:
        raise RuntimeError("a fault of ours")

    bench.worker._reading.update = broken
    running = asyncio.create_task(bench.worker.run())
    assert isinstance(await asyncio.wait_for(bench.worker.failure, PATIENCE_S), RuntimeError)
    await running


async def test_reading_waits_while_too_much_is_under_way():
    bench = await Bench().assign()
    bench.application.may_render.clear()
    for offset in range(4):
        await bench.caption(offset)
    taking = asyncio.create_task(bench.caption(4))
    await asyncio.sleep(0.01)
    assert not taking.done()
    bench.application.may_render.set()
    await taking
    await until(lambda: len(bench.written) == 5)


async def test_partitions_that_do_not_belong_together_end_the_process():
    bench = Bench()
    await bench.worker.on_assigned(None, {TP(AUDIO, 0), TP(VIDEO, 1), TP(CAPTIONS, 0)})
    assert isinstance(await asyncio.wait_for(bench.worker.failure, PATIENCE_S), NotCopartitioned)


async def test_a_revoke_saves_and_commits_and_forgets():
    bench = await Bench().assign()
    await bench.caption(0)
    await until(lambda: bench.written)
    await until(lambda: not bench.worker._rendering._tasks)
    await bench.worker.on_revoked(None, set())
    assert bench.inputs.offsets[CAPTIONS_0] == 1
    assert not bench.health.is_ready()
    bench.inputs.generation = 2
    await bench.assign()
    await bench.caption(0, generation=2)
    await bench.caption(1, generation=2)
    await until(lambda: len(bench.written) == 2)


async def test_giving_up_partitions_does_not_wait_for_ever():
    bench = await Bench(handover_s=0.05).assign()
    await bench.caption(0)

    async def never(unsaved: object, assignment: str) -> None:
        await asyncio.Event().wait()

    bench.states.save = never
    async with asyncio.timeout(PATIENCE_S):
        await bench.worker.hand_over()
    assert not bench.worker.failure.done()


async def test_a_leading_input_is_paused_and_resumed_by_rewinding():
    bench = await Bench(lead_bytes=100).assign()
    for offset in range(6):
        await bench.deliver(AUDIO_0, offset, frame("s", AUDIO, offset + 1, 1000, participant_id=3, voiced=True))
    await bench.worker.checkpoint()
    assert ("pause", AUDIO_0) in bench.inputs.diary
    await bench.deliver(AUDIO_0, 6, frame("s", AUDIO, 7, 1001, participant_id=3, voiced=True))
    await bench.deliver(AUDIO_0, 6, control("s", "tick", 8, 9000))
    await bench.worker.checkpoint()
    assert ("resume", AUDIO_0) not in bench.inputs.diary
    await bench.deliver(VIDEO_0, 0, control("s", "end", 1, 1000))
    await bench.worker.checkpoint()
    assert bench.flow == [("pause", AUDIO_0), ("rewind", AUDIO_0, 6), ("resume", AUDIO_0)]
    await bench.deliver(AUDIO_0, 6, control("s", "tick", 8, 9000))
    await until(lambda: bench.written)


async def test_the_loop_checkpoints_and_beats_until_cancelled():
    bench = await Bench().assign()
    await bench.deliver(AUDIO_0, 0, control("s", "tick", 1, 1000))
    running = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.inputs.offsets.get(AUDIO_0) == 1)
    assert bench.health.is_alive()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
