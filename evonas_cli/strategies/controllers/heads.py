"""The controller's two kinds of output: softmaxes over options and sigmoids over links (Zoph and Le, ICLR 2017).

An option of a decision of kind k is drawn from softmax(W_k h + b_k), where illegal options get -inf first. At an anchor
each link to an earlier anchor is drawn on its own, with P(j feeds i) = sigmoid(v . tanh(W_prev h_j + W_cur h_i)), h
being the controller's outputs at the anchors.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid

from evonas_cli.genomes.walk import Decision, Kinds, legal


def draw(decision: Decision, chances: Sequence[float], kinds: Kinds, rng: Random) -> int:
    """An answer: `chances` are those of the kind's options, or of the links of an anchor."""
    if decision.links is not None:
        return sum(1 << earlier for earlier in range(decision.links) if rng.random() < chances[earlier])
    options = legal(decision, kinds)
    return rng.choices(options, [chances[option] for option in options])[0]


class Options:
    """Softmaxes for a batch of n walks, of which some are asked for an option now.

    `logits` has shape (n, options of all kinds); a row of `places` names the columns of the kind that is asked for, and
    is empty where no option is; `illegal` has the shape of `logits`.
    """

    def __init__(self, logits: Tensor, illegal: Tensor, places: Sequence[range]) -> None:
        self._log_chances = log_softmax(logits.masked_fill(illegal, -torch.inf), 1)
        self._illegal, self._places = illegal, places
        self._chances: list[list[float]] = []

    def chances(self, row: int) -> list[float]:
        """The probability of each option of the kind, 0 for illegal ones."""
        self._chances = self._chances or self._log_chances.exp().tolist()
        return self._chances[row][self._places[row].start : self._places[row].stop]

    def score(self, answers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the answers and entropies, each (n,); 0 where no option is asked for."""
        chosen = [places[answer] if places else 0 for places, answer in zip(self._places, answers, strict=True)]
        asked = torch.tensor([len(places) > 0 for places in self._places])
        log_chance = self._log_chances.gather(1, torch.tensor(chosen)[:, None])[:, 0]
        finite = self._log_chances.masked_fill(self._illegal, 0.0)
        entropy = -(finite.exp() * finite).masked_fill(self._illegal, 0.0).sum(1)
        return log_chance.where(asked, 0.0), entropy.where(asked, 0.0)


class Links:
    """Sigmoids for a batch of n walks, of which some are at an anchor now.

    `logits` has shape (n, l); walk r is asked for the first `n_links[r]` of its l links; `earlier` (n, l, hidden) are
    the outputs that they lead from.
    """

    def __init__(self, logits: Tensor, n_links: Sequence[int], earlier: Tensor) -> None:
        self.width = logits.shape[1]
        self._logits, self._n_links, self._earlier = logits, n_links, earlier
        self._asked = torch.arange(self.width) < torch.tensor(n_links)[:, None]
        self._chances: list[list[float]] = []

    def chances(self, row: int) -> list[float]:
        """The probability of each link."""
        self._chances = self._chances or self._logits.sigmoid().tolist()
        return self._chances[row][: self._n_links[row]]

    def score(self, answers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the answers and entropies, each (n,); 0 where no link is asked for."""
        linked, apart = logsigmoid(self._logits), logsigmoid(-self._logits)
        log_chance = linked.where(self._taken(answers) > 0, apart).where(self._asked, 0.0).sum(1)
        entropy = -(linked.exp() * linked + apart.exp() * apart).where(self._asked, 0.0).sum(1)
        return log_chance, entropy

    def read(self, answers: Sequence[int]) -> Tensor:
        """The mean of the outputs that the answers link, (n, hidden); zeros where they link none."""
        taken = self._taken(answers)
        return (taken[:, :, None] * self._earlier).sum(1) / taken.sum(1, keepdim=True).clamp(min=1)

    def _taken(self, answers: Sequence[int]) -> Tensor:
        rows = [
            [float(answer >> link & 1 and link < n_links) for link in range(self.width)]
            for answer, n_links in zip(answers, self._n_links, strict=True)
        ]
        return torch.tensor(rows, dtype=torch.float64)
