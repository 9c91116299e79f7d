"""A soak empties its own folder, and nobody else's."""

from pathlib import Path

import pytest

from tests.soak.folder import LOG, Taken, made_anew


def test_it_is_empty_and_what_a_soak_left_there_is_gone(tmp_path: Path) -> None:
    for _ in range(2):
        with made_anew(tmp_path / "run" / "soak") as log:
            assert [path.name for path in log.parent.iterdir()] == [LOG]
            (log.parent / "kafka").mkdir()


def test_what_is_no_soaks_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to-ada").write_text("Dear Ada")
    for folder in (tmp_path / "letters", tmp_path / "letters" / "to-ada"):
        with pytest.raises(Taken, match="no soak's"), made_anew(folder):
            pass
    assert (tmp_path / "letters" / "to-ada").read_text() == "Dear Ada"


def test_one_that_runs_is_left_alone(tmp_path: Path) -> None:
    with made_anew(tmp_path / "soak") as log:
        with pytest.raises(Taken, match="another soak"), made_anew(tmp_path / "soak"):
            pass
        assert log.exists()
    with made_anew(tmp_path / "soak"):
        pass
