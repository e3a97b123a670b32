"""What strategies share whose supernet mixes operations: epochs of a rule, then the networks of the strongest paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Generic

from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.one_shot import OneShotSearch, Shared
from evonas_cli.evolution.one_shot_settings import OneShotSettings
from evonas_cli.genomes.supernet import strengths

Strengths = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """The supernet, the strengths of its operations after the last epoch, and numbers of that epoch by name."""

    shared: Shared
    strengths: Strengths = ()
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class MixedSearch(Generic[G]):
    """An epoch a step with the given rule and its settings. Networks have at most `most_skips` edges that pass their
    input on (None: any number)."""

    search: OneShotSearch[G]
    rule: str
    settings: Mapping[str, Json]
    most_skips: int | None = None

    def ask(self, state: Mixed) -> list[Proposal[G]]:
        """The next epoch, or what ends the search."""
        if state.shared.stage != "search":
            return self.search.ask(state.shared)
        return [self.search.train(state.shared, self.rule, self.settings)]

    def tell(self, state: Mixed, told: Sequence[Evaluation[G]], rng: Random) -> Mixed:
        """After the last epoch the strongest paths are derived."""
        if state.shared.stage != "search":
            return replace(state, shared=self.search.tell(state.shared, told))
        after = self.epoch(state, told[0])
        return self.concluded(after, rng) if after.shared.epochs == self.search.epochs else after

    def epoch(self, state: Mixed, told: Evaluation[G]) -> Mixed:
        """The state after an epoch; after one that failed it is as before."""
        shared = self.search.trained(state.shared, told)
        if shared.epochs == state.shared.epochs:
            return replace(state, shared=shared)
        return Mixed(shared, strengths(told.payload), numbers(told.payload))

    def concluded(self, state: Mixed, rng: Random) -> Mixed:
        """The search is over."""
        derived = self.search.paths.strongest(state.strengths, self.search.derive, self.most_skips)
        return replace(state, shared=self.search.concluded(state.shared, derived, rng))

    def figures(self, state: Mixed) -> dict[str, Json]:
        """The supernet and the audit, the numbers of the last epoch, and how many skips the strongest path has."""
        found = {**self.search.figures(state.shared), **dict(state.numbers)}
        if state.strengths:
            [strongest] = self.search.paths.strongest(state.strengths, 1)
            found["skips"] = self.search.paths.relaxed.skips(strongest)
        return found


@dataclass(frozen=True, kw_only=True)
class MixedStrategy(OneShotSettings[G]):
    """A strategy that is settings of a rule and nothing else: `class Xnas(MixedStrategy[G])`.

    `rule` is the rule's name, `own_settings` names those settings of the strategy that the rule is given.
    """

    rule: ClassVar[str]
    own_settings: ClassVar[tuple[str, ...]]

    @cached_property
    def _mixed(self) -> MixedSearch[G]:
        settings: dict[str, Json] = {name: getattr(self, name) for name in self.own_settings}
        return MixedSearch(search=self._search, rule=self.rule, settings=settings)

    def init(self, rng: Random) -> Mixed:
        """Nothing is trained."""
        return Mixed(Shared())

    def ask(self, state: Mixed, rng: Random) -> tuple[list[Proposal[G]], Mixed]:
        """An epoch, or what ends the search."""
        return self._mixed.ask(state), state

    def tell(self, state: Mixed, told: Sequence[Evaluation[G]], rng: Random) -> Mixed:
        """After the last epoch networks are derived."""
        return self._mixed.tell(state, told, rng)

    def figures(self, state: Mixed) -> Mapping[str, Json]:
        """The supernet, the numbers of the last epoch, skips of the strongest path, and the audit."""
        return self._mixed.figures(state)


def numbers(payload: Json) -> tuple[tuple[str, float], ...]:
    """The numbers of a payload by name, but the number of steps."""
    given: Any = payload if isinstance(payload, Mapping) else {}
    found = {name: float(number) for name, number in given.items() if type(number) in (int, float)}
    return tuple(sorted((name, number) for name, number in found.items() if name != "steps"))
