"""What the page shows of a document: its charts as SVG, its tables as rows, and the data that its script reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.report.drawing.units import axis_title, on_log
from evonas_cli.report.page import charts, front
from evonas_cli.report.page.charts import Dot, Series
from evonas_cli.report.page.figures import figure_title, thinned
from evonas_cli.report.page.front import Shown
from evonas_cli.report.page.species import areas
from evonas_cli.report.page.words import cut, time_unit

MOST = 4000
"""Candidates of a run that the page shows."""
FAINT = 60
"""Learning curves of a run behind those of the chosen candidates."""
OPERATORS = 8
"""Operators with a colour of their own."""


def shown(run: Mapping[str, Any]) -> Shown:
    """The run's candidates as the page shows them: all, or MOST of them with the front and all improvements."""
    columns = run["candidates"]
    count = len(columns["id"])
    keep = list(range(count))
    if count > MOST:
        wanted = {*run["front"], *run["best_so_far"]["trainings"]["id"], *run["best_so_far"]["seconds"]["id"]}
        wanted |= {row["id"] for row in run["lineage"]} | {network["id"] for network in run["networks"]}
        must = [index for index in range(count) if columns["id"][index] in wanted]
        keep = sorted({*must, *thinned(range(count), max(2, MOST - len(must)))})
    kept = {
        name: {metric: [values[index] for index in keep] for metric, values in column.items()}
        if name == "metrics"
        else [column[index] for index in keep]
        for name, column in columns.items()
    }
    members = set(run["front"])
    front = frozenset(place for place, id in enumerate(kept["id"]) if id in members)
    return Shown(kept, front, len(run["objectives"]) > 1)


def progress_charts(document: Mapping[str, Any], kept: Sequence[Shown]) -> list[dict[str, str]]:
    """Best so far and hypervolume, each over trainings and over time, as far as there are values."""
    out = []
    metrics = list(dict.fromkeys(run["best_so_far"]["metric"] for run in document["runs"]))
    for metric in metrics:
        for axis in ("trainings", "seconds"):
            found = [
                (number, run["best_so_far"][axis])
                for number, run in enumerate(document["runs"])
                if run["best_so_far"]["metric"] == metric
            ]
            log = charts.logarithm(document["metrics"][metric]["direction"])
            names = (f"Best {metric} so far", title_of(document, metric))
            out.append(_progress(names, axis, found, [_places(one) for one in kept], log))
    kind = _hypervolume_kind(document)
    volumes = [(n, run["hypervolume"][kind]) for n, run in enumerate(document["runs"]) if run["hypervolume"][kind]]
    if volumes:
        title = "Hypervolume, as the strategy logged it" if kind == "logged" else "Hypervolume, scaled"
        unit = "hypervolume (the strategy's unit)" if kind == "logged" else "hypervolume (share of the box)"
        out += [
            _progress((title, unit), axis, [(n, one[axis]) for n, one in volumes], None)
            for axis in ("trainings", "seconds")
        ]
    return [chart for chart in out if chart["svg"]]


def _hypervolume_kind(document: Mapping[str, Any]) -> str:
    """`logged` for one run that logged it; `scaled`, with bounds over all runs, where runs are compared."""
    runs = document["runs"]
    return "logged" if len(runs) == 1 and runs[0]["hypervolume"]["logged"] else "scaled"


def hypervolume_note(document: Mapping[str, Any]) -> str:
    """What the hypervolumes shown are measured against; "" where none is shown."""
    kind = _hypervolume_kind(document)
    if not any(run["hypervolume"][kind] for run in document["runs"]):
        return ""
    if kind == "logged":
        return (
            "The hypervolume is the one that the strategy logged, in its own unit and against its own reference point."
        )
    return (
        "Hypervolume: each objective is scaled to [0, 1] between the best and the worst value of all candidates shown "
        "with these objectives; the reference point is 1.1 in each. 1 would be a front at the best value of every "
        "objective."
    )


