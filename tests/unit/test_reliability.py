"""docs/reliability.md names the tests of its promises; a test that is gone proves nothing."""

import re

from deploy.local.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reliability.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"tests/[\w/]+(?:\.py)?", PAGE))
    assert len(named) > 10
    assert sorted(path for path in named if not (REPOSITORY / path).exists()) == []
    alone = set(re.findall(r"`(test_\w+\.py)`", PAGE))
    assert sorted(name for name in alone if not list((REPOSITORY / "tests").rglob(name))) == []


def test_every_promise_names_one() -> None:
    table = PAGE.partition("## Promises")[2].partition("*Identical*")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "what is promised" not in line]
    assert len(rows) >= 8
    assert [row for row in rows if "`tests/" not in row.rpartition(" | ")[2]] == []
