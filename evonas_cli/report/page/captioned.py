"""The caption table of a report: images, their references, what the best candidate says and what the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.errors import EvonasError
from evonas_cli.network.samples import Samples
from evonas_cli.report.captions import said_by, seen_in
from evonas_cli.report.drawing.samples import draw_samples
from evonas_cli.report.page.rows import Rows
from evonas_cli.report.reading import Reading


def captioned(reading: Reading, rows: Rows, best: int | None) -> dict[str, Any] | None:
    """The captions of candidate `best`; None where there is none, or it has no captions.

    `captions` has, for each image, `image` (`Samples` as JSON), `references`, `caption` and `baseline`. Where the data
    is gone or another one since, image and references are None and [], and `problem` says so.
    """
    if best is None:
        return None
    said = said_by(reading, rows.by_id()[best].entry)
    if said is None:
        return None
    problem = None
    images: list[Any] = [None] * len(said.captions)
    references: list[tuple[str, ...]] = [()] * len(said.captions)
    try:
        seen = seen_in(reading)
    except EvonasError as error:  # what was said is in the journal
        problem = f"no images: {error}"
    else:
        shape, low, high = seen.images.shape, seen.images.low, seen.images.high
        images = [Samples(shape, low, high, row).to_json() for row in seen.images.rows()]
        references = list(seen.references)
    found = zip(images, references, said.captions, said.baseline, strict=True)
    names = ("image", "references", "caption", "baseline")
    return {"id": best, "problem": problem, "captions": [dict(zip(names, one, strict=True)) for one in found]}


def caption_rows(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the table, with each image as `svg`."""
    if run["captioned"] is None:
        return []
    return [
        {**one, "svg": _drawn(one["image"], number)} for number, one in enumerate(run["captioned"]["captions"], start=1)
    ]


def _drawn(image: Any, number: int) -> str | None:
    return None if image is None else draw_samples(Samples.from_json(image), f"image {number}")