def _progress(
    names: tuple[str, str],
    axis: str,
    found: Sequence[tuple[int, Mapping[str, Any]]],
    places: Sequence[Mapping[int, int]] | None,
    log: bool | None = None,
) -> dict[str, str]:
    """A chart along an axis; `names` are its title and that of its y axis."""
    title, y_title = names
    if not any(one["at"] for _, one in found):
        return {"title": title, "svg": ""}
    unit, name = (1.0, "trainings")
    if axis == "seconds":
        unit, name = _time(max(end for _, one in found for end in one["end"]))
    series = []
    for number, one in found:
        keys = [] if places is None else [f"{number}:{places[number][int(id)]}" for id in one["id"]]
        end = one["end"][0] / unit if one["end"] else None
        series.append(Series(f"r{number}", [at / unit for at in one["at"]], one["value"], keys, True, end))
    over = "over trainings" if axis == "trainings" else "over time"
    return {"title": f"{title}, {over}", "svg": charts.lines(series, (name, y_title), f"{title}, {over}", log=log)}


def title_of(document: Mapping[str, Any], metric: str) -> str:
    """What an axis of the metric is called."""
    found: str = document["metrics"][metric]["title"]
    return found


def _time(seconds: float) -> tuple[float, str]:
    """The unit of an axis of time, in seconds, and the axis' title."""
    unit, name = time_unit(seconds)
    return unit, f"time ({name})"


def _places(kept: Shown) -> dict[int, int]:
    """By id the index of a candidate that the page shows."""
    return {id: index for index, id in enumerate(kept.columns["id"])}


def timeline(document: Mapping[str, Any], kept: Sequence[Shown], metric: str) -> str:
    """Every candidate as a dot over time, by the metric, with the best so far. "" where no candidate has a value."""
    if not any(value is not None for own in kept for value in own.metric(metric)):
        return ""
    ends = [max(own.columns["elapsed"], default=0.0) for own in kept]
    unit, name = _time(max(ends))
    many = len(kept) > 1
    found, series = [], []
    for number, (run, own) in enumerate(zip(document["runs"], kept, strict=True)):
        colours = operator_colours(run)
        values = own.metric(metric)
        for index, elapsed in enumerate(own.columns["elapsed"]):
            tint = f"r{number}" if many else f"o{colours[own.columns['operator'][index]]}"
            value = values[index]
            found.append(Dot(f"{own.css(index)} {tint}", f"{number}:{index}", elapsed / unit, value))
        best = run["best_so_far"]
        if best["metric"] == metric and best["seconds"]["at"]:
            at = [place / unit for place in best["seconds"]["at"]]
            series.append(Series(f"best r{number}", at, best["seconds"]["value"], (), True, ends[number] / unit))
    log = charts.logarithm(document["metrics"][metric]["direction"])
    titles = (name, title_of(document, metric))
    return charts.dots(found, series, titles, f"{metric} of every candidate over time", log)


def operator_colours(run: Mapping[str, Any]) -> dict[str, int]:
    """The number of each operator's colour: the most used first; the last colour is shared by all others."""
    return {one["operator"]: min(place, OPERATORS - 1) for place, one in enumerate(run["operators"])}


