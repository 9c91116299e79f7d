"""The capacity chapter calculates with what was measured, and its sums are right."""

from __future__ import annotations

import re
from math import ceil

import pytest

from scripts.chart.catalogue import REPOSITORY

BENCHMARKS = (REPOSITORY / "docs" / "benchmarks.md").read_text()
CAPACITY = (REPOSITORY / "docs" / "operations.md").read_text().partition("\n## Capacity\n")[2]
MEETINGS = (100, 1_000, 10_000)
MEDIA_KB_S, SEGMENTS_KB_S = 64 + 125, 133
SPARE = 1.25


def measured(what: str) -> float:
    """Ours, in the table of figures."""
    [found] = re.findall(rf"^\| {re.escape(what)} \| ([\d.,  ]+)", BENCHMARKS, re.M)
    return float(re.sub(r"[,  ]", "", found))


def planned(what: str) -> list[float]:
    """The first measured figure and the first planned one of a row of the chapter."""
    [row] = re.findall(rf"^\| {re.escape(what)}[^|]*\| ([^|]*) \| ([^|]*) \|$", CAPACITY, re.M)
    return [float(re.findall(r"[\d,.]*\d", cell)[0].replace(",", "")) for cell in row]


def rows(heading: str) -> list[list[str]]:
    table = CAPACITY.partition(heading)[2].partition("\n|---")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]


@pytest.mark.parametrize(
    ("row", "figure", "per_core"),
    [
        ("sessions a core of `ingest`", "sessions per core, `send_rate` 100, picows", lambda figure: figure),
        ("meetings a core of `processor-muxing`", "muxing processor, a minute, against GStreamer", lambda s: 60 / s),
        ("people who speak at a time", "recogniser, CPU per second of speech", lambda s: 1 / s),
        ("the same with partials", "recogniser with partials, CPU per second of speech", lambda s: 1 / s),
        ("meetings that share a screen", "composing side by side, a minute with a screen", lambda s: 60 / s),
    ],
)
def test_it_plans_with_what_was_measured(row, figure, per_core) -> None:
    seen, plan = planned(row)
    assert seen == pytest.approx(per_core(measured(figure)), rel=0.05)
    assert plan <= (seen if "share" in row else seen / 2), "half is for hand-overs, where work does not wait"


def test_workers_and_bytes() -> None:
    kb_s = MEDIA_KB_S + SEGMENTS_KB_S
    for meetings, (said, workers, into, written, disks, bucket) in zip(
        MEETINGS, rows("a third of the peak on average"), strict=True
    ):
        assert int(said.replace(",", "")) == meetings
        assert int(workers) == pytest.approx(meetings / planned("sessions a core of `ingest`")[1] * SPARE, abs=1)
        average_kb_s = meetings * kb_s / 3
        for text, expected in (
            (into, meetings * kb_s * 1e3),
            (written, 3 * meetings * kb_s * 1e3),
            (disks, 3 * average_kb_s * 1e3 * 12 * 3600),
            (bucket, meetings * SEGMENTS_KB_S * 1e3 / 3 * 24 * 3600),
        ):
            assert amount(text) == pytest.approx(expected, rel=0.1), (meetings, text)


def test_cores() -> None:
    muxing, speaking = planned("meetings a core of `processor-muxing`")[1], planned("people who speak at a time")[1]
    table = [[int(cell.replace(",", "")) for cell in row] for row in rows("Cores for the same")]
    for meetings, (said, ingest, muxers, recognisers, total) in zip(MEETINGS, table, strict=True):
        assert said == meetings
        assert ingest == pytest.approx(meetings / planned("sessions a core of `ingest`")[1] * SPARE, abs=1)
        assert (muxers, recognisers) == (ceil(meetings / muxing), ceil(meetings / speaking))
        assert total == ingest + muxers + recognisers


def amount(text: str) -> float:
    number, unit = text.removesuffix("/s").split()
    return float(number) * {"MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]
