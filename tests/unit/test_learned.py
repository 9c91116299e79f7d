"""What msgspec reads is learned while modules are imported: a first use is no matter for two threads.

A process was killed by SIGSEGV where two threads read a class for the first time (`schemas.learned`).
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
READERS = ("ingest", "connectors", "processors", "sinks", "schemas", "api", "deploy")
ALONE = "connectors/rtms/simulator"
"""Reads with one thread; it is no service."""

CONVERTED = {
    ("schemas/codec.py", "_CLASS_OF[topic.name]"),
    ("schemas/settings.py", "SessionSettings"),
    ("api/control_plane/archive.py", "Archive"),
}
"""Who converts to what; `FIRST_READ` looks whether all of it was learned before."""

FIRST_READ = """
import sys
from contextlib import suppress
import msgspec
from api.control_plane.archive import Archive
from schemas import codec
from schemas.settings import SessionSettings

def learning(frame, event, _):
    if event == "call" and frame.f_code.co_filename == msgspec._utils.__file__:
        print(frame.f_code.co_name, "for", wanted.__name__)

sys.setprofile(learning)
for wanted in (*codec._CLASS_OF.values(), SessionSettings, Archive):
    with suppress(msgspec.ValidationError):
        msgspec.convert({}, wanted)
"""


def calls() -> Iterator[tuple[str, str, ast.Call, bool]]:
    """Each call of msgspec's: the file, the function's name, the call, and whether it stands in a function."""
    for path in sorted(path for room in READERS for path in (ROOT / room).rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        within = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)).startswith("msgspec."):
                yield file, name, node, id(node) in within


def test_no_class_is_learned_while_messages_are_read() -> None:
    late = [
        f"{file}:{call.lineno}"
        for file, name, call, is_within in calls()
        if (name.endswith(".decode") and (len(call.args) > 1 or call.keywords))
        or (name.endswith(".Decoder") and is_within and file != "schemas/learned.py")
    ]
    assert not late, "a decoder of the module's own is made while it is imported"


def test_all_that_is_converted_to_is_looked_at_here() -> None:
    converted = {
        (file, ast.unparse(call.args[1]))
        for file, name, call, _ in calls()
        if name == "msgspec.convert" and not file.startswith(ALONE)
    }
    assert converted == CONVERTED


def test_a_first_reading_learns_nothing() -> None:
    told = subprocess.run([sys.executable, "-c", FIRST_READ], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == ""
