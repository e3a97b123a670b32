"""Measures the networks of candidates on the device that trains them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from evonas_cli.data.resident import Resident
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.device.one_thread import in_one_thread
from evonas_cli.training.measuring.latency import energy, latency
from evonas_cli.training.measuring.memory import peak_bytes
from evonas_cli.training.measuring.meters import Meter, meter
from evonas_cli.training.measuring.plan import COUNTED, Measuring
from evonas_cli.training.optimizers import optimizer_of
from evonas_cli.training.steps import Steps, memory_format
from evonas_cli.training.trainer import Trainer


class Instruments:
    """What `measuring` asks for, measured with the data's examples.

    Raises UsageError where the device has no counter of energy and one is asked for.
    """

    def __init__(self, measuring: Measuring, data: Resident) -> None:
        self.measuring, self._data = measuring, data
        self._meter: Meter | None = None
        if "energy_j" in measuring.names:
            self._meter = meter(data.device.type, _uuid(data.device))

    def measured(self, plan: Plan, trainer: Trainer, seed: int) -> dict[str, float]:
        """The metrics of a plan's network, whose initial weights are drawn from the seed.

        The network is the plain one (`nn.build.Network`), in float32, and for memory one in a population of its own. On
        a CUDA device nothing else runs meanwhile.
        """
        wanted = self.measuring
        found: dict[str, float] = {name: getattr(plan, name) for name in COUNTED if name in wanted.names}
        if wanted.times or self._meter is not None or "peak_memory_mb" in wanted.names:
            found |= in_one_thread(self._data.device, lambda: self._by_instruments(plan, trainer, seed))
        return found

    def _by_instruments(self, plan: Plan, trainer: Trainer, seed: int) -> dict[str, float]:
        wanted, found = self.measuring, dict[str, float]()
        if self._data.device.type == "cuda":
            torch.cuda.synchronize(self._data.device)
        if wanted.times or self._meter is not None:
            x = self._examples(wanted.timing.batch)
            network = Network(plan, torch.Generator().manual_seed(seed)).to(self._data.device)
            if x.dim() == 4:
                layout = memory_format(trainer)
                network, x = network.to(memory_format=layout), x.to(memory_format=layout)
            if wanted.times:
                found["latency_ms"], found["latency_spread_ms"] = latency(network, x, wanted.timing)
            if self._meter is not None:
                found["energy_j"] = energy(network, x, wanted.timing, self._meter)
        if "peak_memory_mb" in wanted.names:
            found["peak_memory_mb"] = peak_bytes(self._data.device, lambda: self._step(plan, trainer, seed)) / 1e6
        return found

    def _examples(self, batch: int) -> Tensor:
        """The first examples of the validation part, over again where there are fewer."""
        x, _ = next(iter(self._data.batches("valid", batch)))
        return x[torch.arange(batch, device=x.device) % len(x)]

    def _step(self, plan: Plan, trainer: Trainer, seed: int) -> None:
        """One training step, from the making of the network to the update of its weights."""
        population = Population([Network(plan, torch.Generator().manual_seed(seed))]).to(self._data.device)
        population.to(memory_format=memory_format(trainer))
        plain = replace(trainer, graph=False)
        optimizer = optimizer_of(list(population.parameters()), [plain])
        Steps(population, self._data, plain, optimizer, 0).epoch([[trainer.learning_rate]], 0)


def _uuid(device: torch.device) -> str | None:
    if device.type != "cuda":
        return None
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
