"""`python -m scripts.chart`: write what is made from the settings classes and the chart's values; `--check` compares.

Made are the chart's values.schema.json, its dashboards and, by helm-docs, its README; the image's lock,
docs/configuration.md and docs/metrics.md.
"""

from __future__ import annotations

import argparse
import sys

from scripts.chart import helm_docs
from scripts.chart.catalogue import REPOSITORY
from scripts.chart.documents import CHART, documents
from scripts.chart.go import NoGo
from scripts.chart.tools import Unavailable


def main() -> int:
    """The exit code: 1 when `--check` finds a stale file, or the README could not be made."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chart", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    check = parser.parse_args().check
    made, problem = documents(), ""
    try:
        made[CHART / "README.md"] = helm_docs.document(CHART)
    except NoGo as missing:
        print(f"chart tools: {missing}; the chart's README is left as it is", file=sys.stderr)
    except (Unavailable, helm_docs.Refused) as found:
        problem = str(found)
    stale = {path: text for path, text in made.items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        name = path.relative_to(REPOSITORY)
        if check:
            print(f"{name} is out of date: run make made", file=sys.stderr)
        else:
            path.write_text(text)
            print(name)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
