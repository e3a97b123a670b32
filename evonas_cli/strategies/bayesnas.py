"""BayesNAS: architecture search as Bayesian sparse learning (Zhou et al., ICML 2019).

    a supernet multiplies each operation with a switch, and each edge with another one; weights and switches step down
    the training loss plus penalties, whose weights follow from the loss's curvature after each epoch; operations whose
    switches the penalties bring to nothing are dead

The rule, with the authors' update, is in training/supernet/bayesnas.py. Beside the paper: `derive` networks are
trained, those with the greatest products of gammas, and the best of them is chosen by validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evonas_cli.core.checks import within
from evonas_cli.core.types import G
from evonas_cli.evolution.mixed_search import MixedStrategy


@dataclass(frozen=True, kw_only=True)
class BayesNas(MixedStrategy[G]):
    """Operations of a cell have switches under a sparse prior, and die when they do not pay (Zhou et al., 2019).

    `lambda_origin` and `lambda_child` weight the penalties of edges and of operations; an operation whose gamma is
    below `least_gamma` dies.
    """

    original_cost: ClassVar[str] = (
        "0.2 GPU-days on CIFAR-10 (Zhou et al., 2019; recalled, not checked against the paper)"
    )
    rule: ClassVar[str] = "bayesnas"
    own_settings: ClassVar[tuple[str, ...]] = ("lambda_origin", "lambda_child", "switch_learning_rate", "least_gamma")

    epochs: int = 30
    learning_rate: float = 0.1
    learning_rate_end: float = 0.0
    weight_decay: float = 1e-4
    lambda_origin: float = 0.1
    lambda_child: float = 0.1
    switch_learning_rate: float = 0.1
    least_gamma: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        within("lambda_origin", self.lambda_origin, interval="[0, inf)")
        within("lambda_child", self.lambda_child, interval="[0, inf)")
        within("switch_learning_rate", self.switch_learning_rate, interval="(0, inf)")
        within("least_gamma", self.least_gamma, interval="[0, inf)")
