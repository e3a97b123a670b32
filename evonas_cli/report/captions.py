"""Captions of a candidate as a table: the images, their references, what the candidate says and what the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.errors import EvonasError, RunError
from evonas_cli.network.captioned import Said, Seen, Speaking
from evonas_cli.report.reading import Reading


def said_by(reading: Reading, entry: Mapping[str, Any]) -> Said | None:
    """The captions of a candidate and of the baseline; None for a job or a candidate without captions."""
    job: Any = reading.parts.job
    return job.said(entry.get("payload")) if isinstance(job, Speaking) else None


def seen_in(reading: Reading) -> Seen:
    """The images of a run whose job is Speaking. Raises RunError for other data than the run had, and as the data
    set does."""
    job: Any = reading.parts.job
    seen: Seen = job.seen()
    if seen.fingerprint != reading.run.metadata()["environment"].get("data"):
        raise RunError("the run was made with other data than its dataset has now")
    return seen


def caption_lines(reading: Reading, entry: Mapping[str, Any]) -> list[str]:
    """The table as lines, an image after the other; [] where there are no captions. Where the data is gone, a line says
    so and the references are missing."""
    said = said_by(reading, entry)
    if said is None:
        return []
    lines = ["captions of the first images of the validation part"]
    references: list[tuple[str, ...]] = [()] * len(said.captions)
    try:
        references = list(seen_in(reading).references)
    except EvonasError as error:  # what was said is in the journal
        lines.append(f"no references: {error}")
    wide = len(str(len(said.captions)))
    for number, (caption, baseline, own) in enumerate(zip(said.captions, said.baseline, references, strict=True), 1):
        rows = [("candidate", caption), ("baseline", baseline), *[("reference", one) for one in own]]
        for place, (who, words) in enumerate(rows):
            lines.append(f"{number if place == 0 else '':>{wide}}  {who:<9}  {words}".rstrip())
    return lines
