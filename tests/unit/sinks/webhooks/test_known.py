"""What was added is known, what was not is not, and a million takes what a million small numbers take."""

import sys

from sinks.webhooks.known import LEAST_LOOSE, Known


def test_what_was_added_is_known_and_nothing_else():
    known, names = Known(), [f"whd_{number}" for number in range(10 * LEAST_LOOSE)]
    for count, name in enumerate(names):
        assert name not in known
        known.add(name)
        known.add(name)
        assert len(known) == count + 1
    assert all(name in known for name in names)
    assert not any(f"whd_{number}x" in known for number in range(1000))


def test_it_takes_little_room():
    known = Known()
    for number in range(20_000):
        known.add(f"whd_{number}")
    assert sys.getsizeof(known._sorted) + sys.getsizeof(known._loose) < 20_000 * 9
