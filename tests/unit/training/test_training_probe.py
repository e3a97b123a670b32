"""Ways to train are measured as far as the device takes them."""

from __future__ import annotations

import pytest
import torch
from quadrants import network, resident, trainer

from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.tuning import probe as module


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED")]
)
def test_widths_that_memory_or_a_kernel_does_not_allow_are_left_out(error, monkeypatch):
    class Narrow(Population):
        def forward(self, x):
            if self.width > 2:
                raise error
            return super().forward(x)

    monkeypatch.setattr(module, "Population", Narrow)
    settings = trainer(layout="channels_last", precision="fp32")
    trials = module.probe([network(0).plan], settings, resident(), (1, 2, 4), bf16=False, seconds=0.0)
    assert sorted(trial.way.width for trial in trials) == [1, 2]


def test_an_error_of_ours_is_no_limit_of_the_device(monkeypatch):
    class Broken(Population):
        def forward(self, x):
            raise ValueError("out of luck")

    monkeypatch.setattr(module, "Population", Broken)
    with pytest.raises(ValueError, match="out of luck"):
        module.probe([network(0).plan], trainer(), resident(), (1,), bf16=False, seconds=0.0)


@pytest.mark.parametrize("apart", [(2.0, 0.1), (0.1, 2.0)])
def test_a_precision_in_which_one_network_trains_otherwise_is_not_trusted(apart, monkeypatch):
    plans = [network(0).plan, network(1).plan]
    monkeypatch.setattr(module, "loss_difference", lambda plan, trainer, data: apart[plan is plans[1]])
    settings = trainer(layout="channels_last", precision="auto")
    trials = module.probe(plans, settings, resident(), (1,), bf16=True, seconds=0.0)
    assert {trial.way.precision: trial.trusted for trial in trials} == {"fp32": True, "bf16": False}


def test_ways_far_behind_are_tried_once(monkeypatch):
    tried = []

    def rate(plan, settings, width, data, seconds):
        tried.append(width)
        return {1: 100.0, 2: 59.0, 4: 61.0}[width]

    monkeypatch.setattr(module, "_rate", rate)
    settings = trainer(layout="channels_last", precision="fp32")
    trials = module.probe([network(0).plan], settings, resident(), (1, 2, 4), bf16=False, seconds=0.0)
    assert {width: tried.count(width) for width in (1, 2, 4)} == {1: module.ROUNDS, 2: 1, 4: module.ROUNDS}
    assert [trial.samples_per_second for trial in trials] == [100.0, 61.0, 59.0]


def test_no_further_round_begins_when_the_time_is_over(monkeypatch):
    monkeypatch.setattr(module, "MOST_SECONDS", 0.0)
    tried = []
    monkeypatch.setattr(module, "_rate", lambda *given: tried.append(given) or 1.0)
    settings = trainer(layout="channels_last", precision="fp32")
    trials = module.probe([network(0).plan], settings, resident(), (1, 2), bf16=False, seconds=0.0)
    assert len(tried) == len(trials) == 2
