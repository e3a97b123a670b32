"""A supernet between two epochs: its shared weights, its rule, and both as the file that the next epoch continues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.halting import Halt, Halted
from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.genomes.capabilities import Relaxable
from evonas_cli.genomes.supernet import Training
from evonas_cli.network.relaxed import Superplan
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.training.criteria import Criterion
from evonas_cli.training.state import Owner, Progress, State
from evonas_cli.training.supernet.bayesnas import BayesNas
from evonas_cli.training.supernet.darts import Darts
from evonas_cli.training.supernet.parts import Parts
from evonas_cli.training.supernet.paths import Paths
from evonas_cli.training.supernet.rule import Rule, Step
from evonas_cli.training.supernet.weights import Weights, WeightSettings
from evonas_cli.training.supernet.xnas import Xnas
from evonas_cli.training.trainer import Trainer

RULES: Mapping[str, Any] = {"paths": Paths, "darts": Darts, "xnas": Xnas, "bayesnas": BayesNas}
"""Rules by the name that an order to train gives: classes made of the weights, the rule's settings, a seed and the
number of steps of the whole training."""
WEIGHTS, RULE = "weights.", "rule."
"""What the names of tensors in a file begin with."""


class Held:
    """A supernet in training, on its device."""

    def __init__(
        self,
        space: Relaxable[Any],
        data: Resident,
        criterion: Criterion,
        trainer: Trainer,
        order: Training,
        seed: int,
        run_seed: int,
    ) -> None:
        """Initial weights are drawn from the seed. Raises UsageError for an order that is none, and for too little
        data."""
        if order.rule not in RULES:
            raise UsageError(f"the job supernet has no rule {order.rule!r} (known: {', '.join(RULES)})")
        settings = WeightSettings.of(order.weights)
        network, kind = build(space.superplan(data.task), data.device, seed), RULES[order.rule]
        self.order = order
        self._parts = Parts(data, settings.batch_size, run_seed, kind.halves)
        self.weights = Weights(network, space.relaxed, criterion, settings, trainer)
        rounds = order.epochs * self._parts.steps
        self.rule: Rule = kind(self.weights, order.settings, derive(seed, "rule"), rounds)
        self.epochs = 0

    def train(self, order: Training, halt: Halt) -> tuple[float, int, float]:
        """One epoch: the mean training loss, the number of steps, and the multiply-adds in billions.

        Raises Halted when the time is over.
        """
        network, parts = self.weights.network, self._parts
        rate, losses, adds = self.weights.settings.rate(order.epoch, order.epochs), [], 0
        network.train()
        for number, (train, valid) in enumerate(parts.epoch(order.epoch)):
            if halt.overdue():
                raise Halted(within=True)
            paths = order.groups[number % len(order.groups)] if order.groups else ()
            losses.append(self.rule.step(train, valid, Step(rate, paths)))
            adds += self._adds(paths)
        self.epochs = order.epoch + 1
        return float(torch.stack(losses).mean()), parts.steps, 3 * parts.size * adds / 1e9

    def _adds(self, paths: tuple[tuple[int, ...], ...]) -> int:
        superplan = self.weights.network.superplan
        if paths:
            return sum(superplan.multiply_adds(path) for path in paths)
        return self.rule.passes * superplan.plan.multiply_adds

    def state(self, owner: Owner, loss: float) -> State:
        """What the file of the epoch holds."""
        network = self.weights.network.state_dict()
        return {
            "owner": owner,
            "progress": Progress(epoch=self.epochs, train_loss=loss),
            "model": {
                **{f"{WEIGHTS}{name}": value.detach().clone() for name, value in network.items()},
                **{f"{RULE}{number}": value.detach().clone() for number, value in enumerate(self.rule.tensors())},
            },
            "optimizer": self.weights.optimizer.memory(0),
            "optimizer_name": self.weights.optimizer.name,
        }

    @torch.no_grad()
    def load(self, state: State) -> None:
        """Goes on where the file ends. Raises ValueError when it is that of another supernet or rule."""
        own = list(self.rule.tensors())
        saved = {name: value for name, value in state["model"].items() if name.startswith(RULE)}
        if len(saved) != len(own) or any(v.shape != saved[f"{RULE}{n}"].shape for n, v in enumerate(own)):
            raise ValueError("it is the state of another rule of training")
        load(self.weights.network, state)
        for number, value in enumerate(own):
            value.copy_(saved[f"{RULE}{number}"])
        self.weights.optimizer.load_memory(0, state["optimizer"])
        self.epochs = state["progress"].epoch


def build(superplan: Superplan, device: torch.device, seed: int) -> Supernet:
    """A supernet with initial weights on the device."""
    network = Supernet(superplan, torch.Generator().manual_seed(seed))
    network.to(device=device)
    network.to(memory_format=torch.channels_last)
    return network


@torch.no_grad()
def load(network: Supernet, state: State) -> None:
    """Gives a supernet the weights of a file. Raises ValueError when they are those of another one."""
    saved: dict[str, Tensor] = {
        name.removeprefix(WEIGHTS): value for name, value in state["model"].items() if name.startswith(WEIGHTS)
    }
    own = network.state_dict()
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in saved.items()}:
        raise ValueError("it holds the weights of another network")
    for name, value in own.items():
        value.copy_(saved[name])
