"""The drawn states are the states."""

from __future__ import annotations

from scripts.diagrams import TARGET, document


def test_the_drawing_is_up_to_date() -> None:
    assert TARGET.read_text() == document(), "run python -m scripts.diagrams"


def test_every_state_phase_and_message_is_in_it() -> None:
    drawn = document()
    for word in ("running --> leaving: asked to close", "up --> waiting: failed", "| 12 KEEP_ALIVE_REQ | keep alive |"):
        assert word in drawn
    assert drawn.count("| 29 VIDEO_SUBSCRIPTION_RESP |") == 2
