"""What the fuzzer starts from: Zoom's words by themselves, and each of them after the handshakes, on its socket."""

from pathlib import Path

from tests.fuzz.target import SEPARATOR
from tests.support.goldens import GOLDENS, MESSAGES

ANSWERS = (GOLDENS["02-signaling-handshake-response"], GOLDENS["04-media-handshake-response"])
"""The first line goes to signalling, the second to media, and so on in turn."""


def seeds() -> dict[str, bytes]:
    """Inputs for `target` by name."""
    talks = {f"talk.{name}": SEPARATOR.join((*ANSWERS, data, data)) for name, data in MESSAGES.items()}
    return GOLDENS | talks


def write_seeds(folder: Path) -> None:
    """One file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)
