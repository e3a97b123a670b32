"""The interfaces of the program. Nothing inherits from them: a class that has the methods conforms."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from random import Random
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, Json, Objective, Proposal

G = TypeVar("G")
C = TypeVar("C", contravariant=True)
S = TypeVar("S")
INNER = TypeVar("INNER")
"""In the state of a strategy that draws on another one, its `proposer`: the state of that one."""


@runtime_checkable
class Space(Protocol[G], metaclass=Capability):
    """A set of genomes. Its `sample` is the prior that every strategy, the random baseline included, starts from."""

    def sample(self, rng: Random) -> G:
        """A genome drawn from the prior."""

    def to_json(self, genome: G) -> Json:
        """The genome as people read it; the only form in which a genome is stored."""

    def from_json(self, data: Json) -> G:
        """The inverse of `to_json`. Raises ValueError for what is no genome of this space."""


@runtime_checkable
class Strategy(Protocol[G, S], metaclass=Capability):
    """Proposes genomes. Holds hyperparameters only: what evolves is a value of type S that is passed in and out.

    `demands` says what the strategy needs of the other parts of a run. `least_evaluations` is the smallest budget that
    makes sense: the first population, batch or bracket.
    """

    @property
    def demands(self) -> Demands:
        """What space, jobs and window must be: `Demands(space=(Mutable,))`."""

    @property
    def least_evaluations(self) -> int:
        """Size of the first population, batch or bracket, or of a schedule that has to be gone through."""

    def init(self, rng: Random) -> S:
        """The state before the first ask."""

    def ask(self, state: S, rng: Random) -> tuple[list[Proposal[G]], S]:
        """The proposals of the next step; an empty list ends the search."""

    def tell(self, state: S, told: Sequence[Evaluation[G]], rng: Random) -> S:
        """Takes all evaluations of one ask, in its order. Steps are told in the order in which they were asked."""

    def population(self, state: S) -> tuple[int, ...]:
        """Candidate ids of the living members, in the strategy's own order; empty for a strategy without memory."""


@runtime_checkable
class Figures(Protocol[C], metaclass=Capability):
    """What a strategy may have in addition: figures about its state, logged after every told step."""

    def figures(self, state: C) -> Mapping[str, Json]:
        """Named figures, such as the population's diversity; the same state gives the same figures."""


@runtime_checkable
class Particular(Protocol, metaclass=Capability):
    """What a strategy may have in addition: it knows what it cannot learn from."""

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError for objectives that it cannot use."""


@runtime_checkable
class Selective(Protocol, metaclass=Capability):
    """What a strategy may have in addition: of the spaces that meet its demands it knows some that it cannot search."""

    def check_space(self) -> None:
        """Raises UsageError for such a space: a grid search for a range without steps. A run begins with the same
        check, in `init`; here it makes no state and loads nothing."""


@runtime_checkable
class Keeping(Protocol[C], metaclass=Capability):
    """What a strategy that continues trainings may have in addition: it knows whose weights it may still need."""

    def keeps(self, state: C) -> Container[int]:
        """Ids of told candidates that proposals asked of this state, or of a later one, may continue.

        Weights of other told candidates are removed in the course of a run: a strategy that continues the best
        candidate alone returns `(state.best_id,)`.
        """


@runtime_checkable
class Confirming(Protocol, metaclass=Capability):
    """What a strategy may have in addition: it chooses nothing, but measures again what was chosen before."""

    @property
    def confirmations(self) -> int:
        """How many candidates it measures in all. They may be measured on the test part."""


@runtime_checkable
class Computing(Protocol, metaclass=Capability):
    """What a strategy may have in addition: its bits depend on the machine, as those of a job do."""

    def environment(self) -> dict[str, Json]:
        """What its proposals depend on beside the configuration; keys begin with `strategy_`."""


OF_STRATEGIES: tuple[type, ...] = (Strategy, Figures, Particular, Selective, Keeping, Confirming, Computing)
"""All that a strategy may have."""
