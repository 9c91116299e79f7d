"""Faults as data: read from JSON and from a command line, used up at handshakes, refused when they make no sense."""

from typing import Any

import pytest

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.faults import EXPLANATIONS, BadFault, Fault, FaultKind, Faults, parse_fault, read_fault


def test_from_json_and_from_a_command_line() -> None:
    wanted = Fault(kind=FaultKind.CUT_MEDIA, medium=Medium.VIDEO, at_s=20.5)
    assert read_fault({"kind": "cut_media", "medium": "video", "at_s": 20.5}) == wanted
    assert parse_fault("cut_media:medium=video,at_s=20.5") == wanted
    assert parse_fault("string_ids") == Fault(kind=FaultKind.STRING_IDS)
    assert parse_fault("pause:at_s=1,for_s=2") == Fault(kind=FaultKind.PAUSE, at_s=1.0, for_s=2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], {}, {"kind": "nonsense"}, {"kind": "pause"}, {"kind": "late_start", "for_s": -1},
        {"kind": "binary", "colour": "red"}, {"kind": "cut_media", "medium": "smell"}, {"kind": "pause", "for_s": "x"},
        {"kind": ["pause"]}, {"kind": "refuse_media", "times": None, "status": "many"},
        {"kind": "refuse_media", "times": 0}, {"kind": "refuse_media", "status": 0}, {"kind": "move", "at_s": -1},
        {"kind": "move", "at_s": float("nan")}, {"kind": "pause", "for_s": float("inf")},
        {"kind": "large_picture", "bytes": 2**40},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(BadFault):
        read_fault(wrong)


@pytest.mark.parametrize(
    ("without_effect", "words"),
    [
        ({"kind": "binary", "at_s": 5}, "binary takes no 'at_s'; it takes: nothing"),
        ({"kind": "pause", "for_s": 5, "medium": "audio"}, "pause takes no 'medium'; it takes: at_s, for_s"),
        ({"kind": "cut_signalling", "times": 3}, "cut_signalling takes no 'times'; it takes: at_s"),
        ({"kind": "cut_media", "medium": "events"}, "events have no socket of their own"),
    ],
)
def test_what_would_have_no_effect_is_refused(without_effect: dict[str, Any], words: str) -> None:
    with pytest.raises(BadFault, match=words):
        read_fault(without_effect)


def test_in_a_meeting_that_runs_faults_happen_now_and_habits_begin() -> None:
    faults = Faults()
    for kind in (FaultKind.MOVE, FaultKind.BINARY, FaultKind.UNHEARD_CLOSE, FaultKind.CLOSE_MEDIA):
        faults.add(Fault(kind=kind), 7.5)
    assert faults.timed() == [Fault(kind=FaultKind.MOVE, at_s=7.5)]
    assert faults.has(FaultKind.BINARY)
    assert faults.has(FaultKind.UNHEARD_CLOSE)
    assert faults.take((FaultKind.CLOSE_MEDIA,), at_s=7.5)
    for late in (Fault(kind=FaultKind.LATE_START, for_s=5), Fault(kind=FaultKind.DUPLICATE_WEBHOOK)):
        with pytest.raises(BadFault, match="has to be there when the meeting starts"):
            faults.add(late, 7.5)


def test_faults_at_handshakes_are_used_up() -> None:
    faults = Faults(
        [
            Fault(kind=FaultKind.REFUSE_MEDIA, status=16, times=2, medium=Medium.AUDIO),
            Fault(kind=FaultKind.STRING_IDS),
        ]
    )
    kinds = (FaultKind.REFUSE_MEDIA, FaultKind.CLOSE_MEDIA)
    assert faults.take(kinds, frozenset({Medium.VIDEO})) is None
    taken = [faults.take(kinds, frozenset({Medium.AUDIO, Medium.CHAT})) for _ in range(3)]
    assert [fault.status if fault else None for fault in taken] == [16, 16, None]
    assert faults.has(FaultKind.STRING_IDS)
    assert faults.take((FaultKind.STRING_IDS,)) is None, "habits stay"
    assert faults.has(FaultKind.STRING_IDS)


def test_how_late_the_client_is_told() -> None:
    assert Faults().late_by_ms() == 0
    assert Faults([Fault(kind=FaultKind.LATE_START, for_s=60)]).late_by_ms() == 60_000


def test_every_kind_is_explained() -> None:
    assert set(EXPLANATIONS) == set(FaultKind)
