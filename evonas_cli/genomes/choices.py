"""Genomes that are fixed-length lists of named, independent genes: a space declares loci and gets its operators here.

A locus is a `Choice` among options, or a range of numbers (`Real`, `Integer`; genomes/ranges.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeAlias, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json

Gene: TypeAlias = int | str | float | bool
Genes: TypeAlias = tuple[Gene, ...]


@runtime_checkable
class Locus(Protocol, metaclass=Capability):
    """One place of a genome: which genes it may hold."""

    @property
    def name(self) -> str:
        """What people call it; unique in a genome."""

    @property
    def grid(self) -> tuple[Gene, ...] | None:
        """All genes in order, or None where they are too many to list: a range without steps."""

    def draw(self, rng: Random) -> Gene:
        """A gene from the prior."""

    def redraw(self, gene: Gene, rng: Random) -> Gene:
        """Another gene from the prior; the same one only where there is no other."""

    def step(self, gene: Gene, rng: Random, scale: float) -> Gene:
        """A gene nearby: a Gaussian step of sd `scale` (share of the range) for numbers, `redraw` for options."""

    def blend(self, first: Gene, second: Gene, share: float) -> Gene:
        """Between two genes: `share` in [0, 1] is the second's weight; for options the heavier one."""

    def distance(self, first: Gene, second: Gene) -> float:
        """In [0, 1]: share of the range between two numbers; 0 or 1 for options."""

    def check(self, value: Json) -> Gene:
        """The gene that JSON data stands for. Raises ValueError that names the locus."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision: its name and the options it may take, all different."""

    name: str
    options: tuple[Gene, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError(f"choice {self.name} has no options")
        if len(set(self.options)) != len(self.options):
            raise ValueError(f"choice {self.name} lists an option twice: {list(self.options)}")

    @property
    def grid(self) -> tuple[Gene, ...]:
        """The options."""
        return self.options

    def draw(self, rng: Random) -> Gene:
        """Uniform."""
        return rng.choice(self.options)

    def redraw(self, gene: Gene, rng: Random) -> Gene:
        """Uniform over the other options; the gene itself where there is only one."""
        others = list(self.options)
        if gene in others:
            others.remove(gene)
        return rng.choice(others) if others else gene

    def step(self, gene: Gene, rng: Random, scale: float) -> Gene:
        """As `redraw`: options have no order."""
        return self.redraw(gene, rng)

    def blend(self, first: Gene, second: Gene, share: float) -> Gene:
        """The one with the larger weight."""
        return second if share > 0.5 else first

    def distance(self, first: Gene, second: Gene) -> float:
        """0 for equal options, else 1."""
        return float(first != second)

    def check(self, value: Json) -> Gene:
        """The option itself. Raises ValueError for anything else."""
        for option in self.options:
            if type(option) is type(value) and option == value:
                return option
        raise ValueError(f"{self.name} is {value!r}; it may be one of {list(self.options)}")


def sample(loci: Sequence[Locus], rng: Random) -> Genes:
    """Every gene drawn from its prior, independently."""
    return tuple([locus.draw(rng) for locus in loci])


def redraw(loci: Sequence[Locus], genes: Genes, place: int, rng: Random) -> Genes:
    """The genes with the one at `place` replaced by a different one; unchanged where there is no other."""
    return (*genes[:place], loci[place].redraw(genes[place], rng), *genes[place + 1 :])


def distance(loci: Sequence[Locus], first: Genes, second: Genes) -> float:
    """Mean distance of the genes, in [0, 1]; for options the share that differ (Hamming 1950)."""
    apart = [locus.distance(a, b) for locus, a, b in zip(loci, first, second, strict=True) if a != b]
    return sum(apart) / len(loci)


def parse(loci: Sequence[Locus], data: Json) -> Genes:
    """Genes from a JSON list. Raises ValueError naming the locus that does not fit."""
    if not isinstance(data, list | tuple) or len(data) != len(loci):
        raise ValueError(f"a genome here is a list of {len(loci)} choices")
    return tuple([locus.check(value) for locus, value in zip(loci, data, strict=True)])


def named(loci: Sequence[Locus], genes: Genes) -> dict[str, Gene]:
    """The genes by the names of their loci."""
    return {locus.name: gene for locus, gene in zip(loci, genes, strict=True)}


def parse_named(loci: Sequence[Locus], data: Json) -> Genes:
    """Genes from a JSON object, the inverse of `named`. Raises ValueError naming the locus that does not fit."""
    names = [locus.name for locus in loci]
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise ValueError(f"a genome here is an object with {', '.join(names)}")
    return tuple([locus.check(data[locus.name]) for locus in loci])


def mutate(loci: Sequence[Locus], genome: Genes, probability: float | None, scale: float | None, rng: Random) -> Genes:
    """Each gene changes with `probability` (None: 1 / length): it is drawn again, or takes a step of `scale`."""
    if probability is None:
        probability = 1 / max(1, len(genome))
    for place, locus in enumerate(loci):
        if rng.random() < probability:
            if scale is None:
                genome = redraw(loci, genome, place, rng)
            else:
                genome = (*genome[:place], locus.step(genome[place], rng, scale), *genome[place + 1 :])
    return genome


def check_listed(loci: Sequence[Locus], who: str, what: str) -> None:
    """Raises UsageError for ranges without steps, of which `who` cannot list `what`."""
    endless = [locus.name for locus in loci if locus.grid is None]
    if endless:
        raise UsageError(
            f"{who} cannot list {what} {', '.join(endless)}, a range without steps; give it `points` in the space, "
            "or use strategy=random"
        )
