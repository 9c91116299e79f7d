"""docs/operations.md lists every reason that a dead letter can have, and none that none has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "operations.md"
ROOMS = ("connectors", "ingest", "processors", "schemas", "sinks")
NO_INPUT_OF_OURS = {REPOSITORY / "connectors" / "rtms" / "protocol" / "webhooks.py"}
"""What the API refuses there is answered, not put aside."""

REASON_AT = {
    "Aside": 0, "Undecodable": 0, "Unusable": 0, "Unfit": 0, "FrameRejected": 1, "_check": 1, "_letter": 1,
    "_put_aside": 0, "_reject": 1, "_refuse": -1, "put_aside": 0,
}  # fmt: skip
"""Who is told a reason, and as which argument."""

GAP = "…"


def test_the_page_and_the_code_have_the_same_reasons() -> None:
    table = PAGE.read_text().partition("| reason |")[2].partition("\n\n")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    listed = {reason for cell in first_cells for reason in re.findall(r"`([^`]+)`", cell)}
    assert listed == set(reasons())


def reasons() -> Iterator[str]:
    modules = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts): ast.parse(path.read_text())
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*.py")
        if path not in NO_INPUT_OF_OURS
    }
    own = {name: dict(_constants(module)) for name, module in modules.items()}
    for name, module in modules.items():
        known = own[name] | dict(_imported(module, own))
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and "Undecodable" in {ast.unparse(base) for base in node.bases}:
                yield from _texts(_call(node, "super().__init__").args[0], module, known)
            elif isinstance(node, ast.Call) and (at := REASON_AT.get(_name(node))) is not None:
                yield from (text for told in node.args[at:][:1] for text in _texts(told, module, known))


def _texts(node: ast.expr, module: ast.Module, constants: dict[str, str]) -> Iterator[str]:
    """What an expression can say."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from (*_texts(one, module, constants), *_texts(other, module, constants))
        case ast.Name(id=name):
            yield from [constants[name]] if name in constants else _assigned(name, module, constants)


def _assigned(name: str, module: ast.Module, constants: dict[str, str]) -> Iterator[str]:
    """What a variable of this name can say, anywhere in the module."""
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            yield from _texts(node.value, module, constants)


def _constants(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _imported(module: ast.Module, constants: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            there = constants.get(node.module or "", {})
            yield from ((each.asname or each.name, there[each.name]) for each in node.names if each.name in there)


def _call(node: ast.AST, function: str) -> ast.Call:
    return next(
        found for found in ast.walk(node) if isinstance(found, ast.Call) and ast.unparse(found.func) == function
    )


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]
