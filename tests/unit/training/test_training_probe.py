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


@pytest.mark.parametrize("rates", [(1e30, 0.05), (0.05, 1e30)])
def test_a_precision_in_which_a_network_diverges_is_not_trusted(rates, monkeypatch):
    class Falling(module._Training):
        def train(self, steps):
            rate, loss = super().train(steps)
            fails = self.steps.trainer.precision == "bf16" and self.steps.population.plan is plans[rates.index(1e30)]
            return rate, float("nan") if fails else loss

    plans = [network(0).plan, network(1).plan]
    monkeypatch.setattr(module, "_Training", Falling)
    settings = trainer(layout="channels_last", precision="auto")
    trials = module.probe(plans, settings, resident(), (1,), bf16=True, seconds=0.0)
    assert {trial.way.precision: trial.trusted for trial in trials} == {"fp32": True, "bf16": False}
