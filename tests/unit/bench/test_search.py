import pytest

from tests.bench.search import Search


def found(capacity, tries, start=24, limit=0.8, cost=None):
    """The answer and the numbers tried, for a receiver that carries `capacity` at the limit."""
    search, asked = Search(start, limit, tries), []
    while (number := search.next()) is not None:
        asked.append(number)
        load = (cost or (lambda n: n * limit / max(capacity, 0.1)))(number)
        search.tell(number, load, passed=number <= capacity)
    return search.best, asked


@pytest.mark.parametrize("capacity", [3, 24, 25, 90, 400])
def test_a_load_that_grows_with_the_number_is_found_at_once(capacity):
    best, asked = found(capacity, tries=4)
    assert best == capacity
    assert len(asked) == len(set(asked)) <= 4


@pytest.mark.parametrize("capacity", [1, 2, 7, 45, 90, 333])
def test_whatever_the_load_says_the_answer_is_close_below(capacity):
    for misleading in (0.0, 0.01, 5.0):
        best, asked = found(capacity, tries=60, cost=lambda _number, load=misleading: load)
        assert best <= capacity < best * 1.06 + 2, (misleading, asked)
        assert len(asked) < 60


def test_nothing_passes():
    assert found(0, tries=20)[0] == 0


def test_it_never_asks_for_more_than_has_failed_nor_for_less_than_has_passed():
    _, asked = found(50, tries=20, cost=lambda number: 0.2 if number <= 50 else 3.0)
    passed, failed = 0, 10**9
    for number in asked:
        assert passed < number < failed
        passed, failed = (number, failed) if number <= 50 else (passed, number)


def test_tries_are_limited():
    assert len(found(90, tries=2, cost=lambda number: 0.79)[1]) == 2
