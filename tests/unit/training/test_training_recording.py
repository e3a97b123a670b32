"""A recorded step does what the step does, or is not used."""

from __future__ import annotations

import logging

import pytest
import torch
from quadrants import SEED, network, resident, trainer

from evonas_cli.core.errors import UsageError
from evonas_cli.data.splits import Augmentation
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training import steps as module
from evonas_cli.training.batches.batches import Counted
from evonas_cli.training.optimizers import OPTIMIZERS
from evonas_cli.training.steps import Steps, memory_format

RATES = [[0.02, 0.01, 0.005]] * 6


def trained(data, settings, record=None, monkeypatch=None, epochs=2, width=3):
    """Weights and losses after some epochs, of a step that is recorded by `record` or, without, is not recorded."""
    if record is not None:
        monkeypatch.setattr(module, "wants_graph", lambda trainer, data: Counted.can(data))
    population = Population([network(seed=i) for i in range(width)]).to(memory_format=memory_format(settings))
    optimizer = OPTIMIZERS[settings.optimizer](list(population.parameters()), [settings] * width)
    steps = Steps(population, data, settings, optimizer, SEED, record=record)
    losses = [steps.epoch([row[:width] for row in RATES], epoch) for epoch in range(epochs)]
    return losses, [tensor.clone() for tensor in population.state_dict().values()]


def again(run, generator):
    """A recording that replays by doing the same once more."""
    return run


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_a_step_that_counts_for_itself_trains_to_the_same_bits(name, width, mixup, monkeypatch):
    data = resident(augmentation=Augmentation(crop=1, flip=True, cutout=2, mixup=mixup))
    settings = trainer(name)
    expected = trained(data, settings, width=width)
    found = trained(data, settings, again, monkeypatch, width=width)
    assert found[0] == expected[0]
    assert all(torch.equal(a, b) for a, b in zip(found[1], expected[1], strict=True))


def wrong(run, generator):
    """A recording that replays something else."""
    return lambda: None


def impossible(run, generator):
    """A recording that fails half-way, and leaves gradients that nobody has computed."""
    for parameter in run.__self__.population.parameters():
        parameter.grad = torch.full_like(parameter, 1e6)
    raise RuntimeError("operation not permitted when stream is capturing")


@pytest.mark.parametrize("record", [wrong, impossible])
def test_what_does_not_repeat_is_not_used_and_leaves_no_trace(record, monkeypatch, caplog):
    data, settings = resident(), trainer("sgd")
    expected = trained(data, settings)
    with caplog.at_level(logging.WARNING):
        found = trained(data, settings, record, monkeypatch)
    assert "the training step" in caplog.text and "without a CUDA graph" in caplog.text
    assert found[0] == expected[0]
    assert all(torch.equal(a, b) for a, b in zip(found[1], expected[1], strict=True))


def slightly_wrong(run, generator):
    """A recording whose replay moves one weight a little."""

    def replay():
        run()
        with torch.no_grad():
            next(run.__self__.population.parameters()).flatten()[0].mul_(1 + 1e-5)

    return replay


def test_bits_must_repeat_where_algorithms_are_deterministic(monkeypatch, caplog):
    data, settings = resident(), trainer("sgd")
    expected, before = trained(data, settings), torch.get_deterministic_debug_mode()
    try:
        torch.set_deterministic_debug_mode("default")
        trained(data, settings, slightly_wrong, monkeypatch)
        assert "relative difference" not in caplog.text
        torch.set_deterministic_debug_mode("error")
        found = trained(data, settings, slightly_wrong, monkeypatch)
    finally:
        torch.set_deterministic_debug_mode(before)
    assert "relative difference" in caplog.text
    assert found[0] == expected[0]


def test_a_graph_that_was_asked_for_by_name_is_not_replaced(monkeypatch):
    with pytest.raises(UsageError, match="trainer.graph=true: the training step cannot be recorded"):
        trained(resident(), trainer("sgd", graph=True), impossible, monkeypatch)


def test_memory_that_runs_out_is_no_reason_to_train_without(monkeypatch):
    def full(run, generator):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        trained(resident(), trainer("sgd"), full, monkeypatch)


def test_a_graph_needs_a_cuda_device_and_data_on_it():
    with pytest.raises(UsageError, match="trainer.graph=true needs a CUDA device"):
        trained(resident(), trainer("sgd", graph=True))
    assert not Counted.can(resident(memory="host"))
    assert not Counted.can(resident(augmentation=Augmentation(randaugment=1)))
    assert Counted.can(resident())
