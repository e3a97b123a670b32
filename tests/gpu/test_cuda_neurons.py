"""On a CUDA device: neurons train as on the CPU, and each with the bits that it has alone."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def test_the_card_computes_what_the_cpu_does() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training/neurons"))
    from descents import initial
    from neural_space import random_neurons

    from evonas_cli.nn.neurons.order import order
    from evonas_cli.nn.neurons.program import Program

    rng, generator = Random(4), torch.Generator().manual_seed(0)
    population = [random_neurons(rng, 2, 1, rng.randrange(8), rng.randrange(2, 20), 0.5) for _ in range(50)]
    inputs, outer = torch.randn(2, 64, generator=generator), torch.randn(50, 64, generator=generator)
    found = []
    for device in (torch.device("cpu"), torch.device("cuda", 0)):
        program, weights = Program(order(population), 64, device, gradients=True), initial(population).to(device)
        outputs = program.forward(inputs.to(device), weights)
        found.append((outputs.cpu(), program.backward(outer.to(device), weights).cpu()))
    for host, card in zip(*found, strict=True):
        assert torch.allclose(host, card, rtol=1e-4, atol=1e-4 * float(host.abs().max()))


def test_neurons_train_on_the_card_as_they_do_alone() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit/training/neurons"))
    from descents import apart, descent, train, xor
    from neural_space import random_neurons

    from evonas_cli.training.device.setup import resolve

    resolve("cuda", True, 1)
    rng, card = Random(4), xor(200, "cuda")
    population = [random_neurons(rng, 2, 1, rng.randrange(8), rng.randrange(2, 20), 0.5) for _ in range(20)]
    together = train(population, card, descent())
    for number, own in enumerate(apart(population, together.weights)):
        alone = train([population[number]], card, descent())
        assert torch.equal(own, alone.weights) and together.updates[number] == alone.updates[0]
