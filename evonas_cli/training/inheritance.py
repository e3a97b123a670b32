"""How a candidate's first weights come from those of the candidate that it continues: what options say, and doing it.

{"start": "weights"}            as they are: both have the same network
{"start": "inherited", "morphs": [...], "distil": 50}
                                by the morphs that lead from one network to the other (`network/morphs`); where one of
                                them is not exact, so many steps of distillation follow (0 or left out: none)
{"start": "matching"}           what corresponds to the other network by name and shape (`nn/inherit/matching.py`)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Candidate, Json
from evonas_cli.data.resident import Resident
from evonas_cli.network.initialisations import STANDARD
from evonas_cli.network.morphs.edit import MorphError
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.distil import distilled
from evonas_cli.nn.inherit.matching import matched
from evonas_cli.nn.inherit.replay import check_same, replay, residual
from evonas_cli.nn.inherit.weights import Weights
from evonas_cli.nn.initial import initial
from evonas_cli.training.extent import PASSES
from evonas_cli.training.state import State

WEIGHTS_ONLY = {"start": "weights"}
EXAMPLES = 256
"""Training examples over which statistics are taken, layers fitted, and differences to the parent measured."""
BATCH, BATCHES = 64, 16
"""Examples in a batch of a distillation, and batches that it goes through again and again."""


@dataclass(frozen=True, slots=True)
class Start:
    """What options say of a training that begins anew with another candidate's weights. `morphs` None: matching."""

    morphs: tuple[Morph, ...] | None
    distil: int = 0

    @property
    def passes(self) -> int:
        """The examples that a distillation computes, in forward passes: a step of the child, a pass of the parent."""
        return (PASSES + 1) * BATCH * self.distil if self.distils else 0

    @property
    def distils(self) -> bool:
        """Whether there is a distillation."""
        return bool(self.distil) and any(not morph.exact for morph in self.morphs or ())


def start_of(candidate: Candidate[Any]) -> Start | None:
    """What the options say, None for those that take weights as they are. Raises UsageError for any others."""
    options, continues = candidate.proposal.options, candidate.proposal.continues
    if options is None or (options == WEIGHTS_ONLY and continues is not None):
        return None
    try:
        if continues is None or not isinstance(options, Mapping):
            raise MorphError("no other candidate is continued" if continues is None else "they are no object")
        return _parsed(options)
    except MorphError as error:
        raise UsageError(
            f"the strategy gives candidate {candidate.id} options that training does not know: {options} ({error})"
        ) from None


def _parsed(options: Mapping[str, Json]) -> Start:
    if options == {"start": "matching"}:
        return Start(None)
    morphs, steps = options.get("morphs"), options.get("distil", 0)
    if options.get("start") != "inherited" or not set(options) <= {"start", "morphs", "distil"}:
        raise MorphError("start is weights, matching or inherited, the last one with morphs and distil")
    if not isinstance(morphs, list | tuple) or not morphs:
        raise MorphError("morphs is no list of morphs")
    if type(steps) is not int or steps < 0:
        raise MorphError("distil is no whole number of at least 0")
    return Start(tuple([Morph.from_json(morph) for morph in morphs]), steps)


@dataclass(frozen=True, slots=True)
class Inheritance:
    """A candidate's first weights from another one's state.

    `plan` is that of the candidate, `seed` its own, from which its initial weights are drawn and what morphs draw.
    `examples` gives training examples (N, *input shape), on the CPU. `initialisation` is the trainer's, for weights
    that the other one has not.
    """

    id: int
    start: Start
    plan: Plan
    seed: int
    examples: Callable[[], Tensor]
    initialisation: str = STANDARD

    def weights(self, state: State) -> tuple[Weights, dict[str, str]]:
        """The weights, and labels that say how they came about. They depend on the candidate and the state alone.

        Raises UsageError where the morphs do not lead to the candidate's network, ValueError for a state that does not
        say what its network is.
        """
        if "plan" not in state:
            raise ValueError("it does not say what its network is")
        before, weights = Plan.from_json(json.loads(state["plan"])), dict(state["model"])
        if self.start.morphs is None:
            return self._matched(before, weights)
        return self._morphed(before, weights, self.start.morphs)

    def _matched(self, before: Plan, weights: Weights) -> tuple[Weights, dict[str, str]]:
        own = initial(self.plan, self.seed, self.initialisation).state_dict()
        found, copied = matched(before, weights, self.plan, own)
        return found, {"inherited": f"{copied} of {len(own)} tensors, by matching"}

    def _morphed(self, before: Plan, weights: Weights, morphs: tuple[Morph, ...]) -> tuple[Weights, dict[str, str]]:
        examples = self.examples()
        some, generator = examples[:EXAMPLES], torch.Generator().manual_seed(self.seed)
        try:
            plan, found = replay(before, weights, morphs, generator, some)
            check_same(plan, self.plan)
        except MorphError as error:
            raise UsageError(f"the strategy gives candidate {self.id} morphs that do not fit: {error}") from None
        labels = {"inherited": ", ".join(morph.kind for morph in morphs)}
        labels["residual"] = f"{residual(before, weights, plan, found, some):.3g}"
        if self.start.distils:
            batches = torch.split(examples[: BATCH * BATCHES], BATCH)
            found = distilled(before, weights, plan, found, batches, self.start.distil)
            labels["residual_distilled"] = f"{residual(before, weights, plan, found, some):.3g}"
        return found, labels


def examples_of(data: Resident) -> Tensor:
    """The first examples of the training part, not augmented, on the CPU."""
    x, _ = next(data.batches("train", BATCH * BATCHES))
    return x.cpu().contiguous()
