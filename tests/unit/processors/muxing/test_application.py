"""What cannot be written leaves a gap in the recording, with a letter that says so; never a recording that stops."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from av.error import ExternalError

from processors.muxing import mixing, segments
from processors.muxing.application import Muxing
from processors.muxing.logic import MuxingLogic, StretchWork
from processors.muxing.settings import MuxingSettings
from processors.shell.applications import Aside, Output
from schemas.records import Segment
from schemas.topics import AUDIO, SHARE, VIDEO
from tests.support.crash_simulation import undisturbed
from tests.support.media import START_MS, Shot, Talk, audio_records, silent, video_records, wrapped
from tests.support.muxed import SESSION, Decoded, decoded, joined

T = START_MS
NOTHING: dict[str, Any] = {}


def works() -> list[StretchWork]:
    meeting = {
        AUDIO.name: wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 6000)])),
        VIDEO.name: wrapped(SESSION, video_records(SESSION, [Shot(T, T + 6000)])),
        SHARE.name: silent(SESSION),
    }
    made = undisturbed(MuxingLogic(), {SESSION: meeting}, lambda _, work: (str(id(work)), work))  # type: ignore[arg-type,return-value]
    stretches = [work for work in made.values() if isinstance(work, StretchWork)]
    return sorted(stretches, key=lambda work: work.start_ms)


def rendered() -> tuple[list[Segment], list[Aside]]:
    async def all_of_them() -> list[Output | Aside]:
        application = Muxing(MuxingSettings())
        await application.start()
        results: list[Sequence[Output | Aside]] = [await application.render(SESSION, work) for work in works()]
        await application.stop()
        return [output for outputs in results for output in outputs]

    outputs = asyncio.run(all_of_them())
    parts = [output.record for output in outputs if isinstance(output, Output)]
    return [p for p in parts if isinstance(p, Segment)], [aside for aside in outputs if isinstance(aside, Aside)]


def failing(function: Callable[..., Any], argument: int) -> Callable[..., Any]:
    """The function, but a fault where that argument has anything in it."""

    def call(*arguments: Any) -> Any:
        if arguments[argument]:
            raise OverflowError("int too big to convert")
        return function(*arguments)

    return call


def played(parts: list[Segment]) -> Decoded:
    result = decoded(joined(parts))
    assert result.errors == []
    return result


def test_pictures_that_cannot_be_written_are_black(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, none = rendered()
    assert none == []
    monkeypatch.setattr(segments, "header", failing(segments.header, 0))
    parts, asides = rendered()
    assert [part.segment_id for part in parts] == [part.segment_id for part in expected]
    assert [(part.start_ms, part.duration_ms) for part in parts] == [(p.start_ms, p.duration_ms) for p in expected]
    result = played(parts)
    assert max(float(luma.mean()) for luma in result.lumas) < 2
    assert result.rms(0.2, 5.8) > 0.05
    reason = "OverflowError while writing a segment: left out its pictures"
    assert [aside.reason for aside in asides] == [reason] * len(parts)
    assert all(aside.data for aside in asides)
    assert rendered() == (parts, asides)


def test_sound_that_cannot_be_written_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "mix", failing(mixing.mix, 0))
    parts, asides = rendered()
    result = played(parts)
    assert min(float(luma.mean()) for luma in result.lumas) > 60
    assert abs(result.audio).max() < 1e-4
    assert {aside.reason.rpartition("its ")[2] for aside in asides} == {"sound"}


def test_a_stretch_of_which_nothing_can_be_written_is_put_aside_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "fragment", failing(segments.fragment, 0))
    parts, asides = rendered()
    assert parts == []
    assert {aside.reason for aside in asides} == {"OverflowError while writing a segment: left out"}


def test_pictures_that_the_library_refuses_are_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*arguments: Any) -> Any:
        if arguments[0]:
            raise ExternalError(1, "refused")
        return header(*arguments)

    header = segments.header
    monkeypatch.setattr(segments, "header", refusing)
    parts, asides = rendered()
    assert max(float(luma.mean()) for luma in played(parts).lumas) < 2
    assert [aside.reason for aside in asides] == ["ExternalError while writing a segment: left out its pictures"] * len(
        parts
    )


def test_what_another_process_could_do_better_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(segments, "header", exhausted)
    with pytest.raises(MemoryError):
        rendered()
