"""Optimisers of stacked parameters: every member of a population has a learning rate, momentum and decay of its own.

SGD with momentum (Nesterov's as in Sutskever et al., ICML 2013) and AdamW, with weight decay decoupled as in Loshchilov
& Hutter (ICLR 2019). One operation updates the tensor of all members; none of them sees another one's numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd as fused_sgd

from evonas_cli.network.learning_rules import NONE as NO_RULE
from evonas_cli.nn.stacked.form import split

if TYPE_CHECKING:
    from evonas_cli.training.trainer import Trainer

ADAM_BETA2 = 0.999
ADAM_EPSILON = 1e-8
CLIP_EPSILON = 1e-6
LARGE = 1 << 18
"""Numbers in one member's largest parameter from which a CUDA device updates one member after the other: an operation
whose factors differ by member runs far below the memory's speed."""

Memory: TypeAlias = dict[int, dict[str, Tensor]]
"""What an optimiser remembers of one member: for each parameter, by its index, tensors by name."""


class Optimizer(Protocol):
    """Updates the parameters of a population."""

    name: str

    def step(self, gradients: Sequence[Tensor | None], rates: Tensor) -> None:
        """One update with learning rates (P,); None leaves a parameter as it is.

        Gradients lie in memory as their parameters do, which `backward` sees to, and may be overwritten.
        """

    def memory(self, member: int) -> Memory:
        """What is remembered of one member; views."""

    def load_memory(self, member: int, memory: Memory) -> None:
        """The inverse of `memory`; what it lacks is as at the beginning."""


