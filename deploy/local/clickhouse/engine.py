"""ClickHouse's engine inside this process: one data folder, any number of concurrent connections.

The extension module is loaded by itself, without the Python package around it: the package's own modules want pandas
and pyarrow, which nothing here uses.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.machinery
import importlib.util
import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

_EXTENSION = "_chdb.abi3.so"
_RTLD_DEEPBIND = 0x00008
_CONCURRENT_QUERIES = 16
_CODE = re.compile(r"Code: (\d+)\.")


class Query(NamedTuple):
    """One statement with everything that belongs to it."""

    sql: str
    output_format: str
    database: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]


class Answer(NamedTuple):
    """The result, rendered in the format asked for."""

    body: bytes
    rows: int


class EngineError(Exception):
    """The engine refused or failed a statement; `code` is ClickHouse's own."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        found = _CODE.search(message)
        self.code = int(found[1]) if found else 1002


class Engine:
    """The engine on one folder. A second process on the same folder is refused by the engine itself."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._data = data
        self._extension = _load_extension()
        # The engine lives as long as a connection does: this one is for its whole life.
        self._anchor = self._extension.connect(str(data))
        self._slots = threading.BoundedSemaphore(_CONCURRENT_QUERIES)
        self.version = self._constant("version()")
        self.timezone = self._constant("timezone()")
        self.settings = frozenset(self._column("SELECT name FROM system.settings"))

    def run(self, query: Query) -> Answer:
        """Run one statement with settings of its own; raises EngineError."""
        with self._slots:
            connection = self._extension.connect(str(self._data))
            try:
                _prepare(connection, query)
                result = _query(connection, query.sql, query.output_format, query.parameters)
                return Answer(bytes(result.bytes()), int(result.rows_read()))
            finally:
                connection.close()

    def close(self) -> None:
        """Let go of the folder."""
        with contextlib.suppress(RuntimeError):
            self._anchor.close()

    def _constant(self, expression: str) -> str:
        return self._column(f"SELECT {expression}")[0]

    def _column(self, sql: str) -> list[str]:
        return bytes(_query(self._anchor, sql, "TabSeparated", {}).bytes()).decode().splitlines()


def literal(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(text: str) -> str:
    """The text as an SQL name."""
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _prepare(connection: Any, query: Query) -> None:
    if query.database:
        _query(connection, f"USE {identifier(query.database)}", "Null", {})
    if query.settings:
        assignments = ", ".join(f"{name} = {literal(value)}" for name, value in query.settings.items())
        _query(connection, f"SET {assignments}", "Null", {})


def _query(connection: Any, sql: str, output_format: str, parameters: Mapping[str, str]) -> Any:
    try:
        result = connection.query(sql, output_format, params=dict(parameters))
    except RuntimeError as failure:
        raise EngineError(str(failure)) from None
    if result.has_error():
        raise EngineError(result.error_message())
    return result


def _load_extension() -> ModuleType:
    package = importlib.util.find_spec("chdb")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the ClickHouse engine is not installed: install the package chdb-core-lite")
    folder = Path(package.submodule_search_locations[0])
    path = str(folder / _EXTENSION)
    before = Path.cwd()
    os.chdir(folder)  # the extension finds its sibling libraries relative to the working folder
    try:
        if sys.platform == "linux":
            # Bound deeply, so that the engine's allocator is not mixed with another library's.
            ctypes.CDLL(path, mode=sys.getdlopenflags() | _RTLD_DEEPBIND)
        loader = importlib.machinery.ExtensionFileLoader("_chdb", path)
        spec = importlib.util.spec_from_file_location("_chdb", path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    finally:
        os.chdir(before)
    return module
