"""Training and structure together: genes of a training beside the genes of a network.

`training` is a space whose genomes say how a network is trained, such as taylor_loss (Gonzalez and Miikkulainen, 2021),
activation_tree, initialisation, augmentation_policy or learning_rule; `structure` one whose genomes are networks. The
network of the first space does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Json
from evonas_cli.genomes.capabilities import Applying, Buildable, Crossable, Linear, Measured, Mutable, Tuning
from evonas_cli.network.task import Phenotype, Task

Genome: TypeAlias = tuple[Any, Any]
PARTS = ("training", "structure")


class Joint:
    """Genomes are pairs: of the training, and of the structure.

    A mutation changes the training with probability `training_share`, else the structure. Each part is recombined by
    its own operators: those of the space, gene by gene where genes are independent, or else as a whole. Raises
    UsageError for spaces that are not what they are here for, and for two that set one key of the trainer.
    """

    def __init__(self, training: Space[Any], structure: Space[Any], training_share: float = 0.5) -> None:
        if not isinstance(training, Applying) or not isinstance(training, Mutable):
            raise UsageError(f"space.training: the genomes of {type(training).__name__} do not say how networks are "
                             "trained; take taylor_loss or activation_tree")  # fmt: skip
        if not isinstance(structure, Buildable) or not isinstance(structure, Mutable):
            raise UsageError(f"space.structure: the genomes of {type(structure).__name__} are no networks that mutate; "
                             "take chain_cnn or mlp")  # fmt: skip
        if type(training_share) not in (int, float) or not 0 <= training_share <= 1:
            raise UsageError(f"space.training_share is {training_share!r}; it must be a number from 0 to 1")
        self._parts: tuple[Any, Any] = training, structure
        self._share = training_share
        keys = [set(part.tuned) for part in self._parts if isinstance(part, Tuning)]
        if len(keys) == 2 and (both := sorted(keys[0] & keys[1])):
            raise UsageError(f"space.training and space.structure both set trainer.{both[0]}; drop one of the genes")

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer keys that either part sets."""
        found: dict[str, Sequence[Json]] = {}
        for part in self._parts:
            found |= dict(part.tuned) if isinstance(part, Tuning) else {}
        return found

    def sample(self, rng: Random) -> Genome:
        """A sample of each part."""
        first, second = [part.sample(rng) for part in self._parts]
        return first, second

    def mutate(self, genome: Genome, rng: Random) -> Genome:
        """The training or the structure mutated; the other one where the first has no mutant."""
        order = (0, 1) if rng.random() < self._share else (1, 0)
        for place in order:
            mutant = self._parts[place].mutate(genome[place], rng)
            if mutant != genome[place]:
                return (mutant, genome[1]) if place == 0 else (genome[0], mutant)
        return genome

    def recombine(self, parents: Sequence[Genome], rng: Random) -> Genome:
        """Each part recombined from the parents' parts."""
        first, second = [_child(part, [p[place] for p in parents], rng) for place, part in enumerate(self._parts)]
        return first, second

    def distance(self, first: Genome, second: Genome) -> float:
        """The mean of the parts' distances; of a part without a distance 0 for equal genomes, else 1."""
        apart = [
            part.distance(first[place], second[place])
            if isinstance(part, Measured)
            else float(first[place] != second[place])
            for place, part in enumerate(self._parts)
        ]
        return sum(apart) / len(apart)

    def decode(self, genome: Genome, task: Task) -> Phenotype:
        """The network, trained as the genome says. Raises PlanError as either part does."""
        training, structure = self._parts
        found: Phenotype = training.applied(genome[0], structure.decode(genome[1], task))
        return found

    def to_json(self, genome: Genome) -> Json:
        """The genomes of both parts by name."""
        return {name: part.to_json(own) for name, part, own in zip(PARTS, self._parts, genome, strict=True)}

    def from_json(self, data: Json) -> Genome:
        """The inverse of `to_json`. Raises ValueError, in one line, that names the part."""
        if not isinstance(data, Mapping) or set(data) != set(PARTS):
            raise ValueError(f"a genome here is an object with {' and '.join(PARTS)}")
        found = []
        for name, part in zip(PARTS, self._parts, strict=True):
            try:
                found.append(part.from_json(data[name]))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return found[0], found[1]


def _child(space: Any, parents: Sequence[Any], rng: Random) -> Any:
    if isinstance(space, Crossable):
        return space.recombine(parents, rng)
    if isinstance(space, Linear):
        return tuple([rng.choice(genes) for genes in zip(*parents, strict=True)])
    return rng.choice(parents)
