"""`python -m deploy.local.clickhouse`: ClickHouse's engine behind its own HTTP interface, for one machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.local.clickhouse.engine import Engine
from deploy.local.clickhouse.routes import Routes
from deploy.local.endpoint import serve


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.clickhouse", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument("--path", type=Path, required=True, help="folder that keeps the data; one process at a time")
    arguments = parser.parse_args()
    path = arguments.path.resolve()
    engine = Engine(path)
    try:
        serve(arguments.port, Routes(engine, path.with_name(path.name + "-incoming")))
    finally:
        engine.close()


if __name__ == "__main__":
    main()
