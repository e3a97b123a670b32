"""The changelog's entries on changed results and the number that runs record agree."""

from __future__ import annotations

from pathlib import Path

from evonas_cli import RESULTS

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def test_each_change_of_results_raises_the_recorded_number() -> None:
    heading, entries = "", 0
    for line in CHANGELOG.read_text(encoding="utf-8").splitlines():
        heading = line if line.startswith("#") else heading
        entries += heading == "### Results change" and line.startswith("- ")
    assert entries == RESULTS, "raise evonas_cli.RESULTS with every entry under Results change"
