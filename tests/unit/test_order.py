"""Every path that has a place in the order of the tests is there, and a file goes where its nearest name says."""

import itertools

from deploy.local.settings import REPOSITORY
from tests.support.order import UNITS, below_tests, unit_of


def test_every_path_is_there_once() -> None:
    paths = [*itertools.chain.from_iterable(UNITS)]
    assert [path for path in paths if not (REPOSITORY / "tests" / path).exists()] == []
    assert len(set(paths)) == len(paths)


def test_a_folder_stays_together_and_anything_else_is_by_itself() -> None:
    kafka = {unit_of(f"integration/kafka/test_{name}.py") for name in ("view", "tail")}
    assert len(kafka) == 1
    assert unit_of("integration/kafka_tools/test_any.py") not in kafka
    assert unit_of("unit/test_order.py") == "unit/test_order.py"


def test_the_path_of_a_test() -> None:
    assert below_tests("tests/unit/test_order.py::test_it[a::b]") == "unit/test_order.py"
