"""Approximate morphs make networks smaller, and least squares and distillation bring them near to their parents."""

from __future__ import annotations

import pytest
import torch
from test_morphs_exact import CONV, LINEAR, child, examples, parent, trained

from evonas_cli.network.morphs.morph import Morph
from evonas_cli.nn.build import Network
from evonas_cli.nn.inherit import approximate
from evonas_cli.nn.inherit.distil import distilled
from evonas_cli.nn.inherit.matching import matched
from evonas_cli.nn.inherit.replay import replay, residual

CASES = {
    "remove": Morph("remove", CONV, {"through": 7}),
    "remove-linear": Morph("remove", LINEAR, {"through": 10}),
    "prune": Morph("prune", CONV, {"to": 4}),
    "prune-linear": Morph("prune", LINEAR, {"to": 8}),
    "separable": Morph("separable", CONV),
}


def spread() -> float:
    """The standard deviation of the parent's outputs."""
    plan = parent()
    weights = trained(plan, torch.float64)
    net = Network(plan, torch.Generator()).double().eval()
    net.load_state_dict(weights)
    return float(net(examples(torch.float64)).detach().std())


@pytest.mark.parametrize("name", CASES)
def test_the_child_is_smaller_and_near_to_its_parent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    morph, x = CASES[name], examples(torch.float64)
    plan, weights, after, fitted = child([morph], torch.float64)
    assert after.parameters < plan.parameters and not morph.exact
    monkeypatch.setattr(approximate, "refitted", lambda before, weights, after, start, layers, examples: start)
    _, _, _, plain = child([morph], torch.float64)
    errors = [residual(plan, weights, after, found, x) for found in (plain, fitted)]
    assert errors[1] < errors[0]
    batches = torch.split(x, 32)
    distil = distilled(plan, weights, after, fitted, batches, 60)
    assert residual(plan, weights, after, distil, x) < max(errors[1], 0.2 * spread())


def test_a_kernel_of_rank_one_is_separated_exactly() -> None:
    plan = parent()
    weights = trained(plan, torch.float64)
    name = f"layers.{CONV}_conv.weight"
    out, given = torch.rand(8, 6, 1, 1, dtype=torch.float64), torch.rand(1, 6, 3, 3, dtype=torch.float64)
    weights[name] = out * given
    x = examples(torch.float64)
    after, found = replay(plan, weights, [Morph("separable", CONV)], torch.Generator().manual_seed(0), x)
    assert residual(plan, weights, after, found, x) < 1e-9


def test_distillation_leaves_statistics_and_its_inputs_alone() -> None:
    plan, weights, after, start = child([CASES["prune"]], torch.float32)
    before = {key: value.clone() for key, value in start.items()}
    found = distilled(plan, weights, after, start, [examples(torch.float32)], 3)
    assert all(torch.equal(start[key], before[key]) for key in start)
    changed = {key for key in found if not torch.equal(found[key], start[key])}
    assert changed and not any("running" in key or "tracked" in key for key in changed)


def test_what_matches_is_copied_past_an_inserted_layer() -> None:
    plan = parent()
    weights = trained(plan, torch.float32)
    after = Morph("deepen", 4, {"kernel": 3}).applied(plan).plan
    start = Network(after, torch.Generator().manual_seed(7)).state_dict()
    found, copied = matched(plan, weights, after, start)
    assert copied == len(weights)
    assert torch.equal(found["layers.13_linear.weight"], weights["layers.11_linear.weight"])
    assert torch.equal(found["layers.5_conv.weight"], start["layers.5_conv.weight"])


def test_what_has_another_shape_keeps_its_initial_weights() -> None:
    plan = parent()
    after = Morph("widen", LINEAR, {"to": 20, "outgoing": "split"}).applied(plan).plan
    start = Network(after, torch.Generator().manual_seed(7)).state_dict()
    weights = trained(plan, torch.float32)
    found, copied = matched(plan, weights, after, start)
    assert copied == len(weights) - 4
    assert torch.equal(found[f"layers.{LINEAR}_linear.weight"], start[f"layers.{LINEAR}_linear.weight"])