def figure_charts(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """One small chart for each logged figure that changes, the hypervolume aside where `progress_charts` shows one:
    what strategies log of it has references of their own, and is not comparable between runs."""
    names = dict.fromkeys(name for run in document["runs"] for name in run["figures"])
    if any(run["hypervolume"][_hypervolume_kind(document)] for run in document["runs"]):
        names.pop("hypervolume", None)
    out = []
    for name in names:
        series = [
            Series(f"r{number}", run["figures"][name]["evaluations"], run["figures"][name]["value"], (), False)
            for number, run in enumerate(document["runs"])
            if name in run["figures"]
        ]
        if len({value for one in series for value in one.value}) > 1:
            title = figure_title(name)
            out.append({"title": title, "svg": charts.lines(series, ("evaluations", ""), title, charts.THIRD)})
    return out


def species_charts(run: Mapping[str, Any]) -> list[dict[str, str]]:
    """Stacked areas of the sizes of species or clusters."""
    out = []
    for one in run["species"]:
        title = f"{one['of']} over the generations"
        out.append({"title": f"{title}: members of each", "svg": areas(one, title)})
    return out


def curve_charts(
    run: Mapping[str, Any], number: int, kept: Shown, metrics: Mapping[str, Mapping[str, str]]
) -> list[dict[str, str]]:
    """One chart for each series of learning curves: the drawn candidates in colour, others faintly behind.

    A series of which no candidate has two values is no curve, and is left out.
    """
    places, curves = _places(kept), run["curves"]
    chosen = [str(network["id"]) for network in run["networks"] if str(network["id"]) in curves]
    others = thinned([id for id in curves if id not in chosen and int(id) in places], FAINT)
    names = dict.fromkeys(name for one in curves.values() for name in one if name != "epoch")
    out = []
    for name in names:
        series = [
            Series(
                "faint" if id in others else f"o{chosen.index(id) % OPERATORS}",
                curves[id]["epoch"],
                curves[id][name],
                [f"{number}:{places[int(id)]}"] * len(curves[id]["epoch"]) if id in chosen else (),
                False,
            )
            for id in [*others, *chosen]
            if name in curves[id]
        ]
        if any(sum(value is not None for value in one.value) > 1 for one in series):
            title = name.replace("_", " ")
            known = metrics.get(name, {})
            titles = ("epoch", known.get("title", axis_title(name)))
            log = charts.logarithm(known.get("direction", ""))
            out.append({"title": title, "svg": charts.lines(series, titles, title, log=log, zero=False)})
    return out


def lineage_chart(run: Mapping[str, Any], number: int, kept: Shown, title: str) -> str:
    """The ancestors of the best by id and first objective, whose axis has the title, joined; other parents of a
    recombination faintly."""
    metric, places = run["objectives"][0], _places(kept)
    values = dict(zip(kept.columns["id"], kept.metric(metric), strict=True))
    line = run["lineage"]
    if len(line) < 2:
        return ""
    main = Series(
        f"r{number}", [row["id"] for row in line], [values.get(row["id"]) for row in line],
        [f"{number}:{places[row['id']]}" for row in line], False,
    )  # fmt: skip
    sides = [
        Series("side", [other, row["id"]], [values[other], values.get(row["id"])], [f"{number}:{places[other]}"], False)
        for row in line
        for other in row["parents"]
        if other != row["line"] and values.get(other) is not None and values.get(row["id"]) is not None
    ]
    label = f"{metric} of the ancestors of candidate {run['best']}"
    return charts.lines([*sides, main], ("candidate (id)", title), label, charts.LOW)


def script_data(document: Mapping[str, Any], kept: Sequence[Shown]) -> dict[str, Any]:
    """What the script reads: columns of the candidates by run, metrics with directions and ranges of their axes."""
    metrics = list(document["metrics"])
    runs = []
    for run, own in zip(document["runs"], kept, strict=True):
        columns = own.columns
        badges = {run["knee"]: "knee", run["best"]: "best"}
        runs.append(
            {
                "name": run["name"],
                "objectives": run["objectives"],
                "id": columns["id"],
                "operator": columns["operator"],
                "parents": columns["parents"],
                "status": columns["status"],
                "counts": [int(value) for value in columns["counts"]],
                "front": sorted(own.front),
                "badge": {str(i): badges[id] for i, id in enumerate(columns["id"]) if id in badges},
                "elapsed": [rounded(value) for value in columns["elapsed"]],
                "seconds": [rounded(value) for value in columns["seconds"]],
                "genome": [cut(genome, 140) for genome in columns["genome"]],
                "metrics": [[rounded(value) for value in own.metric(name)] for name in metrics],
            }
        )
    directions = [document["metrics"][name]["direction"] for name in metrics]
    found = [front.range_of(kept, name, direction) for name, direction in zip(metrics, directions, strict=True)]
    ranges = [[one.low, one.high, int(one.log), int(one.whole)] for one in found]
    titles = [[title, on_log(title)] for title in (title_of(document, name) for name in metrics)]
    return {"metrics": metrics, "titles": titles, "directions": directions, "ranges": ranges, "runs": runs}


def rounded(value: float | None) -> float | None:
    """The number with six digits, for the page."""
    return None if value is None else float(f"{value:.6g}")
