"""Formulas: what is one, their numbers, and their PyTorch form beside what is computed on tensors."""

from __future__ import annotations

from random import Random

import pytest
import torch
from torch.nn import functional as F

from evonas_cli.genomes.formula_trees import FormulaTrees
from evonas_cli.network.activation_ops import RELU, SWISH, activation_of
from evonas_cli.network.formulas import FUNCTIONS, canonical, formula, number, source
from evonas_cli.network.trees import parsed
from evonas_cli.nn.formulas import ON_TENSORS, computed

LEAVES = ("x", "z", "1", "2")
TREES = FormulaTrees(6, tuple(FUNCTIONS), tuple(FUNCTIONS), LEAVES, (RELU,))


def test_each_function_is_computed() -> None:
    assert list(ON_TENSORS) == list(FUNCTIONS)


def test_numbers_tensors_and_sources_agree() -> None:
    rng = Random(3)
    x, z = torch.linspace(-4, 4, 9, dtype=torch.float64), torch.linspace(3, -2, 9, dtype=torch.float64)
    for _ in range(100):
        tree = TREES.sample(rng)
        found = computed(tree, {"x": x, "z": z})
        assert found.shape == x.shape and torch.isfinite(found).all()
        plain = [number(tree, {"x": a, "z": b}) for a, b in zip(x.tolist(), z.tolist(), strict=True)]
        assert torch.allclose(found, torch.tensor(plain, dtype=torch.float64), rtol=1e-6), str(tree)
        if "div" not in str(tree) and not {"1", "2"} & {node.label for _, node in tree.places()}:
            text = source(tree, {"x": "x", "z": "z"})
            assert torch.equal(eval(text, {"torch": torch, "F": F, "x": x, "z": z}), found), text  # noqa: S307


def test_canonical_formulas_are_equal_up_to_the_order_of_arguments() -> None:
    one, other = parsed("add(mul(z, x), relu(x))"), parsed("add(relu(x), mul(x, z))")
    assert canonical(one) == canonical(other) != canonical(parsed("sub(relu(x), mul(x, z))"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (3, "a formula is a text such as"),
        ("relu(y)", "y is no leaf; leaves are x"),
        ("relu(x, x)", "relu takes 1, not 2, arguments"),
        ("eval(x)", "eval is no function here"),
        ("__import__(x)", "__import__ is no function here"),
        ("relu(x", "the tree ends too early"),
        ("square(square(square(square(square(square(square(x)))))))", "has no finite value at -10"),
    ],
)
def test_what_is_no_activation_is_refused(text: object, expected: str) -> None:
    with pytest.raises(ValueError, match=".") as refused:
        activation_of(text)
    assert expected in str(refused.value) and "\n" not in str(refused.value)


def test_a_number_is_no_formula() -> None:
    with pytest.raises(ValueError, match="is a number; it must read x or z"):
        formula("add(1, 2)", tuple(FUNCTIONS), LEAVES, SWISH)
