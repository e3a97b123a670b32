"""`evonas tune`: which settings of the engine are fastest for a search on this machine."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.common import AllowModules, AsJson, ConfigDirs, Overrides, print_json, remark, say, several

if TYPE_CHECKING:
    from evonas_cli.run.assembly import Parts
    from evonas_cli.store.directory import RunDirectory

KEYS = ("layout", "precision", "graph", "stack")
GENOMES = 3
GAIN = 1.05
THREADS_GAIN = 1.1
"""How many times faster than workers of one thread others have to be."""


@dataclass(frozen=True)
class Tuned:
    """What was tried: ways to train, threads and workers. What was chosen."""

    ways: list[dict[str, Any]]
    threads: list[dict[str, Any]]
    overrides: list[str]


def tune(
    overrides: Overrides = None,
    seconds: Annotated[float, typer.Option("--seconds", help="How long each way is tried; there are up to 40.")] = 1.0,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    json: AsJson = False,
) -> int:
    """Try layouts, precisions, widths of stacks and threads on networks of the search space.

    Prints the fastest settings. They decide about bits, so they belong to a run: pass those of the last line to `evonas
    search`, or let `evonas search --tune` do both.
    """
    from evonas_cli.config.compose import compose
    from evonas_cli.core.errors import UsageError
    from evonas_cli.run.assembly import assemble

    if not 0 < seconds < float("inf"):
        raise UsageError(f"--seconds is {seconds}; it must be above 0")
    folders, allowed, words = config_dir or [], allow_module or [], overrides or []
    found = measured(assemble(compose(words, folders).config, allowed, folders), names(words), seconds)
    if json:
        print_json(asdict(found))
        return 0
    for way in found.ways:
        apart = f"   loss {way['loss_difference']:.1f} times as far from that of fp32 as seeds are apart, not trusted"
        note = "" if way["trusted"] else apart
        say(f"{way['samples_per_second']:12,.0f} samples/s   {' '.join(way['overrides'])}{note}")
    for way in found.threads:
        at_once = f"{way['workers']} workers at once" if way["workers"] > 1 else "one worker"
        say(f"{way['samples_per_second']:12,.0f} samples/s   evaluator.threads={way['threads']}, {at_once}")
    say(shlex.join(found.overrides))
    return 0


def names(overrides: Sequence[str]) -> set[str]:
    """The keys that a command line names."""
    return {text.partition("=")[0] for text in overrides}


def measured(parts: Parts, named: Collection[str], seconds: float) -> Tuned:
    """All that was tried, the fastest ways first. Raises UsageError for a job that has nothing to choose.

    Keys that are `named`, or have another value than the usual, keep it.
    """
    from concurrent.futures import ProcessPoolExecutor

    from evonas_cli.core.processes import spawning
    from evonas_cli.core.rng import stream
    from evonas_cli.evaluation.parcel import packed

    genomes = [parts.space.sample(stream(parts.config["seed"], "tune", number)) for number in range(GENOMES)]
    with ProcessPoolExecutor(1, spawning()) as other:
        kind, ways = other.submit(_probe, packed(parts.job), genomes, seconds).result()
    overrides = choose(ways)
    evaluator = parts.config["evaluator"]
    usual = evaluator.get("threads") == 1 and evaluator.get("workers") is None
    free = usual and not {"evaluator.threads", "evaluator.workers"} & set(named)
    threads = _try_threads(parts, overrides, genomes, seconds) if free and kind == "cpu" else []
    return Tuned(ways, threads, overrides + choose_threads(threads))


def _probe(parcel: bytes, genomes: list[Any], seconds: float) -> tuple[str, list[dict[str, Any]]]:
    """Type of device, and ways. In a process of its own, so that no memory of a device stays taken."""
    from evonas_cli.core.errors import UsageError
    from evonas_cli.core.evaluating import Place, Probing
    from evonas_cli.evaluation.parcel import unpacked

    bench = unpacked(parcel, Place())
    if not isinstance(bench, Probing):
        raise UsageError(f"{type(bench).__name__} has no settings of speed to choose; tuning is for job=train")
    remark(f"evonas: trying ways to train, {seconds:g} s each; this takes one to two minutes")
    return str(bench.environment()["device"]), bench.probe(genomes, seconds)


def _try_threads(parts: Parts, overrides: list[str], genomes: list[Any], seconds: float) -> list[dict[str, Any]]:
    """Samples a second, threads and workers, the fastest first; nothing where there is one core."""
    from evonas_cli.config.compose import apply
    from evonas_cli.evaluation.division import available_cores
    from evonas_cli.evaluation.thread_trials import divisions, side_by_side
    from evonas_cli.run.assembly import job_of

    found = []
    options = divisions(available_cores(), several="workers" in parts.config["evaluator"])
    for threads, workers in options if len(options) > 1 else []:
        remark(f"evonas: trying {several(workers, 'worker')} of {several(threads, 'thread')}")
        config = apply(parts.config, [*overrides, f"evaluator.threads={threads}"])
        rate = side_by_side(job_of(config, parts.allowed), workers, genomes, seconds)
        found.append({"threads": threads, "workers": workers, "samples_per_second": rate})
    return sorted(found, key=lambda way: -way["samples_per_second"])


def recorded(run: RunDirectory) -> list[str]:
    """The overrides that a run was tuned to, as far as they are settled in it."""
    from evonas_cli.run.stored import stored_config

    config = stored_config(run)
    trainer, threads = config.get("trainer", {}), config["evaluator"].get("threads", 1)
    found = [f"trainer.{key}={trainer[key]}" for key in KEYS if trainer.get(key) not in (None, "auto")]
    return found + ([f"evaluator.threads={threads}"] if threads != 1 else [])


def choose(ways: list[dict[str, Any]]) -> list[str]:
    """The overrides of the fastest way whose losses are those of fp32; another precision must be clearly faster."""
    trusted = [way for way in ways if way["trusted"]]
    plain = [way for way in trusted if "trainer.precision=fp32" in way["overrides"]]
    best = trusted[0]
    if plain and best["samples_per_second"] <= GAIN * plain[0]["samples_per_second"]:
        best = plain[0]
    return list(best["overrides"])


def choose_threads(found: list[dict[str, Any]]) -> list[str]:
    """The threads of the fastest, or one where nothing else is clearly faster; none where nothing was tried."""
    if not found:
        return []
    alone = next(way for way in found if way["threads"] == 1)
    clear = found[0]["samples_per_second"] > THREADS_GAIN * alone["samples_per_second"]
    return [f"evaluator.threads={(found[0] if clear else alone)['threads']}"]
