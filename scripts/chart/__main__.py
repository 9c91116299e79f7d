"""`python -m scripts.chart`: write what is made from the settings classes and the chart's values; `--check` compares.

Made are the chart's values.schema.json, its dashboards and its README's table,
the image's lock, and docs/configuration.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from scripts.chart import configuration, dashboards, image_lock, values_reference, values_schema
from scripts.chart.catalogue import REPOSITORY, groups

CHART = REPOSITORY / "deploy" / "helm" / "rtms-pipeline"
BEGIN, END = "<!-- values: made by `python -m scripts.chart` -->\n", "<!-- end of values -->"


def workloads() -> dict[str, Any]:
    """The chart's table of what each workload is."""
    table: dict[str, Any] = yaml.safe_load((CHART / "files" / "workloads.yaml").read_text())
    return table


def fixed_variables() -> set[str]:
    """What the chart sets by itself, whatever the values say."""
    fixed = yaml.safe_load((CHART / "files" / "fixed.yaml").read_text())
    identities = {name for facts in workloads().values() for name in facts.get("identity", ())}
    return {*fixed["environment"], *fixed["http"], *identities, "RTMS_KAFKA_CLIENT_ID", "RTMS_SINK_OBJECTS_SCRATCH_DIR"}


def documents() -> dict[Path, str]:
    """Every made file with the text it must have."""
    catalogue, table = groups(), workloads()
    running = [name for name, facts in table.items() if "args" in facts]
    readers = {name: facts["settings"] for name, facts in table.items()}
    readme = CHART / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    made = values_reference.table((CHART / "values.yaml").read_text())
    pages = {CHART / "dashboards" / f"{page.uid}.json": dashboards.document(page) for page in dashboards.DASHBOARDS}
    return pages | {
        REPOSITORY / "deploy" / "docker" / "requirements.lock": image_lock.document(),
        CHART / "values.schema.json": values_schema.document(catalogue, running, fixed_variables()),
        REPOSITORY / "docs" / "configuration.md": configuration.document(catalogue, readers),
        readme: f"{before}{BEGIN}\n{made}\n\n{END}{after}",
    }


def main() -> int:
    """The exit code: 1 when `--check` finds a stale file."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chart", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is out of date")
    check = parser.parse_args().check
    stale = [path for path, text in documents().items() if not path.exists() or path.read_text() != text]
    for path in stale:
        name = path.relative_to(REPOSITORY)
        if check:
            print(f"{name} is out of date: run python -m scripts.chart", file=sys.stderr)
        else:
            path.write_text(documents()[path])
            print(name)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
