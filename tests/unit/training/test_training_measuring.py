"""What is measured of a network: latency, memory, energy, and who may be asked for it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from evonas_cli.core.errors import UsageError
from evonas_cli.core.wanted import NOTHING, Wanted
from evonas_cli.training.measuring import meters
from evonas_cli.training.measuring.latency import energy, latency
from evonas_cli.training.measuring.memory import peak_bytes
from evonas_cli.training.measuring.plan import Measuring, Timing

CPU = torch.device("cpu")


class Sleeping(nn.Module):
    """Counts its passes, and remembers in which mode it was."""

    def __init__(self) -> None:
        super().__init__()
        self.passes, self.modes = 0, set[bool]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        self.modes.add(self.training or torch.is_grad_enabled())
        return x


def test_a_latency_is_taken_in_evaluation_mode_over_all_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([t for n in range(1, 41) for t in (n, n + n / 1000)])  # the n-th pass takes n ms
    monkeypatch.setattr("evonas_cli.training.measuring.latency.perf_counter", lambda: next(ticks))
    network = Sleeping()
    median, spread = latency(network, torch.zeros(1), Timing(repeats=40, warmup=3))
    assert network.passes == 43 and network.modes == {False}
    assert median == pytest.approx(20.5) and spread == pytest.approx(30.25 - 10.75)


def test_the_energy_of_an_example_is_that_of_the_passes_by_their_examples() -> None:
    class Counting:
        def start(self) -> None:
            self.before = network.passes

        def joules(self) -> float:
            return 3.0 * (network.passes - self.before)

    network = Sleeping()
    found = energy(network, torch.zeros(6, 2), Timing(warmup=2), Counting(), seconds=0.001)
    assert found == 0.5 and network.passes > 2


def test_a_counter_that_stands_still_is_no_measurement() -> None:
    class Still:
        def start(self) -> None:
            pass

        def joules(self) -> float:
            return 0.0

    with pytest.raises(RuntimeError, match="the counter of energy gave 0.0 J"):
        energy(Sleeping(), torch.zeros(1), Timing(), Still(), seconds=0.001)


def test_the_peak_counts_what_is_held_at_one_time() -> None:
    def one_after_the_other() -> None:
        for _ in range(3):
            torch.zeros(1000, 1000)

    def together() -> None:
        held = [torch.zeros(1000, 1000) for _ in range(3)]
        del held

    assert peak_bytes(CPU, one_after_the_other) == pytest.approx(4_000_000, rel=0.01)
    assert peak_bytes(CPU, together) == pytest.approx(12_000_000, rel=0.01)


def test_only_what_is_asked_for_is_measured() -> None:
    def names(*measure: str, metrics: tuple[str, ...] = (), bounded: tuple[str, ...] = ()) -> Measuring:
        return Measuring(measure, Wanted(metrics, bounded), ("parameters",), Timing())

    assert Measuring((), NOTHING, (), Timing()).metrics == {}
    assert list(names("depth", "parameters", metrics=("valid_error",)).metrics) == ["depth"]
    assert list(names(metrics=("latency_spread_ms",)).metrics) == ["latency_ms", "latency_spread_ms"]
    bounded = names(bounded=("depth", "model_bytes", "peak_memory_mb"))
    assert list(bounded.metrics) == ["peak_memory_mb"] and bounded.static == ("depth", "model_bytes")
    assert all(metric.measured and metric.lasting for metric in names(bounded=("latency_ms",)).metrics.values())
    with pytest.raises(UsageError, match="job.measure names latency, which nothing here measures"):
        names("latency")


@pytest.mark.parametrize(("key", "value"), [("batch", 0), ("repeats", 29), ("warmup", -1), ("repeats", 30.0)])
def test_too_few_passes_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"job.latency_{key} is {value}; it must be an integer of at least"):
        Timing(**{key: value})


def zone(root: Path, name: str, energy: int, most: int = 99) -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / "energy_uj"


def test_rapl_adds_packages_and_heeds_their_wrapping_around(tmp_path: Path) -> None:
    first, second = zone(tmp_path, "intel-rapl:0", 90), zone(tmp_path, "intel-rapl:1", 10)
    part = zone(tmp_path, "intel-rapl:0:0", 5)
    meter = meters.Rapl(tmp_path)
    meter.start()
    first.write_text("20")
    second.write_text("15")
    part.write_text("90")
    assert meter.joules() == pytest.approx((30 + 5) / 1e6)


def test_without_a_counter_energy_is_refused_and_not_invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "Rapl", lambda: _rapl_of(tmp_path))
    monkeypatch.setattr(meters, "_nvml", lambda uuid: None)
    for device in ("auto", "cpu", "cuda:0"):
        with pytest.raises(UsageError, match="^energy_j is not measurable here: no NVML device and no readable RAPL"):
            meters.check_measurable(device)
    with pytest.raises(UsageError, match="^energy_j is not measurable here: .*; leave energy_j out$"):
        meters.check_measurable("cpu")
    with pytest.raises(UsageError, match="RAPL counter$"):
        meters.meter("cpu")
    zone(tmp_path, "intel-rapl:0", 90)
    meters.check_measurable("cpu")
    meters.check_measurable("auto")
    with pytest.raises(UsageError):
        meters.check_measurable("cuda")  # the processor's counter tells nothing of a GPU


def _rapl_of(root: Path) -> meters.Rapl:
    return RAPL(root)


RAPL = meters.Rapl


def test_nvml_reads_the_device_that_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([5_000, 6_000, 8_500])
    module: Any = types.ModuleType("pynvml")
    module.nvmlInit = lambda: None
    module.nvmlDeviceGetHandleByUUID = lambda uuid: {"GPU-1": "one"}[uuid]
    module.nvmlDeviceGetTotalEnergyConsumption = lambda device: next(counts) if device == "one" else None
    monkeypatch.setitem(sys.modules, "pynvml", module)
    meter = meters.meter("cuda", "GPU-1")
    meter.start()
    assert meter.joules() == 2.5


def test_a_device_without_nvml_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class NVMLErrorNotSupported(Exception):
        pass

    def fails() -> None:
        raise NVMLErrorNotSupported

    module: Any = types.ModuleType("pynvml")
    module.nvmlInit = fails
    monkeypatch.setitem(sys.modules, "pynvml", module)
    with pytest.raises(UsageError, match="not measurable here"):
        meters.check_measurable("cuda")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(UsageError, match=r"RAPL counter; to read NVML: pip install 'evonas\[energy\]'"):
        meters.check_measurable("cuda")
