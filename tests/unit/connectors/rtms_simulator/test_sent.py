"""What was sent, packed, reads like a list of it."""

import sys
import zlib

from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.sent import Sent, SentFrames

numbers = st.integers(-(2**63), 2**63 - 1)
frames = st.lists(st.tuples(st.sampled_from(Medium), numbers, numbers, st.binary(max_size=20)))


def filled(wanted: list[tuple[Medium, int, int, bytes]]) -> SentFrames:
    found = SentFrames()
    for frame in wanted:
        found.add(*frame)
    return found


@given(frames, st.slices(20))
def test_it_reads_like_a_list(wanted: list[tuple[Medium, int, int, bytes]], part: slice) -> None:
    meant = [Sent(medium, who, at_ms, len(data), zlib.crc32(data)) for medium, who, at_ms, data in wanted]
    found = filled(wanted)
    assert (list(found), len(found), found[part]) == (meant, len(meant), meant[part])
    assert [found[number] for number in range(-len(meant), len(meant))] == meant * 2


def test_it_may_grow_while_somebody_reads() -> None:
    found = filled([(Medium.AUDIO, 1, 2, b"x")] * 3)
    reading = iter(found)
    first = next(reading)
    found.add(Medium.VIDEO, 3, 4, b"y")
    assert [first, *reading] == list(found)[:3]


def test_a_frame_takes_little_memory() -> None:
    found = filled([(Medium.VIDEO, 16778240, 1_700_000_000_000, b"x")] * 10_000)
    assert sys.getsizeof(found._rows) < 10_000 * 32
