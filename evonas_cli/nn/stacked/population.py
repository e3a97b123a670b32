"""Networks of one structure as one program: P members that train side by side, each with weights of its own.

Horizontally fused training (Wang et al., "HFTA", MLSys 2021), written by hand. A map of the members is one tensor
(batch, P x channels, height, width), member after member, on which convolutions run in P times as many groups;
a sequence is (batch, P x channels, length); a vector is (P, batch, features), on which linear layers are one batched
product. Each operation's stacked form is what `Op.stack` names.
What does not depend on any weight is computed once for all. No operation mixes two members, so a number that is not
finite stays with its own.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn

from evonas_cli.network.op import SAME
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network, finished
from evonas_cli.nn.kernels.memory_format import ordered
from evonas_cli.nn.kernels.pooling import MaxPool
from evonas_cli.nn.kernels.precision import lowered
from evonas_cli.nn.resolve import stacked
from evonas_cli.nn.stacked.batch_norm import COUNT, BatchNorm
from evonas_cli.nn.stacked.convolution import Conv
from evonas_cli.nn.stacked.linear import Linear
from evonas_cli.nn.stacked.single import Single

State: TypeAlias = dict[str, Tensor]


class Population(nn.Module):
    """Networks of one plan, which may differ in weights and rates of dropout, as one module.

    `forward` takes one batch for all, (batch, *input shape), and gives (P, batch, classes). All tensors of the members
    are concatenated along their first dimension under the names that they have in a `Network`.

    Raises ValueError for several members with an operation that has no stacked form, and for a parameter without a
    dimension.
    """

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.width, self.plan = len(members), members[0].plan
        self._own = _own(self.plan, self.width > 1)
        self._singles: dict[int, Single] = {}
        self.layers = nn.ModuleDict()
        for index, name in enumerate(members[0].layers, start=1):
            self.layers[name] = self._layer(index, [member.layers[name] for member in members])
        self._check_parameters()
        self._rectify(list(members[0].layers))
        self._finished = finished(self.plan)

    def _layer(self, index: int, parts: Sequence[nn.Module]) -> nn.Module:
        """The layer of node `index`, made of those of the members."""
        node = self.plan.nodes[index]
        stack = OPS[node.op].stack
        if stack is None and self.width > 1:
            raise ValueError(f"{node.op} has no stacked form, so that {self.width} networks cannot be one program")
        if stack == SAME or not self._own[index]:
            return parts[0]
        spread, shapes = [self._own[source] for source in node.inputs], self.plan.input_shapes(node)
        if stack is None:
            self._singles[index] = Single.of(spread, shapes, self.plan.shapes[index])
            return copy.deepcopy(parts[0])
        layer: nn.Module = stacked(node.op)(parts, spread, shapes)
        return layer

    def _check_parameters(self) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() == 0:
                raise ValueError(f"the parameter {name} has no dimension; give it the shape (1,)")

    def _rectify(self, names: Sequence[str]) -> None:
        """The same numbers with less traffic: pool before rectifying, and rectify in place what nothing else reads.

        In place only after layers whose gradients do not need their output, which is no view.
        """
        nodes = self.plan.nodes
        readers: list[list[int]] = [[] for _ in nodes]
        for index, node in enumerate(nodes):
            for source in node.inputs:
                readers[source].append(index)
        for index, node in enumerate(nodes):
            if node.op != "relu":
                continue
            source, after = node.inputs[0], readers[index]
            pool = self.layers[names[after[0] - 1]] if len(after) == 1 else None
            before = self.layers[names[source - 1]] if source else None
            if isinstance(pool, MaxPool):
                self.layers[names[index - 1]] = nn.Identity()
                pool.rectify = True
            elif len(readers[source]) == 1 and type(before) in (Conv, Linear, BatchNorm):
                self.layers[names[index - 1]] = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        weights = self._lowered(x.device.type)
        values = {0: x}
        del x
        for index, (name, layer) in enumerate(self.layers.items(), start=1):
            node = self.plan.nodes[index]
            inputs = [values[source] for source in node.inputs]
            inputs = [ordered(value) for value in inputs] if OPS[node.op].reorders else inputs
            if index in self._singles:
                values[index] = self._singles[index].call(layer, inputs)
            else:
                values[index] = layer(*inputs, weights.pop(name)) if name in weights else layer(*inputs)
            del inputs
            for source in self._finished[index]:
                del values[source]
        output = values[self.plan.output]
        return output if self._own[self.plan.output] else output.expand(self.width, -1, -1)

    def _lowered(self, device: str) -> dict[str, Tensor]:
        """The weights of convolutions and linear layers in the precision of autocast, on CUDA devices."""
        if device != "cuda" or not torch.is_autocast_enabled(device):
            return {}
        layers = {name: layer for name, layer in self.layers.items() if isinstance(layer, Conv | Linear)}
        weights = [layer.weight for layer in layers.values()]
        return dict(zip(layers, lowered(weights, torch.get_autocast_dtype(device)), strict=True))

    def draw_from(self, generator: torch.Generator) -> None:
        """Layers that draw random numbers take them from there."""
        for node, layer in zip(self.plan.nodes[1:], self.layers.values(), strict=True):
            if OPS[node.op].draws:
                layer.generator = generator  # type: ignore[assignment]

    @torch.no_grad()
    def count(self, batches: int) -> None:
        """Adds to the batches that normalisations have seen in training, which nothing here depends on."""
        for layer in self.layers.values():
            if isinstance(layer, BatchNorm):
                cast(Tensor, layer.num_batches_tracked).add_(batches)

    def member(self, index: int) -> State:
        """The state of one member, as `Network.state_dict` has it; views."""
        counts = {f"layers.{name}.{COUNT}" for name, layer in self.layers.items() if isinstance(layer, BatchNorm)}
        return {
            key: value if value.dim() == 0 else value[index] if key in counts else value.chunk(self.width)[index]
            for key, value in self.state_dict().items()
        }

    @torch.no_grad()
    def load_member(self, index: int, state: State) -> None:
        """The inverse of `member`. Raises ValueError when the state is that of another network."""
        self.check_member(index, state)
        for key, value in self.member(index).items():
            value.copy_(state[key])

    def check_member(self, index: int, state: State) -> None:
        """Raises ValueError when the state is that of another network."""
        own = {key: value.shape for key, value in self.member(index).items()}
        if own != {key: value.shape for key, value in state.items()}:
            raise ValueError("the saved weights are those of a different network")


def _own(plan: Plan, several: bool) -> list[bool]:
    """For each node, whether members have a value of their own there: decided without a look at who they are."""
    own = [False]
    for node in plan.nodes[1:]:
        op = OPS[node.op]
        differs = op.parameters is not None or (op.draws and several)
        own.append(differs or any(own[source] for source in node.inputs))
    return own
