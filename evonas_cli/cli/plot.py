"""`evonas plot`: runs as a picture: the front, the history, learning curves, an architecture, decision regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas_cli.cli.common import OUTPUTS, AllowModules, Outputs, reference_of, say
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.report.reading import Reading

TOP = 7
"""How many candidates' learning curves are drawn unless candidates are named: as many as there are colours."""


def plot(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Runs and sweeps, by path or name, and folders with runs below them."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", parser=path_of, metavar="PATH", help="The file: it ends in .svg or .png."),
    ],
    front: Annotated[
        bool, typer.Option("--front", help="All candidates by two objectives, and the Pareto front (the default).")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="All candidates over the trainings, and the best value so far.")
    ] = False,
    curves: Annotated[bool, typer.Option("--curves", help="Learning curves of the best candidates.")] = False,
    architecture: Annotated[
        str | None, typer.Option("--architecture", metavar="ID|best|knee", help="The network of one candidate.")
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            "--regions",
            metavar="ID|best|knee",
            help="What the neurons of one candidate say over the plane, and the network (job=neurons, two inputs).",
        ),
    ] = None,
    candidate: Annotated[
        list[str] | None,
        typer.Option("--candidate", metavar="ID|best|knee|front", help="Candidates for --curves; may be repeated."),
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="The metric of --history (default: first objective) or --curves.")
    ] = None,
    outputs: Outputs = OUTPUTS,
    allow_module: AllowModules = None,
) -> int:
    """Draw runs into an SVG or PNG file.

    PNG needs the extra `plot`: pip install 'evonas[plot]'.
    """
    from evonas_cli.cli.pictures import check_picture, write_picture

    chosen = {
        "--front": front,
        "--history": history,
        "--curves": curves,
        "--architecture": architecture is not None,
        "--regions": regions is not None,
    }
    _check([name for name, on in chosen.items() if on], bool(candidate), metric is not None)
    check_picture("--output", output)
    allowed = allow_module or []
    if history:
        svg = _history(_places(runs, outputs), outputs, allowed, metric)
    elif curves:
        svg = _curves(_one(runs, "--curves", outputs, allowed), candidate or [], metric)
    elif architecture is not None:
        svg = _architecture(_one(runs, "--architecture", outputs, allowed), architecture)
    elif regions is not None:
        svg = _regions(_one(runs, "--regions", outputs, allowed), regions)
    else:
        svg = _front(_readings(runs, outputs, allowed))
    write_picture(output, svg)
    say(output)
    return 0


def _check(chosen: Sequence[str], candidates: bool, metric: bool) -> None:
    """Raises UsageError for several pictures at once, and for options that the chosen picture does not have."""
    from evonas_cli.core.errors import UsageError

    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} are different pictures; choose one of them")
    if candidates and "--curves" not in chosen:
        raise UsageError("--candidate chooses learning curves; add --curves")
    if metric and not {"--history", "--curves"} & set(chosen):
        raise UsageError("--metric goes with --history or --curves; --front shows the objectives")


def _places(runs: Sequence[str], outputs: Path) -> list[str]:
    """The folders of sweeps, and other references as they are."""
    from evonas_cli.core.errors import UsageError
    from evonas_cli.sweep.folder import named

    if not all(runs):
        raise UsageError("a run's name is empty; name runs, or a folder that holds some")
    names = [reference_of(name) for name in runs]
    sweeps = [None if Path(name).exists() else named(name, outputs) for name in names]
    return [name if sweep is None else str(sweep.root) for name, sweep in zip(names, sweeps, strict=True)]


def _readings(runs: Sequence[str], outputs: Path, allowed: Sequence[str]) -> list[Reading]:
    from evonas_cli.report.reading import read_run
    from evonas_cli.report.samples import locate

    found = [run for name in _places(runs, outputs) for run in locate(name, outputs)]
    return [read_run(str(run.root), outputs, allowed) for run in found]


def _one(runs: Sequence[str], option: str, outputs: Path, allowed: Sequence[str]) -> Reading:
    """The only run. Raises UsageError for several."""
    from evonas_cli.core.errors import UsageError

    found = _readings(runs, outputs, allowed)
    if len(found) > 1:
        raise UsageError(f"{option} draws one run, and these are {len(found)}; name one of them")
    return found[0]


def _front(readings: Sequence[Reading]) -> str:
    from evonas_cli.core.errors import RunError, UsageError
    from evonas_cli.report.drawing.front import Cloud, draw_front
    from evonas_cli.report.reading import subjects

    objectives = readings[0].parts.objectives
    root = readings[0].run.root
    if len(objectives) < 2:
        raise UsageError(f"{root} has one objective, and a front needs two; draw its --history")
    for other in readings[1:]:
        if other.parts.objectives != objectives:
            raise UsageError(f"{root} and {other.run.root} have other objectives; draw each in a picture of its own")
    first, second = (objective.name for objective in objectives[:2])
    clouds = []
    for reading, name in zip(readings, _names([str(one.run.root) for one in readings]), strict=True):
        points = [
            (entry["id"], float(entry["metrics"][first]), float(entry["metrics"][second]))
            for entry in reading.journal
            if entry["status"] == "ok" and not entry.get("job")
        ]
        if not points:
            raise RunError(f"no candidate of {reading.run.root} has succeeded; there is nothing to draw")
        clouds.append(Cloud(name, points, frozenset(member["id"] for member in reading.front()["front"])))
    of = {name: subjects(readings, name) for name in (first, second)}
    return draw_front(clouds, objectives, _title("Pareto front", [cloud.name for cloud in clouds]), of)


