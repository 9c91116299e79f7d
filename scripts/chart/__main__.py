"""`python -m scripts.chart`: write what is made from the settings classes and the chart's values; `--check` compares.

Made are the chart's values.schema.json, its dashboards and its README's table, the image's lock,
docs/configuration.md and docs/metrics.md.
"""

from __future__ import annotations

import argparse
import sys

from scripts.chart.catalogue import REPOSITORY
from scripts.chart.documents import documents


def main() -> int:
    """The exit code: 1 when `--check` finds a stale file."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chart", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    check = parser.parse_args().check
    stale = {path: text for path, text in documents().items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        name = path.relative_to(REPOSITORY)
        if check:
            print(f"{name} is out of date: run make made", file=sys.stderr)
        else:
            path.write_text(text)
            print(name)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
