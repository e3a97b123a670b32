"""Genomes of named, independent genes whose ranges a configuration declares: {momentum: {low: 0.5, high: 0.9}}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Gene, Genes, Locus, distance, parse_named, redraw, sample
from evonas_cli.genomes.named import Named
from evonas_cli.genomes.ranges import Integer, Real

KEYS = {"options", "low", "high", "log", "integer", "points"}


class Declared(Named):
    """What a space of such genes can do, as one base class: it is Linear, Mutable and Measured.

    Genomes are the values, in the order of `genes`, which maps names to what they may be: {options: [...]}, or
    {low, high} with `log` (uniform in the logarithm), `integer` (whole numbers) and `points` (how many a grid takes).
    In JSON they are objects. `what` says in messages what a name stands for. Raises UsageError for genes without a
    valid range, naming them.
    """

    def __init__(self, genes: Mapping[str, Mapping[str, Json]], what: str) -> None:
        if not genes:
            raise UsageError(f"space.genes is empty; name at least one {what}")
        self.choices: Sequence[Locus] = [locus(name, settings) for name, settings in genes.items()]

    @property
    def extremes(self) -> Mapping[str, Sequence[Json]]:
        """The names with the ends of their ranges, or all their options."""
        return {
            locus.name: locus.options if isinstance(locus, Choice) else (locus.low, locus.high)
            for locus in self.choices
            if isinstance(locus, Choice | Real | Integer)
        }

    def _genome_of(self, values: Mapping[str, Json]) -> Genes | None:
        """The genome of values by name, further names left out; None where one is missing or outside of its range."""
        try:
            return parse_named(self.choices, {locus.name: values.get(locus.name) for locus in self.choices})
        except ValueError:
            return None

    def sample(self, rng: Random) -> Genes:
        """Every gene drawn from its range."""
        return sample(self.choices, rng)

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        """One gene drawn again."""
        return redraw(self.choices, genome, rng.randrange(len(genome)), rng)

    def distance(self, first: Genes, second: Genes) -> float:
        """Mean share of the ranges between two genomes."""
        return distance(self.choices, first, second)


def locus(name: str, settings: Mapping[str, Json]) -> Locus:
    """The gene that a YAML entry describes. Raises UsageError."""
    where = f"space.genes.{name}"
    if not isinstance(settings, Mapping) or set(settings) - KEYS:
        raise UsageError(f"{where} is {settings!r}; it takes options, or low and high with log, integer, points")
    try:
        if "options" in settings:
            return _choice(name, where, settings)
        low, high = settings.get("low"), settings.get("high")
        if not isinstance(low, int | float) or not isinstance(high, int | float):
            raise UsageError(f"{where} needs low and high, two numbers, or options; it has {dict(settings)}")
        log, whole, points = (settings.get(key) for key in ("log", "integer", "points"))
        if not all(flag is None or isinstance(flag, bool) for flag in (log, whole)):
            raise UsageError(f"{where}: log and integer are true or false")
        if whole:
            if points is not None:
                raise UsageError(f"{where}: points is for real ranges; a whole range lists all its numbers")
            return Integer(name, low, high, bool(log))  # type: ignore[arg-type]
        return Real(name, low, high, bool(log), points)  # type: ignore[arg-type]
    except ValueError as error:
        raise UsageError(f"{where}: {str(error).removeprefix(f'{name}: ')}") from error


def _choice(name: str, where: str, settings: Mapping[str, Json]) -> Choice:
    options = settings["options"]
    if len(settings) > 1 or not isinstance(options, list | tuple):
        raise UsageError(f"{where}: options is a list and goes with nothing else")
    genes: list[Gene] = []
    for option in options:
        if not isinstance(option, int | float | str):
            raise UsageError(f"{where}: options are numbers, words, true and false; not {option!r}")
        genes.append(option)
    return Choice(name, tuple(genes))
