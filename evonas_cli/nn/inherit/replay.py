"""A child's weights by its morphs, replayed one after the other on the parent's plan and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from evonas_cli.network.morphs.edit import Change, MorphError
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit import approximate, exact
from evonas_cli.nn.inherit.challenge import challenge
from evonas_cli.nn.inherit.weights import Weights, fewer, values

FORMS: Mapping[str, Callable[[Plan, Change, Weights, Morph, torch.Generator, Tensor], Weights]] = {
    "deepen": exact.deepen,
    "widen": exact.widen,
    "skip": exact.skip,
    "kernel": exact.kernel,
    "batch_norm": exact.batch_norm,
    "remove": approximate.remove,
    "prune": approximate.prune,
    "separable": approximate.separable,
    "challenge": challenge,
}


@torch.no_grad()
def replay(
    plan: Plan, weights: Weights, morphs: Sequence[Morph], generator: torch.Generator, examples: Tensor
) -> tuple[Plan, Weights]:
    """The child's plan and weights; all of it is computed on the CPU, in the precision of the parent's weights.

    What is drawn at random comes from the generator. `examples` (N, *input shape) are those over which statistics of
    normalisations are taken and layers fitted. Raises MorphError for a morph that is none of its plan.
    """
    for morph in morphs:
        change = morph.applied(plan)
        plan, weights = change.plan, FORMS[morph.kind](plan, change, weights, morph, generator, examples)
    return plan, weights


def check_same(found: Plan, plan: Plan) -> None:
    """Raises MorphError where morphs did not lead to the child's plan."""
    if found.nodes != plan.nodes:
        differ = (i for i, (one, other) in enumerate(zip(found.nodes, plan.nodes, strict=False)) if one != other)
        place = next(differ, min(len(found.nodes), len(plan.nodes)))
        raise MorphError(f"the morphs lead to another network than the genome's: they differ from node {place} on")


def residual(plan: Plan, weights: Weights, after: Plan, inherited: Weights, examples: Tensor) -> float:
    """The largest difference between an output of parent and child over the examples, in evaluation mode.

    Where a child has no challengers any more, the outputs that both have are compared.
    """
    some = fewer(after, fewer(plan, examples))
    first = values(plan, weights, some, [plan.output])[plan.output]
    second = values(after, inherited, some, [after.output])[after.output]
    both = min(first.shape[1], second.shape[1])
    return float((first[:, :both].double() - second[:, :both].double()).abs().max())
