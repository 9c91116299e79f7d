"""Messages of however many pieces: the same whole, and no more memory than the whole takes."""

import tracemalloc

import pytest

from connectors.rtms.transport.sockets import Fragments
from schemas.excerpts import excerpt_of

LIMIT = 100_000


def joined(*pieces: bytes) -> object:
    fragments = Fragments(LIMIT)
    heard = [fragments.add(piece, last=number == len(pieces) - 1) for number, piece in enumerate(pieces)]
    assert heard[:-1] == [None] * (len(pieces) - 1)
    assert fragments.add(b"next", last=True) == b"next"
    return heard[-1]


@pytest.mark.parametrize("pieces", [(b"",), (b"a",), (b"", b""), (b"", b"a", b"", b"b"), (b"a" * LIMIT,)])
def test_they_are_the_message(pieces: tuple[bytes, ...]) -> None:
    assert joined(*pieces) == b"".join(pieces)


@pytest.mark.parametrize(
    "pieces", [(b"a" * (LIMIT + 1),), (b"a" * LIMIT, b"b"), (b"a", b"b" * LIMIT, b"c"), (b"ab" * LIMIT, b"")]
)
def test_of_too_large_a_message_there_is_an_excerpt(pieces: tuple[bytes, ...]) -> None:
    assert joined(*pieces) == excerpt_of(b"".join(pieces))


@pytest.mark.parametrize("piece", [b"", b"ab"])
def test_a_message_of_endless_pieces_takes_no_more_than_it_holds(piece: bytes) -> None:
    fragments = Fragments(LIMIT)
    tracemalloc.start()
    for _ in range(50_000):
        assert fragments.add(bytes(piece), last=False) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * LIMIT
    assert fragments.add(b"", last=True) == piece * 50_000
