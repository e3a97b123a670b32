"""Bounded sequences of components on a real line, for the architecture search problem of de Wynter (ICANN 2019).

On the Bounds of Function Approximations (arXiv 1908.09942) states the approximate problem, a-ASP: given components, a
bound on the length of a sequence and a tolerance, find a sequence whose function is near enough to a target. The paper
is theory and has no code. The landscape here is our reading of it: a sequence is the composition of its components,

    add(x) = x + 1, double(x) = 2x, square(x) = x^2, sin, tanh, negate(x) = -x,

each of which is applied to x times a gain of its own. The target is such a composition, and error is the root of the
mean squared difference from it over `points` in [-2, 2]:

    score = 1 / (1 + error).

With one gain, 1, the six components and length 4, there are 6 + 36 + 216 + 1,296 = 1,554 sequences. Several may be one
function. The paper's remark on component sets that are equivalent to a Turing machine does not apply here: compositions
of bounded length, like networks of fixed size, are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, sin, sqrt, tanh
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution import sequences
from evonas_cli.evolution.crossover import one_point
from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.options import words

COMPONENTS: Mapping[str, Callable[[float], float]] = {
    "add": lambda x: x + 1,
    "double": lambda x: 2 * x,
    "square": lambda x: x * x,
    "sin": sin,
    "tanh": tanh,
    "negate": lambda x: -x,
}
END = 2.0
"""The target is approximated in [-END, END]."""
PROBES = tuple([END * (place / 4 - 1) for place in range(9)])
"""Where a composition's values are its behaviour."""


@dataclass(frozen=True, slots=True)
class Composition:
    """Components in the order in which they are applied, and the gain of each component that occurs, by name."""

    sequence: tuple[str, ...]
    gains: tuple[tuple[str, float], ...]


