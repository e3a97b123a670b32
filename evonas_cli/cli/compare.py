"""`evonas compare`: groups of runs at an equal budget, and whether they are better than random search."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from evonas_cli.cli.common import OUTPUTS, AllowModules, AsJson, Outputs, print_json, reference_of, remark, say
from evonas_cli.core.files import path_of

Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        parser=path_of,
        metavar="PATH",
        help="Draw the best-so-far curves, and median attainment surfaces, into this .svg or .png.",
    ),
]
Report = Annotated[
    str | None, typer.Option("--report", help="Show this metric of each run's best, too, e.g. test_error.")
]
AxisName = Annotated[
    Literal["trainings", "seconds", "cost"] | None,
    typer.Option("--axis", help="What the budget counts (default: cost if every run has budget.cost, else trainings)."),
]
AtBudget = Annotated[float | None, typer.Option("--budget", help="Compare here (default: as far as every run got).")]
ByWhat = Annotated[
    Literal["hypervolume", "first"] | None,
    typer.Option(
        "--by",
        help="Compare by the hypervolume of the fronts, or by the first objective (default: hypervolume where every "
        "strategy chooses by all of its objectives, unless --metric or --report is given).",
    ),
]
Metric = Annotated[str | None, typer.Option("--metric", help="Compare by this metric (default: the first objective).")]
Baseline = Annotated[
    str | None, typer.Option("--baseline", help="Label of the group to judge against (default: the strategy random).")
]
_WIDTH = 100
_CI = "95 % CI of the mean"
_LABEL = 24
_LISTED = 20


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Runs and sweeps, by path or name, and folders with runs below them."),
    ],
    by: ByWhat = None,
    metric: Metric = None,
    report: Report = None,
    axis: AxisName = None,
    budget: AtBudget = None,
    baseline: Baseline = None,
    vary: Annotated[
        list[str] | None, typer.Option("--vary", help="Key or group of keys in which runs may differ; may be repeated.")
    ] = None,
    json: AsJson = False,
    plot: Plot = None,
    outputs: Outputs = OUTPUTS,
    allow_module: AllowModules = None,
) -> int:
    """Compare groups of runs at an equal budget.

    Runs that differ only in their seed are a group. Each pair of groups is tested (Mann-Whitney, with the seeds' runs
    as independent samples; Holm's correction over the pairs with the baseline, and over the others); each group is
    judged against the baseline, random search. Hypervolumes are measured up to one point for all runs: the worst of
    each objective, and a tenth of its range.
    """
    from evonas_cli.core.errors import UsageError
    from evonas_cli.report.comparison import compare as compared
    from evonas_cli.report.samples import read_samples
    from evonas_cli.sweep.folder import named

    check_plot(plot)
    if by == "hypervolume" and (metric or report):
        raise UsageError("--metric and --report speak of each run's best candidate, which --by hypervolume has not")
    by = by or ("first" if metric or report else None)
    if not all(runs):
        raise UsageError("a run's name is empty; name runs, or a folder that holds some")
    runs = [reference_of(name) for name in runs]
    sweeps = [None if Path(name).exists() else named(name, outputs) for name in runs]
    places = [name if sweep is None else str(sweep.root) for name, sweep in zip(runs, sweeps, strict=True)]
    samples = read_samples(places, outputs, allow_module or [], metric, report)
    document = compared(samples, axis, budget, baseline, vary or [], by)
    publish(document, json, plot)
    return 0


def check_plot(plot: Path | None) -> None:
    """Raises UsageError when the picture cannot be written, before any work is done."""
    from evonas_cli.cli.pictures import check_picture

    check_picture("--plot", plot)


def publish(document: Mapping[str, Any], as_json: bool, plot: Path | None) -> None:
    """Writes the picture, says the remarks on stderr, and prints the document as text or JSON."""
    if plot is not None:
        from evonas_cli.cli.pictures import write_picture
        from evonas_cli.report.plot import draw

        write_picture(plot, draw(document))
    for text in document["remarks"]:
        remark(f"evonas: {text}")
    if as_json:
        print_json(document)
    else:
        say("\n".join(lines(document)))


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The document as text, at most 100 characters wide."""
    groups = document["groups"]
    names = _short(groups)
    goal = "lower" if document["direction"] == "min" else "higher"
    yield f"{document['metric']} ({goal} is better), equal budget: {document['budget']:,.12g} ({document['axis']})"
    if document["by"] == "hypervolume":
        point = ", ".join(f"{name} {_number(number)}" for name, number in document["reference"].items())
        yield from textwrap.wrap(f"of the fronts, up to {point}", _WIDTH, subsequent_indent="  ")
    yield from _unshortened(names, groups)
    yield ""
    yield from _columns(_group_rows(document, names))
    yield from _span_note(groups)
    if document["report"]:
        yield from ("", f"{document['report']} of each run's best by {document['metric']}")
        head = ("group", "mean", "sd", "median", _span_head(groups))
        rows = [(name, *_moments(found["report"], groups)) for name, found in zip(names, groups, strict=True)]
        yield from _columns([head, *rows])
    yield from ("", "values by seed")
    for name, found in zip(names, groups, strict=True):
        yield from _values(name, found)
    if document["pairs"]:
        yield ""
        labels = dict(zip([found["label"] for found in groups], names, strict=True))
        yield from _columns(_pair_rows(document["pairs"], labels))
        yield "A12: probability that a run of the first beats one of the second; p: two-sided Mann-Whitney"
    judged = [(name, found["verdict"]) for name, found in zip(names, groups, strict=True) if found["verdict"]]
    if judged:
        yield ""
        for name, said in judged:
            yield from textwrap.wrap(f"{name}: {said['text']}", _WIDTH, subsequent_indent="  ")
    for one in document.get("patterns", []):
        yield ""
        for line in one["lines"]:
            yield from textwrap.wrap(line, _WIDTH, subsequent_indent="    ", break_on_hyphens=False)


def _group_rows(document: Mapping[str, Any], names: Sequence[str]) -> list[Sequence[str]]:
    groups = document["groups"]
    rows: list[Sequence[str]] = [
        ("group", "n", "evals", "failed", "mean", "sd", "median", _span_head(groups), "area"),
    ]
    for name, found in zip(names, groups, strict=True):
        counts = (str(found["n"]), f"{found['evaluations']:,.0f}", f"{found['failed_share']:.1%}")
        rows.append((name, *counts, *_moments(found, groups), _number(found["area"])))
    return rows


def _few(groups: Sequence[Mapping[str, Any]]) -> list[int]:
    """The numbers of seeds, ascending, of groups whose interval is the range of their values."""
    from evonas_cli.report.statistics import RANGE

    return sorted({found["n"] for found in groups if 1 < found["n"] <= RANGE})


def _span_head(groups: Sequence[Mapping[str, Any]]) -> str:
    """What the column of intervals holds: the bootstrap's, unless every interval is a range."""
    few = _few(groups)
    if few and all(found["n"] == 1 or found["n"] in few for found in groups):
        return f"range of {' or '.join(map(str, few))} seeds"
    return _CI


def _span_note(groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What intervals are, where the head of their column does not say all of it."""
    if _span_head(groups) == _CI and any(found["n"] > 1 for found in groups):
        few = _few(groups)
        ranges = f"; * range of {' or '.join(map(str, few))} seeds" if few else ""
        yield f"{_CI}: percentile bootstrap over the seeds{ranges}"


def _pair_rows(pairs: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("pair", "n", "p", "p (Holm)", "A12")]
    for pair in pairs:
        name, n = f"{labels[pair['a']]} / {labels[pair['b']]}", " + ".join(map(str, pair["n"]))
        rows.append((name, n, f"{pair['p']:.2g}", f"{pair['p_holm']:.2g}", f"{pair['a12']:.2f}"))
    return rows


def _moments(found: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> tuple[str, str, str, str]:
    """Mean, standard deviation, median and interval; among intervals that are none a range has a mark."""
    sd = "-" if found["sd"] is None else f"{found['sd']:,.0f}" if found["sd"] >= 1e3 else f"{found['sd']:.3g}"
    mark = "*" if len(found["values"]) in _few(groups) and _span_head(groups) == _CI else ""
    span = "-" if found["interval"] is None else " .. ".join(map(_number, found["interval"])) + mark
    return _number(found["mean"]), sd, _number(found["median"]), span


def _values(name: str, found: Mapping[str, Any]) -> list[str]:
    if found["n"] > _LISTED:
        span = f"from {_number(min(found['values']))} to {_number(max(found['values']))}"
        return [f"{name}  {found['n']} values {span}; all of them with --json"]
    shown = "  ".join(f"{seed}:{_number(v)}" for seed, v in zip(found["seeds"], found["values"], strict=True))
    return textwrap.wrap(f"{name}  {shown}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def _short(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Labels that fit a column: a long one becomes the strategy with the group's number."""
    return [
        found["label"] if len(found["label"]) <= _LABEL else f"{found['strategy'][: _LABEL - 3]} #{place}"
        for place, found in enumerate(groups, 1)
    ]


def _unshortened(names: Sequence[str], groups: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name, found in zip(names, groups, strict=True):
        if name != found["label"]:
            yield from textwrap.wrap(f"{name} is {found['label']}", _WIDTH, subsequent_indent="  ")


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Aligned columns: the first to the left, numbers to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *cells])
