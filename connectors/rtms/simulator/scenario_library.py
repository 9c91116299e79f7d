"""The scenarios that come with the simulator, by name: the files in `scenarios/`, without their ending."""

from functools import cache
from pathlib import Path

from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.scenario import BadScenario, read_file

FOLDER = Path(__file__).parent / "scenarios"


@cache
def names() -> tuple[str, ...]:
    """All of them, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load(name: str) -> MeetingRequest:
    """The scenario of that name.

    Raises:
        BadScenario: there is none.
    """
    if name not in names():
        raise BadScenario(f"there is no scenario {name!r}; there are: {', '.join(names())}")
    return read_file(FOLDER / f"{name}.toml")


def find(name_or_file: str) -> MeetingRequest:
    """What a command line names: a file if there is one of that name or it looks like one, else one of the library.

    Raises:
        BadScenario: there is neither, or it makes no sense.
    """
    path = Path(name_or_file)
    if path.suffix in (".toml", ".json") or path.is_file():
        try:
            return read_file(path)
        except OSError as error:
            raise BadScenario(f"{path}: {error.strerror}") from None
    return load(name_or_file)


def listing() -> str:
    """One line a scenario: its name and what it is about."""
    width = max(len(name) for name in names())
    return "\n".join(f"{name:<{width}}  {load(name).about}" for name in names())
