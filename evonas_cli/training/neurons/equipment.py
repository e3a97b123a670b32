"""What neurons are evaluated with: a job holds it as settings, its bench makes data and programs of it. No torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.guard import LONGEST_DESCRIPTOR
from evonas_cli.core.types import Candidate
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Neural
from evonas_cli.training.neurons.settings import SOURCES, Descent, Penalty

FITNESS = ("valid", "train")


@dataclass(frozen=True, kw_only=True)
class NeuralEquipment:
    """`space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`.

    `weights` says where weights come from: `evolved`, the genome's are taken as they are; `gradient` and `both`, the
    descent begins with the genome's. `fitness` is the part whose loss is penalised; with `standardise` each input has
    mean 0 and deviation 1 in the training part; with `test` the test part is measured. `probes` is the number of
    training examples whose answers describe a candidate; None: candidates are not described. Raises UsageError.
    """

    space: Neural[Any]
    dataset: Source
    seed: int
    device: str
    deterministic: bool
    threads: int
    weights: str
    descent: Descent
    penalty: Penalty
    fitness: str
    standardise: bool
    test: bool
    probes: int | None

    def __post_init__(self) -> None:
        for key, known in (("weights", SOURCES), ("fitness", FITNESS)):
            if getattr(self, key) not in known:
                raise UsageError(f"job.{key} is {getattr(self, key)!r}; it must be one of {', '.join(known)}")
        if self.probes is not None and (type(self.probes) is not int or self.probes < 1):
            raise UsageError(f"job.probes is {self.probes!r}; it must be an integer of at least 1")
        known_outputs = self.dataset.known_outputs
        if self.probes is not None and known_outputs is not None:
            one = known_outputs == 2 and self.dataset.task_kind == "classes"
            self.check_probes(1 if one else known_outputs)

    def at(self, place: Place) -> Self:
        """The same on the device of the place."""
        return self if place.device is None else replace(self, device=place.device)

    def check_probes(self, answers: int) -> None:
        """Raises UsageError where so many answers at each probe are more numbers than a descriptor may have."""
        count = (self.probes or 0) * answers
        if count > LONGEST_DESCRIPTOR:
            raise UsageError(
                f"job.probes={self.probes} with {answers} answers each makes {count} numbers, and a descriptor has at "
                f"most {LONGEST_DESCRIPTOR}; set job.probes={LONGEST_DESCRIPTOR // answers} or fewer"
            )

    def updates(self, candidate: Candidate[Any]) -> int:
        """How many updates a candidate's weights have at most: 0 where its weights, or all, are evolved ones.

        Raises UsageError for options that the job does not know.
        """
        proposal = candidate.proposal
        if proposal.options not in (None, {"weights": "evolved"}):
            raise UsageError(f"job=neurons has no options {proposal.options!r}; it takes {{'weights': 'evolved'}}")
        if self.weights == "evolved" or proposal.options is not None:
            return 0
        return max(1, round(self.descent.steps * proposal.fidelity))

    def passes(self, examples: int, updates: int) -> int:
        """The examples computed for a candidate, in forward passes: the `examples` of the training part once, and three
        for each example of an update."""
        batch = examples if self.descent.batch is None else min(self.descent.batch, examples)
        return examples + 3 * batch * updates
