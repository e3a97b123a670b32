"""The page itself: one HTML file that loads nothing, with style and script inside, allowed by their digests alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from evonas_cli.core.display import visible, visible_lines
from evonas_cli.report.page import charts, front, table, view, words
from evonas_cli.report.page.captioned import caption_rows
from evonas_cli.report.page.explanation import drawn
from evonas_cli.report.page.front import Shown
from evonas_cli.report.page.generated import has_points, sample_pictures
from evonas_cli.report.page.pictures import pictures

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATE, STYLE, SCRIPT = "page.html.j2", "style.css", "script.js"
COLOURS = 8
"""Colours of runs in the style sheet."""
SECTIONS = {
    "summary": "Summary",
    "trade-off": "Trade-off",
    "progress": "Progress",
    "population": "Population",
    "operators": "Operators",
    "failures": "Failures",
    "time": "Time",
    "lineage": "Lineage",
    "networks": "Architectures",
    "curves": "Learning curves",
    "explanation": "Explanation",
    "candidates": "Candidates",
    "configuration": "Configuration",
    "provenance": "Provenance",
}


def page(document: Mapping[str, Any]) -> str:
    """The report of a document (`document.document`) as HTML; the same document gives the same text.

    All text of a run is escaped, and characters that would steer a terminal are written as escapes.
    """
    from markupsafe import Markup

    style, script = _style(len(document["runs"])), source(SCRIPT)
    kept = [view.shown(run) for run in document["runs"]]
    axes = front.axes_of(document)
    return (
        environment()
        .get_template(TEMPLATE)
        .render(
            style=Markup(style),
            script=Markup(script),
            style_digest=digest(style),
            script_digest=digest(script),
            data=Markup(words.script_json(view.script_data(document, kept))),
            axes=axes,
            **_figures(document, kept, axes),
            **_texts(document, kept),
        )
    )


def _figures(document: Mapping[str, Any], kept: Sequence[Shown], axes: tuple[str, str]) -> dict[str, Any]:
    """The charts and pictures."""
    runs = document["runs"]
    titles = {name: one["title"] for name, one in document["metrics"].items()}
    vertical, horizontal = (document["metrics"][name]["direction"] for name in (axes[1], axes[0]))
    pairs = list(enumerate(zip(runs, kept, strict=True)))
    return {
        "front": front.chart(kept, axes, (horizontal, vertical), (titles[axes[0]], titles[axes[1]])),
        "progress": view.progress_charts(document, kept),
        "timeline": view.timeline(document, kept, axes[1]),
        "figures": view.figure_charts(document),
        "species": [view.species_charts(run) for run in runs],
        "curves": [view.curve_charts(run, number, own, document["metrics"]) for number, (run, own) in pairs],
        "lineages": [
            view.lineage_chart(run, number, own, titles[run["objectives"][0]]) for number, (run, own) in pairs
        ],
        "pictures": [pictures(run, len(runs)) for run in runs],
        "explanations": [[drawn(one) for one in run["explanations"]] for run in runs],
        "samples": [sample_pictures(run) for run in runs],
        "pointed": any(has_points(run) for run in runs),
        "captions": [caption_rows(run) for run in runs],
        "bar": charts.bar,
    }


def _texts(document: Mapping[str, Any], kept: Sequence[Shown]) -> dict[str, Any]:
    """What stands on the page in words and tables."""
    runs = []
    for run in document["runs"]:
        found = {}
        for name in ("best", "knee"):
            columns = run["candidates"]
            index = columns["id"].index(run[name]) if run[name] is not None else None
            metrics = columns["metrics"]
            found[f"{name}_metrics"] = {} if index is None else {key: metrics[key][index] for key in run["objectives"]}
        runs.append({**run, **found})
    metrics = list(document["metrics"])
    return {
        "document": document,
        "runs": runs,
        "several": len(runs) > 1,
        "fronts": any(own.several for own in kept),
        "sections": _sections(runs),
        "table": table.table(document, kept),
        "members": table.members(document, kept),
        "objectives": front.leading(document)["objectives"],
        "metric_places": {name: place for place, name in enumerate(metrics)},
        "places": [{id: index for index, id in enumerate(own.columns["id"])} for own in kept],
        "hidden": [
            (run["name"], len(run["candidates"]["id"]) - len(own.columns["id"]))
            for run, own in zip(runs, kept, strict=True)
        ],
        "hypervolume_note": view.hypervolume_note(document),
    }


def _sections(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The sections with their titles; samples and captions come behind the networks where a run has some."""
    found = list(SECTIONS.items())
    if any(run["captioned"] for run in runs):
        found.insert(list(SECTIONS).index("networks") + 1, ("captions", "Captions"))
    if any(run["generated"] for run in runs):
        found.insert(list(SECTIONS).index("networks") + 1, ("samples", "Samples"))
    return found


def digest(text: str) -> str:
    """The source by which a content security policy allows this text: `sha256-...`."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _style(n_runs: int) -> str:
    """The style sheet; runs beyond COLOURS repeat the colours."""
    more = [f".r{number}{{--c:var(--r{number % COLOURS})}}" for number in range(COLOURS, n_runs)]
    return "\n".join([source(STYLE), *more])


def environment() -> Environment:
    """The environment of the page's templates, with its filters."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup, escape

    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(source)
    )
    made.finalize = lambda value: visible(value) if type(value) is str else value
    made.filters |= {
        "lines": lambda text: Markup(escape(visible_lines(text))),
        "svg": Markup,
        "number": words.number,
        "duration": words.duration,
        "percent": words.percent,
        "plain": words.plain,
        "pairs": words.pairs,
        "sentence": words.sentence,
        "cut": words.cut,
    }
    return made


def source(name: str) -> str:
    """The text of a file of the page."""
    return files("evonas_cli.report.page").joinpath(name).read_text(encoding="utf-8")
