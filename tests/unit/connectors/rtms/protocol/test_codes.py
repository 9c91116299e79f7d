"""Numbers have names, and numbers without one do no harm."""

from enum import IntEnum

import pytest

from connectors.rtms.protocol import codes


@pytest.mark.parametrize(
    ("enumeration", "numbers"),
    [
        (codes.MessageType, range(30)),
        (codes.EventType, range(15)),
        (codes.ContactCenterEventType, range(8, 30)),
        (codes.StopReason, range(27)),
        (codes.Status, range(48)),
        (codes.StreamState, range(7)),
        (codes.SessionState, range(6)),
        (codes.MediaCodec, range(8)),
        (codes.SampleRate, range(4)),
        (codes.DataOption, range(6)),
        (codes.Resolution, range(1, 5)),
        (codes.ContentType, range(6)),
    ],
)
def test_every_number_of_the_documents_has_a_name(enumeration: type[IntEnum], numbers: range) -> None:
    assert [member.value for member in enumeration] == list(numbers)


def test_the_media_mask_is_made_of_bits() -> None:
    assert [int(media) for media in codes.MEDIA_TYPE_OF.values()] == [1, 2, 4, 8, 16]
    assert int(codes.MediaType.ALL) == 32


def test_unknown_numbers_are_shown_and_never_raise() -> None:
    assert codes.known(codes.Status, 8) is codes.Status.DUPLICATE_SIGNAL_REQUEST
    assert codes.known(codes.Status, 4711) is None
    assert codes.known(codes.Status, None) is None
    assert codes.name_of(codes.StopReason, 6) == "meeting_ended"
    assert codes.name_of(codes.StopReason, 99) == "unknown_99"


def test_eight_kilohertz_is_number_zero() -> None:
    assert codes.HZ_OF[codes.SampleRate(0)] == 8_000
