"""`evonas bench patterns`: networks as people draw them as baselines, with equal parameters and the same training."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    ConfigDirs,
    Outputs,
    Overrides,
    Quiet,
    reference_of,
    remark,
    several,
)
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.config.compose import Composed
    from evonas_cli.report.reading import Reading


def patterns(
    overrides: Overrides = None,
    like: Annotated[
        str | None,
        typer.Option(
            "--like", metavar="RUN", parser=reference_of, help="Take data, training and objectives from this run."
        ),
    ] = None,
    parameters: Annotated[
        int | None, typer.Option("--parameters", help="Size of each (default: that of the run's best, or 20,000).")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings of each pattern.")] = 3,
    output: Annotated[
        Path | None,
        typer.Option("--run-dir", "-o", parser=path_of, metavar="PATH", help="Folder of the run that is made."),
    ] = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Train human patterns (plain, residual, dense, ...) at equal parameters, as baselines.

    Makes an ordinary run and prints mean and 95 % interval of each pattern over the seeds, on the validation part.
    Named beside other runs, `evonas compare` and `evonas report` set the best pattern beside theirs.
    """
    from evonas_cli.cli.running import carry_out, narrator
    from evonas_cli.core.errors import UsageError
    from evonas_cli.run.assembly import assemble
    from evonas_cli.run.session import create, new_run
    from evonas_cli.store.directory import abandon

    for name, number in (("--seeds", seeds), ("--parameters", parameters)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}; it must be 1 or more")
    words, allowed, folders = overrides or [], allow_module or [], config_dir or []
    _check_words(words)
    if like is None:
        composed = _fresh(words, parameters, seeds, folders)
    else:
        from evonas_cli.report.reading import read_run

        composed = _like(read_run(like, outputs, allowed), words, parameters, seeds, allowed)
    parts = assemble(composed.config, allowed, folders)
    run, voice = new_run(composed, output, allowed), narrator(parts, quiet)
    try:
        run.check_free()
        count = composed.config["budget"]["evaluations"]
        if not quiet:
            kinds = several(count // seeds, "pattern")
            remark(f"evonas: {kinds} x {several(seeds, 'seed')} = {several(count, 'training')}")
        begin = lambda: create(run, parts, composed.choices, voice.result, sys.argv[1:])  # noqa: E731
        return carry_out(begin, run, voice, json)
    finally:
        if output is None:
            abandon(run.root)


OWN = ("space", "strategy", "budget", "window", "dedupe")
"""What the bench decides itself; of the space single settings may be given."""


def _check_words(words: Sequence[str]) -> None:
    from evonas_cli.core.errors import UsageError

    for word in words:
        key = word.partition("=")[0]
        if key in OWN or key.partition(".")[0] in OWN[1:]:
            raise UsageError(f"{word}: the bench decides this itself (--parameters, --seeds); leave it out")
        if key in ("space.parameters", "space.sizes"):
            raise UsageError(f"{word}: leave it out, and pass --parameters")


def _fresh(words: Sequence[str], parameters: int | None, seeds: int, folders: Sequence[Path]) -> Composed:
    """A run of its own: settings as `evonas search` takes them."""
    from evonas_cli.config.compose import compose

    size = [] if parameters is None else [f"space.parameters={parameters}"]
    first = compose([*words, "space=patterns", "strategy=listed", *size], folders)
    genomes = [[name, 1.0] for name in first.config["space"]["names"]]
    listed = [f"strategy.genomes={jsonlib.dumps(genomes)}", f"strategy.repeats={seeds}"]
    budget = [f"budget.evaluations={len(genomes) * seeds}"]
    return compose([*words, "space=patterns", "strategy=listed", *size, *listed, *budget], folders)


def _like(
    reading: Reading, words: Sequence[str], parameters: int | None, seeds: int, allowed: Sequence[str]
) -> Composed:
    """A run with the data, the training and the objectives of another one; the size is that of its best candidate.

    Caps of the search do not hold for what it is compared with, whose size is given.
    """
    from evonas_cli.config.compose import Composed, apply
    from evonas_cli.config.folders import file_of, read
    from evonas_cli.core.errors import UsageError
    from evonas_cli.report.choosing import chosen
    from evonas_cli.run.confirming import confirming
    from evonas_cli.run.stored import stored_config

    source, metadata = stored_config(reading.run), reading.run.metadata()
    node: dict[str, Any] = read(file_of("space", "patterns", ()))
    if parameters is None:
        best = reading.journal.read(chosen(reading, ["best"])[0])["metrics"].get("parameters")
        if best is None:
            raise UsageError(f"the best candidate of {reading.run.root} has no parameters; pass --parameters")
        parameters = int(best)
    source["space"] = {**node, "parameters": parameters}
    own = [word for word in words if word.startswith("space.")]
    rest = [word for word in words if not word.startswith("space.")]
    source = apply(source, own)
    if "trainer" in source:
        source["trainer"] |= {"max_parameters": None, "max_multiply_adds": None}
    genomes = [[name, 1.0] for name in source["space"]["names"]]
    config = confirming(source, genomes, seeds, rest, allowed)
    if "test" in config["job"]:
        config["job"]["test"] = False
    choices = {**metadata["choices"], "space": "patterns", "strategy": "listed"}
    return Composed(config, choices)
