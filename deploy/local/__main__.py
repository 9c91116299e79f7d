"""`python -m deploy.local`: the whole pipeline on one machine."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from deploy.local.settings import LocalSettings


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="fetch what is missing and prepare it, so that everything later is quick")
    commands.add_parser("up", help="start everything and keep it up until Ctrl-C")
    commands.add_parser("demo", help="run a simulated meeting through everything", add_help=False)
    options, rest = parser.parse_known_args()
    if options.command == "demo":
        code: int = import_module("deploy.local.demo.command").main(rest)
        return code
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    if options.command == "setup":
        return int(import_module("deploy.local.preparation").prepare(LocalSettings()))
    return int(import_module("deploy.local.up").up(LocalSettings()))


if __name__ == "__main__":
    sys.exit(main())