class Stacked:
    """Parameters of `width` members, seen as (P, ...), and a number for each member in a shape that goes with them."""

    def __init__(self, parameters: Sequence[nn.Parameter], trainers: Sequence[Trainer]) -> None:
        self.width, self.trainer = len(trainers), trainers[0]
        self.values = [split(parameter.detach(), 0, self.width) for parameter in parameters]
        self._device = parameters[0].device if parameters else torch.device("cpu")
        self._clip = self.trainer.clip_norm

    @property
    def on_cuda_and_large(self) -> bool:
        """Whether a parameter of one member has LARGE numbers or more, on a CUDA device."""
        return self._device.type == "cuda" and any(value[0].numel() >= LARGE for value in self.values)

    def column(self, numbers: Sequence[float]) -> Tensor:
        """(P,) float32 on the device."""
        return torch.tensor(numbers, dtype=torch.float32, device=self._device)

    def remembered(self) -> list[Tensor]:
        """Zeros, one tensor for each parameter."""
        return [torch.zeros_like(value) for value in self.values]

    def gradients(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Seen as the parameters are, and clipped: those of each member together have at most the norm `clip_norm`."""
        pairs = zip(gradients, self.values, strict=True)
        seen = [None if g is None else g.view(value.shape) for g, value in pairs]
        if self._clip is not None:
            squares = torch.stack([g.square().flatten(1).sum(1) for g in seen if g is not None]).sum(0)
            factor = (self._clip / (squares.sqrt() + CLIP_EPSILON)).clamp(max=1.0)
            for g in seen:
                if g is not None:
                    g.mul_(wide(factor, g))
        return seen


def wide(numbers: Tensor, value: Tensor) -> Tensor:
    """(P,) as (P, 1, ...) for a tensor (P, ...)."""
    return numbers.view(-1, *[1] * (value.dim() - 1))


class SGD:
    """Stochastic gradient descent; its memory of a parameter is `momentum_buffer`."""

    name = "SGD"

    def __init__(self, parameters: Sequence[nn.Parameter], trainers: Sequence[Trainer]) -> None:
        self._of = Stacked(parameters, trainers)
        self._momentum = self._of.column([trainer.momentum for trainer in trainers])
        self._decay = self._of.column([trainer.weight_decay for trainer in trainers])
        self._decays = any(trainer.weight_decay for trainer in trainers)
        self._decoupled, self._nesterov = trainers[0].decoupled, trainers[0].nesterov
        self._buffers = self._of.remembered() if any(trainer.momentum for trainer in trainers) else None
        self._momenta = [wide(self._momentum, value) for value in self._of.values]
        self._decay_factors = [wide(self._decay, value) for value in self._of.values]
        self._trainers = trainers
        self._apart = len(trainers) == 1 or self._of.on_cuda_and_large

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None], rates: Tensor) -> None:
        """w <- w - rate (g + decay w), g averaged with momentum; the decay is outside of the average if decoupled."""
        seen = self._of.gradients(gradients)
        if self._apart:
            for member in range(self._of.width):
                self._fused(member, [(i, g[member]) for i, g in enumerate(seen) if g is not None], rates[member])
            return
        known = [index for index, g in enumerate(seen) if g is not None]
        gs, ws = [g for g in seen if g is not None], [self._of.values[index] for index in known]
        if self._decays and not self._decoupled:
            torch._foreach_addcmul_(gs, ws, [self._decay_factors[index] for index in known])
        elif self._decays:
            torch._foreach_mul_(ws, [wide(1.0 - rates * self._decay, w) for w in ws])
        if self._buffers is not None:
            buffers, momenta = [self._buffers[index] for index in known], [self._momenta[index] for index in known]
            for g, buffer, momentum in zip(gs, buffers, momenta, strict=True):
                torch.addcmul(g, buffer, momentum, out=buffer)
            if self._nesterov:
                torch._foreach_addcmul_(gs, buffers, momenta)
            else:
                gs = buffers
        back = -rates
        torch._foreach_addcmul_(ws, gs, [wide(back, w) for w in ws])

    def _fused(self, member: int, gradients: Sequence[tuple[int, Tensor]], rate: Tensor) -> None:
        """The same for a single member, as one operation of torch."""
        trainer, values = self._trainers[member], [self._of.values[index][member] for index, _ in gradients]
        if self._decoupled and trainer.weight_decay:
            torch._foreach_mul_(values, 1.0 - rate * self._decay[member])
        fused_sgd(
            values,
            [gradient for _, gradient in gradients],
            [None if self._buffers is None else self._buffers[index][member] for index, _ in gradients],
            fused=True,
            weight_decay=0.0 if self._decoupled else trainer.weight_decay,
            momentum=trainer.momentum,
            lr=rate,
            dampening=0.0,
            nesterov=trainer.nesterov and trainer.momentum > 0,
            maximize=False,
        )

    def memory(self, member: int) -> Memory:
        """One buffer a parameter, none without momentum."""
        return {i: {"momentum_buffer": buffer[member]} for i, buffer in enumerate(self._buffers or [])}

    @torch.no_grad()
    def load_memory(self, member: int, memory: Memory) -> None:
        """Buffers that are missing begin at 0."""
        for index, buffer in enumerate(self._buffers or []):
            saved = memory.get(index, {}).get("momentum_buffer")
            _ = buffer[member].zero_() if saved is None else buffer[member].copy_(saved.view_as(buffer[member]))


class AdamW:
    """Adam (Kingma & Ba, ICLR 2015) with decoupled decay; `momentum` is its beta1."""

    name = "AdamW"

    def __init__(self, parameters: Sequence[nn.Parameter], trainers: Sequence[Trainer]) -> None:
        self._of = Stacked(parameters, trainers)
        self._beta1 = self._of.column([trainer.momentum for trainer in trainers])
        self._decay = self._of.column([trainer.weight_decay for trainer in trainers])
        self._first, self._second = self._of.remembered(), self._of.remembered()
        self._steps = [self._of.column([0.0] * len(trainers)) for _ in self._of.values]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None], rates: Tensor) -> None:
        """w <- w (1 - rate decay) - rate m / (sqrt(v) + epsilon), both moments corrected for their start at 0."""
        for index, g in enumerate(self._of.gradients(gradients)):
            if g is None:
                continue
            w, steps, m, v = self._of.values[index], *self._moments(index, g)
            w.mul_(wide(1.0 - rates * self._decay, w))
            root = v.div(wide(1.0 - ADAM_BETA2**steps, w)).sqrt_().add_(ADAM_EPSILON)
            w.addcdiv_(m * wide(-rates / (1.0 - self._beta1**steps), w), root)

    def _moments(self, index: int, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The number of updates of a parameter and both its moments, with this gradient."""
        steps, m, v = self._steps[index].add_(1.0), self._first[index], self._second[index]
        m.lerp_(g, wide(1.0 - self._beta1, g).expand_as(g))
        v.mul_(ADAM_BETA2).addcmul_(g, g, value=1.0 - ADAM_BETA2)
        return steps, m, v

    def memory(self, member: int) -> Memory:
        """Both moments and the number of updates of each parameter."""
        return {
            i: {"step": self._steps[i][member], "exp_avg": m[member], "exp_avg_sq": v[member]}
            for i, (m, v) in enumerate(zip(self._first, self._second, strict=True))
        }

    @torch.no_grad()
    def load_memory(self, member: int, memory: Memory) -> None:
        """Parameters that are missing begin anew."""
        for index, parts in self.memory(member).items():
            saved = memory.get(index)
            for key, part in parts.items():
                _ = part.zero_() if saved is None else part.copy_(saved[key].view_as(part))


Make: TypeAlias = Callable[[Sequence[nn.Parameter], Sequence["Trainer"]], Optimizer]

OPTIMIZERS: Mapping[str, Make] = {"sgd": SGD, "adamw": AdamW}


def optimizer_of(parameters: Sequence[nn.Parameter], trainers: Sequence[Trainer]) -> Optimizer:
    """The optimiser that the trainers of the members ask for, which is the first one's for all: by name, or a rule."""
    first = trainers[0]
    if first.rule == NO_RULE:
        return OPTIMIZERS[first.optimizer](parameters, trainers)
    from evonas_cli.training.searched_rule import Rule

    return Rule(parameters, trainers)
