"""The table of operations that plans are made of. A module of a user adds one with `register`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from evonas_cli.network.activation_ops import ACTIVATION_OPS
from evonas_cli.network.attention_ops import ATTENTION_OPS
from evonas_cli.network.caption_ops import CAPTION_OPS
from evonas_cli.network.int8_ops import INT8_OPS
from evonas_cli.network.map_ops import MAP_OPS
from evonas_cli.network.neuron_ops import NEURON_OPS
from evonas_cli.network.op import SAME, Op, Settings, Shape
from evonas_cli.network.sequence_ops import SEQUENCE_OPS
from evonas_cli.network.task_ops import TASK_OPS
from evonas_cli.network.vector_ops import VECTOR_OPS

__all__ = ["OPS", "Op", "Settings", "Shape", "complete", "register"]

_table: dict[str, Op] = {}

OPS: Mapping[str, Op] = MappingProxyType(_table)
"""All operations by name; to be read only."""


def register(name: str, op: Op) -> None:
    """Adds an operation to the table.

    Raises ValueError for a name that is taken or no word, and for a path into a module that is not there. The modules
    are not imported yet.

    A module that is imported twice may register an operation twice, under equal paths of its modules.
    """
    if not name.isidentifier() or name == "input":
        raise ValueError(f"the operation {name!r} needs a name of letters, digits and _ that is not input")
    known = _table.get(name)
    if known is not None and (known.build, known.stack) != (op.build, op.stack):
        raise ValueError(f"there is an operation {name} already, built by {known.build}; give the new one another name")
    for key, path in (("build", op.build), ("stack", op.stack)):
        if path is not None and path != SAME and not _is_there(path.partition(":")[0]):
            raise ValueError(f"the operation {name}: {key} names {path}, but there is no such module")
    _table[name] = op


def _is_there(module: str) -> bool:
    if module.startswith("evonas_cli.") or module in sys.modules:
        return True
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package around it is missing
        return False


def complete(name: str, given: Settings) -> dict[str, Any]:
    """All settings of an operation, in the table's order.

    Raises ValueError for an unknown operation, an unknown or missing setting, or a value that is no number in range.
    """
    if name not in _table:
        raise ValueError(f"there is no such operation; there are {', '.join(_table)}")
    return _table[name].complete(given)


_ALL = {
    **MAP_OPS,
    **VECTOR_OPS,
    **ACTIVATION_OPS,
    **SEQUENCE_OPS,
    **ATTENTION_OPS,
    **NEURON_OPS,
    **INT8_OPS,
    **TASK_OPS,
    **CAPTION_OPS,
}
for _name, _op in _ALL.items():
    register(_name, _op)
