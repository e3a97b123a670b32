"""`evonas bench`: what parts of evonas are worth, and what a search has to be better than."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.bench_build import build
from evonas_cli.cli.bench_engine import engine
from evonas_cli.cli.bench_patterns import patterns
from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, Overrides, help_without_verb, say
from evonas_cli.cli.compare import AtBudget, AxisName, Baseline, Metric, Plot, Report
from evonas_cli.cli.help import example

if TYPE_CHECKING:
    from evonas_cli.config.compose import Composed

app = typer.Typer(help="Measure parts of evonas, and baselines of a search.", rich_markup_mode=None)

_COMMA = re.compile(r",(?![^\[]*\])")


@app.callback(invoke_without_command=True)
def options(context: typer.Context) -> None:
    """Measure parts of evonas, and baselines of a search."""
    help_without_verb(context)


app.command("engine", epilog=example("bench engine"))(engine)
app.command("build", epilog=example("bench build"))(build)
app.command("patterns", epilog=example("bench patterns"))(patterns)


@app.command("strategies", epilog=example("bench strategies"))
def strategies(
    overrides: Overrides = None,
    strategies: Annotated[
        str,
        typer.Option("--strategies", help="Names, settings after colons: random,genetic:elitism=2"),
    ] = "random,regularized_evolution,genetic",
    seeds: Annotated[int, typer.Option("--seeds", help="Searches with each strategy: seeds 0 to N - 1.")] = 20,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes that share the seeds; results do not change.")] = 1,
    metric: Metric = None,
    report: Report = None,
    axis: AxisName = None,
    budget: AtBudget = None,
    baseline: Baseline = None,
    json: AsJson = False,
    plot: Plot = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
) -> int:
    """Compare strategies on a cheap job (job=landscape or job=table) over many seeds, in memory.

    Prints what `evonas compare` prints of the same runs on disk, then the time. The window is 1 unless set.
    """
    from evonas_cli.cli.compare import check_plot, publish
    from evonas_cli.core.errors import UsageError

    check_plot(plot)
    if seeds < 2:
        raise UsageError(f"--seeds is {seeds}; it must be 2 or more, and a verdict needs at least 4")
    if jobs < 1:
        raise UsageError(f"--jobs is {jobs}; it must be 1 or more")
    document = contest(
        overrides or [], strategies, seeds, jobs, metric, report, axis, budget, baseline, config_dir, allow_module
    )
    publish(document, json, plot)
    if not json:
        say("\n".join(timing_lines(document["timing"])))
    return 0


def contest(
    overrides: Sequence[str],
    strategies: str,
    seeds: int,
    jobs: int = 1,
    metric: str | None = None,
    report: str | None = None,
    axis: Any = None,
    budget: float | None = None,
    baseline: str | None = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
) -> dict[str, Any]:
    """Runs the searches and returns the comparison's document with a member `timing`. Raises UsageError."""
    from evonas_cli.bench.strategies import Plan, check, samples, spread
    from evonas_cli.report.comparison import compare

    folders, allowed = config_dir or [], allow_module or []
    common, named = entrants(overrides, strategies, folders)
    check(common, named, allowed, folders)
    composed = [one for _, one in named]
    plan = Plan([one.config for one in composed], range(seeds), allowed, metric, report)
    outcomes = spread(plan, min(jobs, seeds))
    document = compare(samples(composed, outcomes), axis, budget, baseline)
    document["timing"] = [
        {
            "label": found["label"],
            "seconds": outcome.seconds,
            "evaluations": outcome.evaluations,
            "evaluations_per_second": outcome.evaluations / outcome.seconds,
        }
        for found, outcome in zip(document["groups"], outcomes, strict=True)
    ]
    return document


def entrants(
    overrides: Sequence[str], strategies: str, folders: Any = ()
) -> tuple[Composed, list[tuple[str, Composed]]]:
    """What all have in common, as random search has it, and the configuration of each entry of --strategies.

    Raises UsageError, which names the entry where it is about one.
    """
    from evonas_cli.bench.strategies import naming
    from evonas_cli.config.compose import compose
    from evonas_cli.core.errors import UsageError

    given = {text.partition("=")[0]: text for text in overrides}
    for key, place in (("strategy", "--strategies"), ("seed", "--seeds"), ("evaluator", "this process or --jobs")):
        if key in given:
            raise UsageError(f"{given[key]}: a bench takes this from {place}; leave it out")
    common = [*overrides, "evaluator=serial", *([] if "window" in given else ["window=1"])]
    common += [] if "job" in given else ["job=landscape"]
    shared = [text for text in common if not text.startswith("strategy.")]
    reference, found = compose([*shared, "strategy=random"], folders), []
    for entry in _COMMA.split(strategies):
        name, *settings = entry.strip().split(":")
        if not name:
            raise UsageError(f"--strategies {strategies!r}: a name is missing; write random,genetic")
        with naming(entry):
            for text in settings:
                if "=" not in text:
                    raise UsageError(f"{text!r} is no setting; write {name}:key=value")
            own = compose([*common, f"strategy={name}", *(f"strategy.{text}" for text in settings)], folders)
        found.append((entry.strip(), own))
    return reference, found


def timing_lines(timing: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Seconds of search, summed over processes, and evaluations a second."""
    yield ""
    yield "time"
    for row in timing:
        rate = row["evaluations_per_second"]
        yield f"{row['seconds']:8,.1f} s  {row['evaluations']:10,} evaluations  {rate:9,.0f} a second  {row['label']}"
