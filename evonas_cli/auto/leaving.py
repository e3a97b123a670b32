"""What an auto leaves: the exported model of its best network, and one report about its runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evonas_cli.auto.shares import SEARCH, TUNE_EVOLVED, TUNE_NAIVE
from evonas_cli.auto.state import State
from evonas_cli.auto.steps import Worked
from evonas_cli.auto.table import best_by_validation
from evonas_cli.report.reading import read_run
from evonas_cli.store.files import write_bytes

MODEL, REPORT = "model", "report.html"


@dataclass(frozen=True)
class Left:
    """The line whose network was exported, the files, the number of test examples, and the seconds of all steps."""

    name: str
    model: Path
    report: Path
    examples: int
    seconds: float


def leave(state: State, worked: Worked) -> Left:
    """Exports, of the line that is best on validation, the final network with the least training loss; writes the
    report. Both replace what an earlier command left. Raises as `export` does."""
    from evonas_cli.export.exporting import export, part_of
    from evonas_cli.report.choosing import chosen

    place = best_by_validation(worked.lines)
    reading = worked.finals[place]
    part = part_of(reading, ())
    [id] = chosen(reading, ["best"])
    export(reading, id, ["dir"], state.root / MODEL, part)
    report = state.root / REPORT
    write_bytes(report, _page(state))
    return Left(worked.lines[place].name, state.root / MODEL, report, len(part.x), state.used)


def _page(state: State) -> bytes:
    from evonas_cli.report.page.document import document
    from evonas_cli.report.page.render import page

    readings = [read_run(str(state.root / step), state.root, ()) for step in (SEARCH, TUNE_NAIVE, TUNE_EVOLVED)]
    return page(document(readings)).encode("utf-8", "backslashreplace")
