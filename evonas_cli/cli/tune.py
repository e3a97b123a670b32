"""`evonas tune`: which settings of the engine are fastest for a search on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, Overrides, print_json

if TYPE_CHECKING:
    from evonas_cli.parts import Parts
    from evonas_cli.store.directory import RunDirectory

KEYS = ("layout", "precision", "stack")
GENOMES = 3
GAIN = 1.05


def tune(
    overrides: Overrides = None,
    seconds: Annotated[float, typer.Option("--seconds", help="How long each way is tried.")] = 1.0,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    json: AsJson = False,
) -> int:
    """Try layouts, precisions and widths of stacks on networks of the search space; print the fastest settings.

    Settings decide about bits, so they belong to a run: pass those of the last line to `evonas search`, or let
    `evonas search --tune` do both.
    """
    from evonas_cli.config import compose
    from evonas_cli.core.errors import UsageError
    from evonas_cli.parts import assemble

    if not 0 < seconds < float("inf"):
        raise UsageError(f"--seconds is {seconds}; it must be above 0")
    folders, allowed = config_dir or [], allow_module or []
    ways = measured(assemble(compose(overrides or [], folders).config, allowed, folders), seconds)
    chosen = choose(ways)
    if json:
        print_json({"ways": ways, "overrides": chosen})
        return 0
    for way in ways:
        note = "" if way["trusted"] else f"   loss {way['loss_difference']:.0%} from that of fp32, not trusted"
        print(f"{way['samples_per_second']:12,.0f} samples/s   {' '.join(way['overrides'])}{note}")
    print(" ".join(chosen))
    return 0


def measured(parts: Parts, seconds: float) -> list[dict[str, Any]]:
    """All ways, the fastest first. Raises UsageError for a job that has nothing to choose."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from evonas_cli.core.errors import UsageError
    from evonas_cli.core.evaluating import Probing
    from evonas_cli.core.rng import stream

    job = parts.recipe()
    if not isinstance(job, Probing):
        raise UsageError(f"{type(job).__name__} has no settings of speed to choose; tuning is for job=train")
    genomes = [parts.space.sample(stream(parts.config["seed"], "tune", number)) for number in range(GENOMES)]
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        return other.submit(_probe, parts.recipe, genomes, seconds).result()


def _probe(recipe: Callable[[], Any], genomes: list[Any], seconds: float) -> list[dict[str, Any]]:
    """In a process of its own, so that no memory of a device stays taken."""
    ways: list[dict[str, Any]] = recipe().probe(genomes, seconds)
    return ways


def recorded(run: RunDirectory) -> list[str]:
    """The overrides that a run was tuned to, as far as they are settled in it."""
    from evonas_cli.parts import stored_config

    trainer = stored_config(run).get("trainer", {})
    return [f"trainer.{key}={trainer[key]}" for key in KEYS if trainer.get(key) not in (None, "auto")]


def choose(ways: list[dict[str, Any]]) -> list[str]:
    """The overrides of the fastest way whose losses are those of fp32; another precision must be clearly faster."""
    trusted = [way for way in ways if way["trusted"]]
    plain = [way for way in trusted if "trainer.precision=fp32" in way["overrides"]]
    best = trusted[0]
    if plain and best["samples_per_second"] <= GAIN * plain[0]["samples_per_second"]:
        best = plain[0]
    return list(best["overrides"])
