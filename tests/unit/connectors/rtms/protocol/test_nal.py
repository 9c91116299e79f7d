"""Key frames, told from few bytes."""

import pytest

from connectors.rtms.protocol.nal import is_key_frame

LONG, SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"
SPS, PPS, SEI, AUD = b"\x67aa", b"\x68bb", b"\x06cc", b"\x09\xf0"
IDR, P = b"\x65payload", b"\x41payload"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (LONG + IDR, True),
        (SHORT + IDR, True),
        (LONG + SPS + LONG + PPS + LONG + IDR, True),
        (LONG + AUD + LONG + SEI + SHORT + IDR + SHORT + IDR, True),
        (LONG + P, False),
        (LONG + AUD + SHORT + P + SHORT + IDR, False),  # the first coded slice decides
        (LONG + SPS + LONG + PPS, False),  # nothing to look at
        (LONG, False),
        (b"", False),
        (b"\x00\x00", False),
        (LONG + SPS + SHORT, False),
        (b"\xff\xd8\xff\xe0 a jpeg", True),
        (b"\x89PNG\r\n", True),
        (b"neither", False),
        (LONG + b"\x25x", True),  # other reference bits, still an IDR slice
        (LONG + b"\x01x", False),
    ],
)
def test_is_key_frame(payload: bytes, expected: bool) -> None:
    assert is_key_frame(payload) is expected
