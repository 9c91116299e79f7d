"""`python -m deploy.local.registry`: a schema registry with the Confluent REST contract, for one machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.local.endpoint import serve
from deploy.local.registry.routes import Routes
from deploy.local.registry.subjects import Subjects


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.registry", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder that keeps the schemas")
    arguments = parser.parse_args()
    serve(arguments.port, Routes(Subjects(arguments.data_dir)))


if __name__ == "__main__":
    main()
