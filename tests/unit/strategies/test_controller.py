"""The LSTM controller: probabilities of whole walks, masks, links, Adam, and that nothing global decides its bits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import exp
from random import Random

import pytest
import torch

from evonas_cli.genomes.walk import Decision, Program, Trace, legal, replay
from evonas_cli.strategies.controllers import adam
from evonas_cli.strategies.controllers.lstm import WEIGHT_RANGE, Lstm
from evonas_cli.strategies.controllers.sampling import one_thread, sample, score

KINDS = {"layers": (1, 2, 3), "width": (8, 16, 32)}


def tower() -> Program[tuple[object, ...]]:
    """Some layers, each at least as wide as the one before it and linked to earlier ones."""
    layers: list[object] = []
    least = 0
    for place in range(1 + (yield Decision("layers"))):
        least = yield Decision("width", tuple(range(least, 3)))
        layers.append((least, (yield Decision("anchor", links=place))))
    return tuple(layers)


def all_traces(begin: Trace = ()) -> Iterator[Trace]:
    """Every walk of the tower."""
    try:
        replay(tower(), begin, KINDS)
        yield begin
    except ValueError:
        program = tower()
        decision = next(program)
        for answer in begin:
            decision = program.send(answer)
        for answer in legal(decision, KINDS):
            yield from all_traces((*begin, answer))


@pytest.fixture
def network() -> Lstm:
    return Lstm(KINDS, hidden=6, layers=2)


@pytest.fixture
def weights(network: Lstm) -> torch.Tensor:
    """Far from uniform, so that every part matters."""
    return 12 * network.fresh(Random(3))


def test_the_probabilities_of_all_walks_add_up_to_one(network: Lstm, weights: torch.Tensor) -> None:
    traces = list(all_traces())
    assert len(traces) == 3 + 6 * 2 + 10 * 2 * 4
    chances = score(network, weights, tower, traces).log_probabilities.exp()
    assert float(chances.sum()) == pytest.approx(1, abs=1e-12)
    assert float(chances.max() / chances.min()) > 100


def test_walks_are_drawn_as_often_as_their_scores_say(network: Lstm, weights: torch.Tensor) -> None:
    n = 6_000
    genomes, traces = sample(network, weights, tower, n, Random(1))
    assert [replay(tower(), trace, KINDS)[0] for trace in traces[:50]] == genomes[:50]
    every = list(all_traces())
    chances = [exp(value) for value in score(network, weights, tower, every).log_probabilities.tolist()]
    drawn = Counter(traces)
    assert set(drawn) <= set(every)
    for trace, chance in zip(every, chances, strict=True):
        assert abs(drawn[trace] - n * chance) < 5 * (n * chance * (1 - chance)) ** 0.5 + 1


def test_walks_of_one_batch_do_not_see_each_other(network: Lstm, weights: torch.Tensor) -> None:
    traces = list(all_traces())
    together = score(network, weights, tower, traces)
    for row in range(0, len(traces), 7):
        alone = score(network, weights, tower, [traces[row]])
        assert float(alone.log_probabilities) == pytest.approx(float(together.log_probabilities[row]), abs=1e-12)
        assert float(alone.entropies) == pytest.approx(float(together.entropies[row]), abs=1e-12)


def test_one_decision_and_one_link_by_hand(network: Lstm) -> None:
    weights = torch.zeros(network.size, dtype=torch.float64)
    scores = score(network, weights, tower, [(0, 2, 0), (2, 1, 0, 2, 1, 2, 0b10)])
    log = torch.tensor([3.0, 3.0, 2.0]).double().log()
    # one softmax over 3 layers, then 3 widths; then those left: 2 after the middle one, 1 after the last; 3 links.
    assert scores.log_probabilities.tolist() == pytest.approx([-float(log[0] + log[1]), -float(log.sum() + 3 * log[2])])
    assert scores.entropies.tolist() == pytest.approx((-scores.log_probabilities).tolist())
    assert scores.n_tokens == 2 + (1 + 3 + 3)


def test_what_came_before_changes_what_comes_next(network: Lstm, weights: torch.Tensor) -> None:
    """The second layer's link depends on the first width through the outputs, and the third's on that link."""
    traces = [(2, 0, 0, 1, link, 1, last) for link in (0, 1) for last in range(4)]
    chances = score(network, weights, tower, traces).log_probabilities.view(2, 4)
    assert not torch.allclose(chances[0] - chances[0].logsumexp(0), chances[1] - chances[1].logsumexp(0))


def test_illegal_answers_are_not_scored(network: Lstm, weights: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="cannot be answered by 0"):
        score(network, weights, tower, [(1, 2, 0, 0, 1)])


def test_gradients_reach_every_weight_that_matters(network: Lstm, weights: torch.Tensor) -> None:
    weights.requires_grad_()
    total = score(network, weights, tower, list(all_traces())[::5]).log_probabilities.sum()
    (gradient,) = torch.autograd.grad(total, weights)
    assert float((gradient != 0).double().mean()) > 0.97
    place, step = int(gradient.abs().argmax()), 1e-6
    moved = weights.detach().clone()
    moved[place] += step
    after = score(network, moved, tower, list(all_traces())[::5]).log_probabilities.sum()
    assert float(after - total.detach()) / step == pytest.approx(float(gradient[place]), rel=1e-4)


def test_weights_are_uniform_and_come_from_the_generator_alone(network: Lstm) -> None:
    before = torch.get_rng_state()
    fresh = network.fresh(Random(5))
    sample(network, fresh, tower, 4, Random(1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(fresh, network.fresh(Random(5)))
    assert not torch.equal(fresh, network.fresh(Random(6)))
    assert fresh.dtype == torch.float64 and len(fresh) == network.size
    assert float(fresh.abs().max()) <= WEIGHT_RANGE
    assert float(fresh.std()) == pytest.approx(WEIGHT_RANGE / 3**0.5, rel=0.1)


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_adam_is_torchs() -> None:
    rng = Random(0)
    theirs = torch.tensor([rng.gauss(0, 1) for _ in range(20)], dtype=torch.float64, requires_grad=True)
    ours, optimiser = adam.begin(theirs.detach()), torch.optim.Adam([theirs], lr=0.01)
    for _ in range(30):
        theirs.grad = torch.tensor([rng.gauss(0, 1) for _ in range(20)], dtype=torch.float64)
        optimiser.step()
        ours = adam.descend(ours, theirs.grad, 0.01)
    assert torch.allclose(adam.to_tensor(ours.weights), theirs.detach(), rtol=0, atol=1e-12)
    assert ours.steps == 30
