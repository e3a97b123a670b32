"""Recurrent cells as torch modules, unrolled over time, and the language model of one or more layers of a cell.

All products of one value with weights are one matrix product: those of x_t for all time steps at once, those of h_{t-1}
once a step. What is left of a step is arithmetic number by number. Initial weights and biases are uniform in
+-1/sqrt(hidden), as in torch's own recurrent layers; the embedding is N(0, 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.cell import FIRST_MEMORY, HIDDEN, INPUT, Cell
from evonas_cli.network.language import LanguagePlan
from evonas_cli.nn.layers.allocation import allocated
from evonas_cli.nn.layers.dropout import Dropout

State: TypeAlias = tuple[Tensor, ...]
"""h and the memories, (B, hidden) each; of a model those of its layers one after the other, the lowest first."""


class RecurrentCell(nn.Module):
    """A cell for x_t of `width` and h of `hidden` numbers; initial weights come from a CPU generator."""

    def __init__(self, cell: Cell, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.cell, self.hidden = cell, hidden
        self.groups: dict[str, list[int]] = {}
        for value, node in cell.learned():
            self.groups.setdefault(f"{node.op}{node.sources[0]}", []).append(value)
        self.weights, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for value, node in cell.learned():
            name, source = f"{node.op}{node.sources[0]}", node.sources[0]
            if self.groups[name][0] == value:
                rows = hidden * len(self.groups[name])
                self.weights[name] = nn.Parameter(torch.empty(rows, width if source == INPUT else hidden))
                if node.op == "affine":
                    self.biases[name] = nn.Parameter(torch.empty(rows))
        uniform(self, hidden**-0.5, generator)

    def start(self, batch: int) -> State:
        """The state before the first step: zeros."""
        weight = next(iter(self.weights.values()))
        return tuple([weight.new_zeros(batch, self.hidden) for _ in range(1 + len(self.cell.memories))])

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """h after each step, (T, B, hidden), and the last state, for x of (T, B, width)."""
        over_time: dict[int, tuple[Tensor, ...]] = {}
        for name, members in self.groups.items():
            if self._source(members) == INPUT:
                parts = self._products(name, x)
                over_time |= {value: part.unbind(0) for value, part in zip(members, parts, strict=True)}
        outputs = []
        for step in range(len(x)):
            state = self._step({value: parts[step] for value, parts in over_time.items()}, state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def _step(self, values: dict[int, Tensor], state: State) -> State:
        """The next state; `values` holds the products with x_t."""
        values |= dict(enumerate(state, HIDDEN))
        for value, node in enumerate(self.cell.nodes, FIRST_MEMORY + len(self.cell.memories)):
            if value in values:
                continue
            if node.op in FUNCTIONS:
                values[value] = FUNCTIONS[node.op](values[node.sources[0]])
            elif node.op in COMBINERS:
                combined = values[node.sources[0]]
                for source in node.sources[1:]:
                    combined = COMBINERS[node.op](combined, values[source])
                values[value] = combined
            else:
                name = f"{node.op}{node.sources[0]}"
                parts = self._products(name, values[node.sources[0]])
                values |= zip(self.groups[name], parts, strict=True)
        return (values[self.cell.output], *[values[memory] for memory in self.cell.memories])

    def _products(self, name: str, x: Tensor) -> tuple[Tensor, ...]:
        """The values of a group's nodes, (..., hidden) each."""
        bias = self.biases.get(name)
        return torch.split(F.linear(x, self.weights[name], bias), self.hidden, dim=-1)

    def _source(self, members: list[int]) -> int:
        return self.cell.nodes[members[0] - self.cell.first_node].sources[0]


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "complement": lambda value: 1 - value,
}
COMBINERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"add": torch.add, "multiply": torch.mul}


class LanguageModel(nn.Module):
    """Embedding, layers of a cell, linear layer: scores of the next token (Mikolov et al., 2010, with any cell).

    `dropout` acts on the embedding, between layers and on h on its way out, never between steps (Zaremba et al., 2014).
    The model is a program of one member.
    """

    width = 1

    def __init__(self, plan: LanguagePlan, dropout: float, generator: torch.Generator) -> None:
        super().__init__()
        hidden = plan.hidden
        self.embedding = nn.Parameter(torch.empty(plan.tokens, hidden).normal_(generator=generator))
        self.cell = RecurrentCell(plan.cell, hidden, hidden, generator)
        self.upper = nn.ModuleList([RecurrentCell(plan.cell, hidden, hidden, generator) for _ in range(1, plan.layers)])
        self.readout = allocated(nn.Linear(hidden, plan.tokens, device="meta"))
        self.dropout = Dropout(dropout) if dropout else nn.Identity()
        uniform(self.readout, hidden**-0.5, generator)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Scores (T, B, tokens) for tokens (T, B), and the last state."""
        h, after = self.cell(self.dropout(F.embedding(x, self.embedding)), state[: self._depth])
        for number, layer in enumerate(self.upper, 1):
            own = state[number * self._depth : (number + 1) * self._depth]
            h, above = layer(self.dropout(h), own)
            after = (*after, *above)
        return self.readout(self.dropout(h)), after

    def start(self, batch: int) -> State:
        """The state before the first step: zeros."""
        return self.cell.start(batch) * (1 + len(self.upper))

    @property
    def _depth(self) -> int:
        """Tensors of the state of one layer."""
        return 1 + len(self.cell.cell.memories)

    def draw_from(self, generator: torch.Generator) -> None:
        """Dropout takes its random numbers from there."""
        if isinstance(self.dropout, Dropout):
            self.dropout.generator = generator

    def member(self, index: int) -> dict[str, Tensor]:
        """The state of the one member, 0; views."""
        return dict(self.state_dict())

    def load_member(self, index: int, state: dict[str, Tensor]) -> None:
        """The inverse of `member`. Raises ValueError when the state is that of another network."""
        self.check_member(index, state)
        self.load_state_dict(state)

    def check_member(self, index: int, state: dict[str, Tensor]) -> None:
        """Raises ValueError when the state is that of another network."""
        own = {key: value.shape for key, value in self.state_dict().items()}
        if own != {key: value.shape for key, value in state.items()}:
            raise ValueError("the saved weights are those of a different network")


@torch.no_grad()
def uniform(module: nn.Module, bound: float, generator: torch.Generator) -> None:
    """All parameters drawn uniformly in +-bound."""
    for parameter in module.parameters():
        parameter.uniform_(-bound, bound, generator=generator)