def _history(places: Sequence[str], outputs: Path, allowed: Sequence[str], metric: str | None) -> str:
    from evonas_cli.core.errors import RunError, UsageError
    from evonas_cli.report.drawing.history import draw_history
    from evonas_cli.report.samples import read_samples

    samples = read_samples(places, outputs, allowed, metric)
    known = {(sample.track.metric, sample.track.direction) for sample in samples}
    if len(known) > 1:
        shown = ", ".join(sorted(name for name, _ in known))
        raise UsageError(f"the runs' first objectives differ ({shown}); give --metric")
    for sample in samples:
        if not sample.track.improvements():
            raise RunError(
                f"no candidate of {sample.name} counts (failed, or breaks a constraint); there is nothing to draw"
            )
    names = _names([sample.name for sample in samples])
    tracks = [(name, sample.track) for name, sample in zip(names, samples, strict=True)]
    return draw_history(tracks, _title("Search history", names))


def _curves(reading: Reading, words: Sequence[str], metric: str | None) -> str:
    from evonas_cli.core.errors import RunError, UsageError
    from evonas_cli.report.candidates import ordered
    from evonas_cli.report.choosing import chosen
    from evonas_cli.report.drawing.learning import draw_curves
    from evonas_cli.report.learning import curves_of

    root = reading.run.root
    ids = chosen(reading, words) if words else [entry["id"] for entry in ordered(reading, most=TOP).shown]
    found = {id: curves_of(reading.journal.read(id)) for id in ids}
    known = {id: {n: c for n, c in curves.items() if c.known()} for id, curves in found.items()}
    drawn = [(f"candidate {id}", curves) for id, curves in known.items() if curves]
    if not drawn:
        raise RunError(f"{root} has no learning curves of candidates {ids}; there is nothing to draw")
    if all(len(curve.known()) < 2 for _, curves in drawn for curve in curves.values()):
        raise RunError(f"candidates {ids} of {root} recorded their values once, so there is no curve to draw")
    names = list(dict.fromkeys(name for _, curves in drawn for name in curves))
    if metric is not None and metric not in names:
        raise UsageError(f"--metric {metric}: there is no such learning curve (known: {', '.join(names)})")
    first = reading.parts.objectives[0].name
    usual = sorted(names, key=lambda name: (name != first, name != "train_loss"))[:2]
    shown, directions = [metric] if metric is not None else usual, reading.parts.metrics
    return draw_curves(
        [(name, curves) for name, curves in drawn if any(one in curves for one in shown)],
        {name: directions[name].direction if name in directions else None for name in shown},
        _title("Learning curves", _names([str(root)])),
        {name: reading.subject(name) for name in shown},
    )


def _architecture(reading: Reading, word: str) -> str:
    from evonas_cli.core.errors import RunError
    from evonas_cli.report.choosing import chosen
    from evonas_cli.report.drawing import architecture as drawing

    [id] = chosen(reading, [word])[:1]
    entry = reading.journal.read(id)
    try:
        plan, neurons, cell = reading.plan(entry), reading.neurons(entry), reading.cell(entry)
        sketches = reading.sketches(entry)
    except Exception as error:  # whatever the space raises is what is wrong with this genome
        raise RunError(f"candidate {id} has no network: {type(error).__name__}: {error}") from error
    title = _title(f"Candidate {id}", _names([str(reading.run.root)]))
    if neurons is not None and (len(neurons.links) <= drawing.MOST_LINKS or not sketches):
        return drawing.neurons_svg(neurons, title, titled=True)
    if plan is not None:
        return drawing.architecture_svg(plan, title, titled=True)
    if cell is not None:
        return drawing.cell_svg(cell, title, titled=True)
    if sketches:
        return drawing.sketches_svg(sketches, title)
    raise RunError(f"{reading.run.root} has no networks to draw: genomes of its space stand for none")


def _regions(reading: Reading, word: str) -> str:
    from evonas_cli.report.choosing import named
    from evonas_cli.report.drawing.regions import draw_regions
    from evonas_cli.report.regions import regions

    entry = named(reading, word)
    neurons, plane = regions(reading, entry)
    title = f"Decision regions of candidate {entry['id']} of {_names([str(reading.run.root)])[0]}"
    return draw_regions(plane, title, neurons)


def _names(roots: Sequence[str]) -> list[str]:
    """Short names of runs: the last part of each path where those differ."""
    short = [Path(root).name or root for root in roots]
    return short if len(set(short)) == len(short) else list(roots)


def _title(what: str, names: Sequence[str]) -> str:
    return f"{what} of {names[0]}" if len(names) == 1 else f"{what}: {len(names)} runs"
