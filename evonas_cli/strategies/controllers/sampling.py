"""Walks drawn from a controller, and the log-probabilities of walks under it (Zoph and Le, ICLR 2017).

All walks of a batch go in lock-step. Log-probabilities always come from `score`, which drives the programs again and
thus sees the legal options that they had when they were drawn: equal weights and traces give equal bits. No generator
of torch is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Generic

import torch
from torch import Tensor

from evonas_cli.core.types import G
from evonas_cli.genomes.walk import Decision, Program, Trace, replay
from evonas_cli.strategies.controllers.heads import draw
from evonas_cli.strategies.controllers.lstm import Lstm, Pass


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes in one thread inside: sums must not depend on the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-probabilities and entropies of n walks, each (n,).

    Both are sums over every token of a walk, each link of an anchor being one; `n_tokens` counts those of all walks.
    """

    log_probabilities: Tensor
    entropies: Tensor
    n_tokens: int


@dataclass(slots=True)
class Walk(Generic[G]):
    """One program under way; `decision` is None at its end, when `genome` has its only element."""

    program: Program[G]
    decision: Decision | None = None
    trace: list[int] = field(default_factory=list)
    genome: list[G] = field(default_factory=list)

    def go_on(self, answer: int | None) -> None:
        """To the first decision (None), or by an answer to the next one."""
        try:
            if answer is None:
                self.decision = next(self.program)
            else:
                self.trace.append(answer)
                self.decision = self.program.send(answer)
        except StopIteration as end:
            self.decision = None
            self.genome.append(end.value)


def sample(
    network: Lstm, weights: Tensor, begin: Callable[[], Program[G]], n: int, rng: Random
) -> tuple[list[G], tuple[Trace, ...]]:
    """Genomes and traces of n walks with answers drawn from the policy."""
    walks = [Walk(begin()) for _ in range(n)]
    for walk in walks:
        walk.go_on(None)
    tokens = [network.start_token] * n
    with torch.no_grad():
        on = Pass(network, weights, n)
        while any(walk.decision for walk in walks):
            asked = [walk.decision for walk in walks]
            [embedded] = on.embed([tokens])
            output = on.step(embedded)
            options, links = on.options(output, asked), on.links(output, asked)
            answers = [0] * n
            for row, decision in enumerate(asked):
                if decision is not None:
                    chances = options.chances(row) if decision.links is None else links.chances(row)
                    answers[row] = draw(decision, chances, network.kinds, rng)
                    walks[row].go_on(answers[row])
            on.remember(output, asked, links, answers)
            tokens = [network.token(decision, answer) for decision, answer in zip(asked, answers, strict=True)]
    return [walk.genome[0] for walk in walks], tuple([tuple(walk.trace) for walk in walks])


def score(network: Lstm, weights: Tensor, begin: Callable[[], Program[G]], traces: Sequence[Trace]) -> Scores:
    """How probable walks are under the policy; gradients flow to the weights. Some walk must have a decision."""
    decisions = [replay(begin(), trace, network.kinds)[1] for trace in traces]
    places, rows = range(max(map(len, traces))), list(zip(decisions, traces, strict=True))
    asked = [[own[place] if place < len(own) else None for own, _ in rows] for place in places]
    answers = [[trace[place] if place < len(trace) else 0 for _, trace in rows] for place in places]
    tokens = [[network.start_token] * len(rows)]
    for decided, given in zip(asked, answers, strict=True):
        tokens.append([network.token(decision, answer) for decision, answer in zip(decided, given, strict=True)])
    on = Pass(network, weights, len(rows))
    outputs, scores = [], []
    for decided, given, embedded in zip(asked, answers, on.embed(tokens[:-1]), strict=True):
        output = on.step(embedded)
        links = on.links(output, decided)
        if links.width:
            scores.append(links.score(given))
        on.remember(output, decided, links, given)
        outputs.append(output)
    options = on.options(torch.cat(outputs), [decision for decided in asked for decision in decided])
    scores.append(options.score([answer for given in answers for answer in given]))
    log_probabilities, entropies = (torch.cat(part).view(-1, len(rows)).sum(0) for part in zip(*scores, strict=True))
    n_tokens = sum(1 if decision.links is None else decision.links for own in decisions for decision in own)
    return Scores(log_probabilities, entropies, n_tokens)
