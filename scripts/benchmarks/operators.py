"""The time that each operator of torch takes, with the clock around its calls.

torch's own profiler keeps what it sees in memory that the operators then lack: in stacks it makes those that write
large maps several times slower than they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is entered, seconds and calls of the operators of this thread, by name; only for CPUs."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: OpOverload, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        started = perf_counter()
        result = func(*args, **(kwargs or {}))
        name = func._schema.name
        self.seconds[name] += perf_counter() - started  # type: ignore[assignment]
        self.calls[name] += 1
        return result
