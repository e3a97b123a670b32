"""What spaces of shared modules are given: how many modules, their functions, and the kind of their layer."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.options import words
from evonas_cli.network.shared_modules import LAYERS
from evonas_cli.network.task_ops import FUNCTIONS


def module_choices(modules: int, functions: Sequence[str], layer: str, kernel: int) -> list[Choice]:
    """A function for each module. Raises UsageError for settings that no network has."""
    if type(modules) is not int or modules < 1:
        raise UsageError(f"space.modules must be a whole number of at least 1; it is {modules!r}")
    if layer not in LAYERS:
        raise UsageError(f"space.layer must be one of {', '.join(LAYERS)}; it is {layer!r}")
    if type(kernel) is not int or kernel < 1 or kernel % 2 == 0:
        raise UsageError(f"space.kernel must be odd and at least 1, so that maps keep their size; it is {kernel!r}")
    known = words("functions", functions, FUNCTIONS)
    return [Choice(f"module {number}", known) for number in range(1, modules + 1)]
