"""The size of a network as a score, which every other score has to beat."""

from __future__ import annotations

from evonas_cli.training.zero_cost.scores import Subject


def parameters(subject: Subject) -> float:
    """The number of trainable numbers."""
    return float(subject.network.plan.parameters)


def multiply_adds(subject: Subject) -> float:
    """Multiply-adds for one example."""
    return float(subject.network.plan.multiply_adds)
