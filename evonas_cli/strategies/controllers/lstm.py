"""The recurrent controller of neural architecture search (Zoph and Le, ICLR 2017): an LSTM that answers decisions.

The answer given last is embedded as the next input; the first input is a learned start token. What the outputs are
turned into is in heads.py. All weights and biases are drawn from U(-0.08, 0.08). Everything is float64 on the CPU.

Where the paper is silent: the input after an anchor is a learned anchor token plus the mean of the linked anchors'
outputs (no link: nothing added).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from random import Random

import torch
from torch import Tensor

from evonas_cli.genomes.walk import Decision, Kinds, legal
from evonas_cli.strategies.controllers.heads import Links, Options

WEIGHT_RANGE = 0.08


class Lstm:
    """The network's layout for the kinds of a space. Its weights are one vector.

    With `tanh_constant` c a softmax's logits x become c tanh(x) (Pham et al., ICML 2018): no option becomes certain.
    """

    def __init__(self, kinds: Kinds, hidden: int, layers: int, tanh_constant: float | None = None) -> None:
        self.kinds, self.hidden, self.layers, self.tanh_constant = kinds, hidden, layers, tanh_constant
        self.columns: dict[str, range] = {}
        n_options = 0
        for kind, options in kinds.items():
            self.columns[kind] = range(n_options, n_options + len(options))
            n_options += len(options)
        self.anchor_token, self.start_token = n_options, n_options + 1
        shapes: dict[str, tuple[int, ...]] = {"embedding": (n_options + 2, hidden)}
        for layer in range(layers):
            shapes[f"input {layer}"] = shapes[f"recurrent {layer}"] = (4 * hidden, hidden)
            shapes[f"bias {layer}"] = (4 * hidden,)
        shapes |= {"options": (n_options, hidden), "options bias": (n_options,)}
        shapes |= {"previous": (hidden, hidden), "current": (hidden, hidden), "link": (hidden,)}
        self.shapes = shapes
        self._illegal: dict[Decision | None, Tensor] = {}

    @property
    def size(self) -> int:
        """How many weights there are."""
        return sum(prod(shape) for shape in self.shapes.values())

    def fresh(self, rng: Random) -> Tensor:
        """Initial weights, shape (size,)."""
        drawn = [rng.uniform(-WEIGHT_RANGE, WEIGHT_RANGE) for _ in range(self.size)]
        return torch.tensor(drawn, dtype=torch.float64)

    def token(self, decision: Decision | None, answer: int) -> int:
        """The row of the embedding that stands for an answer; after the end of a walk it does not matter which."""
        if decision is None:
            return self.start_token
        return self.anchor_token if decision.links is not None else self.columns[decision.kind][answer]

    def illegal(self, decision: Decision | None) -> Tensor:
        """Which options of all kinds may not answer a decision; no option is illegal where none is asked for."""
        if decision not in self._illegal:
            illegal = torch.full((self.anchor_token,), decision is not None)
            if decision is not None:
                illegal[[self.columns[decision.kind][option] for option in legal(decision, self.kinds)]] = False
            self._illegal[decision] = illegal
        return self._illegal[decision]


class Pass:
    """One pass of the network through n walks in lock-step; a walk at its end is asked None from then on."""

    def __init__(self, layout: Lstm, weights: Tensor, n: int) -> None:
        self._layout = layout
        parts = torch.split(weights, [prod(shape) for shape in layout.shapes.values()])
        self._named = {name: part.view(shape) for part, (name, shape) in zip(parts, layout.shapes.items(), strict=True)}
        self._nothing = torch.zeros(n, layout.hidden, dtype=torch.float64)
        self._read = self._nothing
        self._cells = [(self._nothing, self._nothing)] * layout.layers
        self._kept: list[Tensor] = []
        self._anchors: list[list[int]] = [[] for _ in range(n)]

    def embed(self, tokens: Sequence[Sequence[int]]) -> Sequence[Tensor]:
        """Tokens, one for each walk, as inputs (n, hidden); a list of them for a list."""
        return self._named["embedding"][torch.tensor(tokens)].unbind()

    def step(self, embedded: Tensor) -> Tensor:
        """The output, (n, hidden), after one more input."""
        x = embedded + self._read
        for layer in range(self._layout.layers):
            weights = [self._named[f"{name} {layer}"] for name in ("input", "recurrent", "bias")]
            self._cells[layer] = torch.lstm_cell(x, self._cells[layer], *weights)
            x = self._cells[layer][0]
        return x

    def options(self, outputs: Tensor, asked: Sequence[Decision | None]) -> Options:
        """The softmaxes on outputs (m, hidden) for m decisions; what is no option has none."""
        asked = [decision if decision and decision.links is None else None for decision in asked]
        logits = torch.addmm(self._named["options bias"], outputs, self._named["options"].T)
        bound = self._layout.tanh_constant
        logits = logits if bound is None else bound * logits.tanh()
        illegal = torch.stack([self._layout.illegal(decision) for decision in asked])
        columns = [self._layout.columns[decision.kind] if decision else range(0) for decision in asked]
        return Options(logits, illegal, columns)

    def links(self, output: Tensor, asked: Sequence[Decision | None]) -> Links:
        """The sigmoids of the links to earlier anchors; what is no anchor has none."""
        n_links = [decision.links or 0 if decision else 0 for decision in asked]
        width = max(n_links)
        if width == 0:
            return Links(output[:, :0], n_links, output[:, None][:, :0])
        places = [[*anchors[:n], *[0] * (width - n)] for anchors, n in zip(self._anchors, n_links, strict=True)]
        earlier = torch.stack(self._kept)[torch.tensor(places), torch.arange(len(output))[:, None]]
        both = earlier @ self._named["previous"].T + (output @ self._named["current"].T)[:, None]
        return Links(both.tanh() @ self._named["link"], n_links, earlier)

    def remember(self, output: Tensor, asked: Sequence[Decision | None], links: Links, answers: Sequence[int]) -> None:
        """Keeps the outputs of anchors; those of the anchors that were linked are read with the next input."""
        at_anchor = [decision is not None and decision.links is not None for decision in asked]
        for anchors, here in zip(self._anchors, at_anchor, strict=True):
            if here:
                anchors.append(len(self._kept))
        if any(at_anchor):
            self._kept.append(output)
        self._read = links.read(answers) if links.width else self._nothing
