"""All genomes of a small space, and which of them are one network: what `evonas bench build` trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from evonas_cli.config.build import build, spaces
from evonas_cli.config.compose import Config
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Buildable, Linear
from evonas_cli.genomes.choices import Genes
from evonas_cli.jobs.train import Train
from evonas_cli.run.assembly import job_of

GENOMES_A_NETWORK = 40
"""A space with more genomes than this times the limit of networks is refused without counting its networks."""


@dataclass(frozen=True)
class Enumeration:
    """The genomes of a space, as the space writes them, in the order of its choices.

    `places` says for each genome at which place of `networks` its network stands; None: the genome has no network.
    `networks` has the first genome of each distinct network.
    """

    genomes: tuple[Json, ...]
    places: tuple[int | None, ...]
    networks: tuple[Json, ...]


def enumerate_space(config: Config, limit: int, allowed: Sequence[str], folders: Sequence[Path]) -> Enumeration:
    """All genomes of the configured space, with equal networks found by the canonical hash of the train job.

    Raises UsageError for a space that is not enumerable, for more than `limit` distinct networks, for a job that is
    not job=train or a data set without classes, and for a space of which no genome has a network.
    """
    space = build(config["space"], "space", allowed)
    check_enumerable(space, allowed, folders)
    genomes = prod(len(locus.grid or ()) for locus in space.choices)
    if genomes > GENOMES_A_NETWORK * limit:
        raise UsageError(
            f"the space has {genomes:,} genomes, too many to train all their networks (--limit {limit}); "
            "choose fewer options in the space's settings, or raise --limit"
        )
    job = job_of(config, tuple(allowed))
    if not isinstance(job, Train) or "valid_accuracy" not in job.metrics:
        raise UsageError("a table holds accuracies of trainings: use job=train with a data set of classes")
    source: Source = build(config["dataset"], "dataset", allowed)
    environment = {"task": source.task().to_json()}
    found = distinct(space, lambda genome: job.function_key(genome, environment))
    if not found.networks:
        reason = _unbuildable(space, source)
        raise UsageError(f"no genome of the space has a network for this data set: {reason}")
    if len(found.networks) > limit:
        raise UsageError(
            f"the space has {len(found.networks):,} distinct networks ({genomes:,} genomes), more than --limit {limit};"
            f" choose fewer options in its settings, or pass --limit {len(found.networks)}"
        )
    return found


def check_enumerable(space: Any, allowed: Sequence[str], folders: Sequence[Path]) -> None:
    """Raises UsageError, which names the spaces that are, unless the space's genomes can be listed.

    A space is enumerable when its genomes are independent genes and each gene has finitely many values.
    """
    if not isinstance(space, Linear):
        able = [name for name, other in spaces(allowed, folders).items() if enumerable(other)]
        raise UsageError(
            f"{type(space).__name__} is not enumerable: its genomes are no tuples of independent genes; "
            f"spaces that are: {', '.join(able) or 'none'}"
        )
    endless = [locus.name for locus in space.choices if locus.grid is None]
    if endless:
        raise UsageError(
            f"{type(space).__name__} is not enumerable: {', '.join(endless)} is a range without steps; "
            "give it `points`, or options, in the space's settings"
        )


def enumerable(space: Any) -> bool:
    """Whether the genomes of a space have networks and can be listed."""
    listed = isinstance(space, Linear) and all(locus.grid is not None for locus in space.choices)
    return listed and isinstance(space, Buildable)


def distinct(space: Any, key: Callable[[Genes], str | None]) -> Enumeration:
    """All genomes of an enumerable space; `key` is equal for genomes of one network, and None for one without."""
    genomes: list[Json] = []
    places: list[int | None] = []
    networks: list[Json] = []
    known: dict[str, int] = {}
    for genome in _all(space):
        written, name = space.to_json(genome), key(genome)
        if name is not None and name not in known:
            known[name] = len(networks)
            networks.append(written)
        genomes.append(written)
        places.append(None if name is None else known[name])
    return Enumeration(tuple(genomes), tuple(places), tuple(networks))


def _all(space: Any) -> Iterator[Genes]:
    """The genomes of an enumerable space, in the order of its choices."""
    return product(*[locus.grid or () for locus in space.choices])


def _unbuildable(space: Any, source: Source) -> str:
    """What the space says of its first genome."""
    try:
        space.decode(next(_all(space)), source.task())
    except Exception as error:  # whatever the space raises is the reason
        return " ".join(str(error).split())[:160] or type(error).__name__
    return "its networks have no key"
