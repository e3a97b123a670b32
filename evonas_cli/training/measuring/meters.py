"""Counters of energy: NVIDIA's NVML on CUDA devices, RAPL of Linux on processors; without torch.

Both count the energy of the whole device since some moment, of all processes that use the device. Energy is a
difference of two readings.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from evonas_cli.core.errors import UsageError

POWERCAP = Path("/sys/class/powercap")
_PACKAGE = re.compile(r"intel-rapl:\d+")
"""A processor's package; its parts, such as intel-rapl:0:1, are contained in it."""
UNMEASURABLE = "energy_j is not measurable here: no NVML device and no readable RAPL counter"


class Meter(Protocol):
    """A counter of energy."""

    def start(self) -> None:
        """Begins to count."""

    def joules(self) -> float:
        """The energy since `start`, in joules."""


class Rapl:
    """The packages of this machine's processors. A package's counter wraps around after `max_energy_range_uj`."""

    def __init__(self, root: Path = POWERCAP) -> None:
        """Raises OSError and ValueError for counters that cannot be read, LookupError where there are none."""
        zones = sorted(path for path in root.glob("intel-rapl:*") if _PACKAGE.fullmatch(path.name))
        if not zones:
            raise LookupError("no RAPL counter")
        self._counters = [zone / "energy_uj" for zone in zones]
        self._ranges = [_number(zone / "max_energy_range_uj") for zone in zones]
        self.start()

    def start(self) -> None:
        """As in `Meter`."""
        self._began = self._read()

    def joules(self) -> float:
        """As in `Meter`; right for intervals in which no counter wraps around twice, which takes minutes."""
        pairs = zip(self._began, self._read(), self._ranges, strict=True)
        return sum((now - before) % (most + 1) for before, now, most in pairs) / 1e6

    def _read(self) -> list[int]:
        return [_number(counter) for counter in self._counters]


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


class Nvml:
    """The CUDA device with this UUID; None: the first device of the machine."""

    def __init__(self, uuid: str | None = None) -> None:
        """Raises ImportError without nvidia-ml-py, and pynvml.NVMLError where the device has no such counter."""
        import pynvml

        self._nvml: Any = pynvml
        pynvml.nvmlInit()
        if uuid is None:
            self._device = pynvml.nvmlDeviceGetHandleByIndex(0)
        else:
            self._device = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        self.start()

    def start(self) -> None:
        """As in `Meter`."""
        self._began = self._read()

    def joules(self) -> float:
        """As in `Meter`."""
        return (self._read() - self._began) / 1e3

    def _read(self) -> int:
        """Millijoules since the driver was loaded."""
        found: int = self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._device)
        return found


def meter(device: str, uuid: str | None = None) -> Meter:
    """The meter of a device of this type, cpu or cuda; `uuid` says which. Raises UsageError where there is none."""
    found = _nvml(uuid) if device == "cuda" else _rapl()
    if found is None:
        raise UsageError(UNMEASURABLE + _hint(device))
    return found


def check_measurable(device: str) -> None:
    """Raises UsageError where no meter fits the setting `device`: auto, cpu, cuda or cuda:N."""
    cuda, cpu = device == "auto" or device.startswith("cuda"), device in ("auto", "cpu")
    if not (cuda and _nvml(None)) and not (cpu and _rapl()):
        raise UsageError(UNMEASURABLE + (_hint(device) or "; leave energy_j out"))


def _hint(device: str) -> str:
    """The package that a device's meter lacks; "" where none is missing."""
    if device != "cpu":
        try:
            import pynvml  # noqa: F401
        except ImportError:
            return "; to read NVML: pip install 'evonas[energy]'"
    return ""


def _rapl() -> Meter | None:
    try:
        return Rapl()
    except (OSError, ValueError, LookupError):  # absent, for root alone, or of another form: no meter
        return None


def _nvml(uuid: str | None) -> Meter | None:
    try:
        return Nvml(uuid)
    except ImportError:
        return None
    except Exception as error:
        if type(error).__name__.startswith("NVMLError"):  # no driver, no device, or one without such a counter
            return None
        raise