class Sequences:
    """Compositions of up to `max_length` components with gains, near or far from a target on a real line.

    `gains` are the options of every component's gain. The target is `target`, with the gains `target_gains` at its
    places; its components need not be among `components`. Raises UsageError for components that are unknown.
    """

    behaviours = tuple([f"at {x:g}" for x in PROBES])

    def __init__(
        self,
        components: Sequence[str] = tuple(COMPONENTS),
        max_length: int = 4,
        gains: Sequence[float] = (0.5, 1.0, 2.0),
        target: Sequence[str] = ("sin", "add", "square"),
        target_gains: Sequence[float] = (2.0, 0.5, 1.0),
        points: int = 41,
    ) -> None:
        if type(max_length) is not int or max_length < 1:
            raise UsageError(f"space.max_length must be a whole number of at least 1; it is {max_length!r}")
        if type(points) is not int or points < 2:
            raise UsageError(f"space.points must be a whole number of at least 2; it is {points!r}")
        self.components = words("components", components, tuple(COMPONENTS))
        if not target or not set(target) <= set(COMPONENTS):
            raise UsageError(f"space.target must be a list of {', '.join(COMPONENTS)}; it is {list(target)}")
        if len(target_gains) != len(target):
            raise UsageError(f"space.target_gains must be {len(target)} numbers, as many as target has components")
        for key, numbers in (("gains", gains), ("target_gains", target_gains)):
            if not numbers or any(type(gain) not in (int, float) or not isfinite(gain) for gain in numbers):
                raise UsageError(f"space.{key} must be finite numbers; it is {list(numbers)}")
        if len(set(gains)) < len(gains):
            raise UsageError(f"space.gains lists a gain twice: {list(gains)}")
        options = tuple([float(gain) for gain in gains])
        self.max_length = max_length
        self.settings: Sequence[Choice] = [Choice(name, options) for name in self.components]
        self._xs = [END * (2 * place / (points - 1) - 1) for place in range(points)]
        self._ys = [applied(list(zip(target, target_gains, strict=True)), x) for x in self._xs]
        if not all(map(isfinite, self._ys)):
            raise UsageError(f"space.target is not finite in [-{END:g}, {END:g}]; shorten it, or lower its gains")

    def sample(self, rng: Random) -> Composition:
        """Every length with equal chances; components and gains uniform."""
        sequence = sequences.draw(self.components, self.max_length, rng)
        return self.compose(sequence, choices.sample(self.settings, rng))

    def compose(self, sequence: Sequence[str], settings: Genes) -> Composition:
        """The composition; gains of components that do not occur in it are left out."""
        used = [(name, float(gain)) for name, gain in zip(self.components, settings, strict=True) if name in sequence]
        return Composition(tuple(sequence), tuple(used))

    def mutate(self, genome: Composition, rng: Random) -> Composition:
        """One component inserted, deleted or replaced, or the gain of one drawn again, with equal chances.

        A component that is new in the sequence has a gain from the prior.
        """
        gains = dict(genome.gains)
        if len(self.settings[0].options) > 1 and rng.random() < 0.5:
            name = rng.choice(list(gains))
            locus = self.settings[self.components.index(name)]
            return self._composed(genome.sequence, {**gains, name: float(locus.redraw(gains[name], rng))}, rng)
        return self._composed(sequences.mutate(genome.sequence, self.components, self.max_length, rng), gains, rng)

    def recombine(self, parents: Sequence[Composition], rng: Random) -> Composition:
        """One-point crossover at one place of all parents; the child is as long as the parent of its end.

        The gain of a component is that of one of the parents in which the component occurs.
        """
        shortest = min(len(parent.sequence) for parent in parents)
        sources = one_point(shortest, len(parents), rng)
        head = [parents[source].sequence[place] for place, source in enumerate(sources)]
        sequence = (*head, *parents[sources[-1]].sequence[shortest:])
        known = [dict(parent.gains) for parent in parents]
        used = [name for name in self.components if name in sequence]
        gains = {name: rng.choice([gains[name] for gains in known if name in gains]) for name in used}
        return self._composed(sequence, gains, rng)

    def score(self, genome: Composition) -> float:
        """1 / (1 + error), in [0, 1]; 0 where a value is not finite."""
        gains = dict(genome.gains)
        steps = [(name, gains[name]) for name in genome.sequence]
        apart = [applied(steps, x) - y for x, y in zip(self._xs, self._ys, strict=True)]
        error = sqrt(sum([difference * difference for difference in apart]) / len(apart))
        return 1 / (1 + error) if isfinite(error) else 0.0

    def behaviour(self, genome: Composition) -> tuple[float, ...]:
        """10 y / (1 + |y|) for the value y at each of PROBES, in [-10, 10]; 10 where y is not finite."""
        gains = dict(genome.gains)
        values = [applied([(name, gains[name]) for name in genome.sequence], x) for x in PROBES]
        return tuple([10 * y / (1 + abs(y)) if isfinite(y) else 10.0 for y in values])

    def to_json(self, genome: Composition) -> Json:
        """The sequence, and the gain of each component in it by name."""
        return {"sequence": list(genome.sequence), "gains": dict(genome.gains)}

    def from_json(self, data: Json) -> Composition:
        """The inverse of `to_json`. Raises ValueError for anything else, with the reason."""
        if not isinstance(data, Mapping) or set(data) != {"sequence", "gains"}:
            raise ValueError("a genome here is an object with sequence and gains")
        sequence, gains = data["sequence"], data["gains"]
        if not isinstance(sequence, list | tuple) or not 1 <= len(sequence) <= self.max_length:
            raise ValueError(f"sequence must be a list of 1 to {self.max_length} components; it is {sequence!r}")
        unknown = [name for name in sequence if name not in self.components]
        if unknown:
            raise ValueError(f"sequence has {unknown[0]!r}; a component is one of {', '.join(self.components)}")
        if not isinstance(gains, Mapping) or set(gains) != set(sequence):
            raise ValueError("gains must have a gain for each component of the sequence, by name, and no other")
        numbers = {name: float(gain) if type(gain) is int else gain for name, gain in gains.items()}
        used = [(one.name, float(one.check(numbers[one.name]))) for one in self.settings if one.name in gains]
        return Composition(tuple([str(name) for name in sequence]), tuple(used))

    def _composed(self, sequence: Sequence[str], gains: Mapping[str, float], rng: Random) -> Composition:
        """The composition; a component without a gain draws one."""
        used = [name for name in self.components if name in sequence]
        loci = {locus.name: locus for locus in self.settings}
        found = [(name, gains[name] if name in gains else float(loci[name].draw(rng))) for name in used]
        return Composition(tuple(sequence), tuple(found))


def applied(steps: Sequence[tuple[str, float]], x: float) -> float:
    """The value of a composition of components with gains at x; infinite where a value on the way is not finite."""
    for name, gain in steps:
        if not isfinite(gain * x):
            return inf
        x = COMPONENTS[name](gain * x)
    return x
