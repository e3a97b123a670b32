"""XNAS: architecture search as prediction with expert advice (Nayman et al., NeurIPS 2019).

    the operations of an edge are experts with weights v, which a supernet mixes; for each step network weights step
    down the training loss, then v is multiplied by exp(eta reward); an operation that can not come to be the best any
    more is wiped out, so that nothing that counts is cut off at the end

The rule is in training/supernet/xnas.py and experts.py. Beside the paper: `derive` networks are trained, those with the
greatest products of shares, and the best of them is chosen by validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evonas_cli.core.checks import switch, within
from evonas_cli.core.types import G
from evonas_cli.evolution.mixed_search import MixedStrategy


@dataclass(frozen=True, kw_only=True)
class Xnas(MixedStrategy[G]):
    """Operations of a cell are experts, and hopeless ones are wiped out (Nayman et al., 2019).

    `bound` clips rewards; `eta` is the rate of the experts (None: that of the regret bound).
    """

    original_cost: ClassVar[str] = (
        "0.3 GPU-days on CIFAR-10 (Nayman et al., 2019; recalled, not checked against the paper)"
    )
    rule: ClassVar[str] = "xnas"
    own_settings: ClassVar[tuple[str, ...]] = ("bound", "eta", "wipe_out")

    epochs: int = 30
    learning_rate: float = 0.025
    learning_rate_end: float = 0.001
    weight_decay: float = 3e-4
    bound: float = 1.0
    eta: float | None = None
    wipe_out: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        within("bound", self.bound, interval="(0, inf)")
        within("eta", self.eta, interval="(0, inf)", optional=True)
        switch("wipe_out", self.wipe_out)
