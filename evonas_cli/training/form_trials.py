"""Short trials of the forms of stacked convolutions, each layer by itself: which is fastest where."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import torch
from torch import Tensor

from evonas_cli.core.plan import Plan
from evonas_cli.core.types import Json
from evonas_cli.nn.build import Network
from evonas_cli.nn.convolution import Conv, computable
from evonas_cli.nn.geometry import FORMS
from evonas_cli.nn.population import Population
from evonas_cli.training.errors import is_out_of_memory, is_refused, one_line
from evonas_cli.training.recording import NotRecorded, Record, Run, cuda_graph
from evonas_cli.training.steps import autocast, logits, memory_format
from evonas_cli.training.streams import aside, borrow
from evonas_cli.training.trainer import Trainer

LEAST_ROUNDS = 3
CALLS = 8
GAIN = 1.1
"""How many times faster than the grouped one another form has to be."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layer:
    """A convolution by name, and the median seconds of forward and backward pass in each form that memory allows."""

    name: str
    seconds: Mapping[str, float]

    @property
    def best(self) -> str:
        """The fastest form; the grouped one unless another is clearly faster."""
        fastest = min(self.seconds, key=lambda form: self.seconds[form])
        usual = self.seconds.get("grouped")
        return fastest if usual is None or usual > GAIN * self.seconds[fastest] else "grouped"

    def to_json(self) -> dict[str, Json]:
        """Name, best form, seconds by form."""
        return {"layer": self.name, "best": self.best, "seconds": dict(self.seconds)}


def try_forms(
    plan: Plan,
    trainer: Trainer,
    device: torch.device,
    batch: int,
    seconds: float,
    graph: bool = False,
    record: Record = cuda_graph,
) -> list[Layer]:
    """A layer for each convolution of the plan that `trainer.stack` members compute apart, in order, equal ones once.

    Each is tried on a batch of its maps of noise for about `seconds` in all, its forms in turn; one that memory or a
    kernel's limits do not allow is left out. With `graph` a pass is recorded and replayed, as training does with its
    steps: else forms of many operations would be charged for launching them.
    """
    networks = [Network(plan, torch.Generator().manual_seed(place)) for place in range(trainer.stack or 1)]
    population = Population(networks).to(device)
    population.to(memory_format=memory_format(trainer))
    layers, seen = dict(reversed(population.convolutions())), dict[Conv, Tensor]()
    for layer in layers.values():
        layer.register_forward_pre_hook(lambda layer, inputs: seen.update({layer: inputs[0]}))
    images = torch.randn(batch, *plan.shapes[0], generator=torch.Generator().manual_seed(0))
    logits(population, images.to(device), trainer)
    with aside(borrow(population, device) if graph and device.type == "cuda" else None):
        return [
            Layer(name, _measure(layer, seen[layer], trainer, seconds, record if graph else None))
            for name, layer in reversed(layers.items())
            if layer.width > 1
        ]


def _measure(layer: Conv, x: Tensor, trainer: Trainer, seconds: float, record: Record | None) -> dict[str, float]:
    """Median seconds of a pass by form, over interleaved rounds in an order that is reversed each time."""
    x = x.detach().requires_grad_(x.requires_grad)
    forms = {form: partial(_pass, layer, form, x, trainer) for form in _at_hand(x.device)}
    runs: dict[str, Run] = {form: run for form, run in forms.items() if _fits(form, run)}
    runs = _recorded(runs, record, x.device) if record else runs
    found: dict[str, list[float]] = {form: [] for form in runs}
    started, rounds = perf_counter(), 0
    while rounds < LEAST_ROUNDS or perf_counter() - started < seconds:
        for form in list(found) if rounds % 2 == 0 else reversed(found):
            found[form].append(_seconds(runs[form], x.device))
        rounds += 1
    return {form: statistics.median(times) for form, times in found.items()}


def _at_hand(device: torch.device) -> list[str]:
    return [form for form in FORMS if computable(form, device)]


def _fits(form: str, run: Run) -> bool:
    """Whether memory suffices, kernels take so many numbers, and Triton works; what happens once only happens here."""
    try:
        run()
    except Exception as error:
        if is_out_of_memory(error) or is_refused(error):
            return False
        if form != "implicit":
            raise
        log.warning("convolution=implicit does not work here and is not tried: %s", one_line(error))
        return False
    return True


def _recorded(runs: Mapping[str, Run], record: Record, device: torch.device) -> dict[str, Run]:
    """Replays of all that memory allows, or the runs themselves where one cannot be recorded: all are tried alike."""
    replays: dict[str, Run] = {}
    for form, run in runs.items():
        try:
            replays[form] = record(run, torch.Generator(device))
        except (NotRecorded, RuntimeError) as error:
            if is_out_of_memory(error):
                continue
            log.warning("forms of convolutions are tried without a CUDA graph: %s", one_line(error))
            return dict(runs)
    return replays


def _pass(layer: Conv, form: str, x: Tensor, trainer: Trainer) -> None:
    """A forward and a backward pass."""
    layer.choose(form)
    wanted = [tensor for tensor in (x, *layer.parameters()) if tensor.requires_grad]
    with autocast(trainer, x.device):
        y = layer(x)
    torch.autograd.grad(y, wanted, torch.ones_like(y))


def _seconds(run: Run, device: torch.device) -> float:
    """Of one call, from several in a row where the device is waited for."""
    calls = CALLS if device.type == "cuda" else 1
    _wait(device)
    started = perf_counter()
    for _ in range(calls):
        run()
    _wait(device)
    return (perf_counter() - started) / calls


def _wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
