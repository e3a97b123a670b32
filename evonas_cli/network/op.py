"""The record of an operation: its rules for shapes, settings and counts, and where its modules are found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from evonas_cli.network.source import Source

Shape: TypeAlias = tuple[int, ...]
"""One sample without the batch: (channels, height, width), (channels, length), (features,), or (length,) token ids."""

Settings: TypeAlias = Mapping[str, Any]
"""An operation's settings, complete and checked by `Op.complete`."""

ShapeRule: TypeAlias = Callable[[Sequence[Shape], Settings], Shape]
CountRule: TypeAlias = Callable[[Sequence[Shape], Settings], int]
SourceRule: TypeAlias = "Callable[[Sequence[Shape], Settings], Source]"

SAME = "same"
"""The stacked form of an operation whose module computes on stacked tensors what it computes on those of one member."""

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting's default and range. A default of None says that the setting must be given.

    A setting is an integer, or a number where its default is a float. Raises ValueError for a default out of range.
    """

    default: int | float | None = None
    least: int = 1
    most: float = inf

    def __post_init__(self) -> None:
        if self.default is None:
            return
        if not self.default >= self.least:
            raise ValueError(f"the default {self.default} is below the least value {self.least}")
        if self.default > self.most:
            raise ValueError(f"the default {self.default} is above the greatest value {self.most}")

    def check(self, value: Any) -> int | float | str:
        """The value as int or float. Raises ValueError with the range that it misses."""
        real = isinstance(self.default, float)
        number = isinstance(value, int | float) if real else isinstance(value, int)
        if not number or not self.least <= value <= self.most or value == inf:
            most = "" if self.most == inf else f" and at most {self.most}"
            kind = "a number" if real else "an integer"
            raise ValueError(f"must be {kind} of at least {self.least}{most}, it is {value!r}")
        return float(value) if real else int(value)


@dataclass(frozen=True, slots=True)
class Text(Setting):
    """A setting that is text and must be given; the operation's shape rule says what it may be."""

    def check(self, value: Any) -> str:
        """The text. Raises ValueError for anything else."""
        if not isinstance(value, str):
            raise ValueError(f"must be text, it is {value!r}")
        return value


FLAG = Setting(0, least=0, most=1)
"""A setting that is 0 (no, the default) or 1 (yes)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Op:
    """All that evonas knows of one operation.

    shape          the output's shape; raises ValueError with the reason when the shapes of the inputs do not fit
    build          "module:name" of a function of input shapes, settings and a CPU generator (for the initial weights)
                   that returns the module of one network; tensors have the batch first
    stack          "module:name" of the form for several networks as one program (nn/stacked/form.py), "same" where the
                   module itself serves, which has no weights then, or None: such networks are trained one by one
    settings       settings in their fixed order
    short          settings that stand for several ones, such as `kernel` for `kernel_h` and `kernel_w`
    parameters     counts the trained numbers; None: the operation has none, so that equal nodes on equal inputs give
                   equal values
    buffers        counts the numbers that a network keeps and does not train, such as running means; None: it has none
    int8           counts those of the parameters that are kept as int8, a byte each; None: all are float32, four bytes
    multiply_adds  counts those of one sample, without the bias; None: the operation is no layer that `depth` counts
    inputs         the least and the greatest number of inputs; None: any number
    commutative    the order of the inputs makes no difference, and `canonical_hash` ignores it
    keeps_zero     zeros give zeros; with a setting `bias` of 1 they never do
    draws          random numbers are drawn in training, from the module's attribute `generator`, which training sets;
                   two such nodes are never one
    reorders       the gradient does not lie in memory as the input does
    source         the plain PyTorch form of a node (network/source.py); None: networks with the operation are exported
                   as ONNX and torch programs alone

    The modules are imported when a network is built. Raises ValueError for a record that contradicts itself.
    """

    shape: ShapeRule
    build: str
    stack: str | None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    short: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parameters: CountRule | None = None
    buffers: CountRule | None = None
    int8: CountRule | None = None
    multiply_adds: CountRule | None = None
    inputs: tuple[int, int | None] = (1, 1)
    commutative: bool = False
    keeps_zero: bool = True
    draws: bool = False
    reorders: bool = False
    source: SourceRule | None = None

    def __post_init__(self) -> None:
        for name, path in (("build", self.build), ("stack", self.stack)):
            if path is not None and (name, path) != ("stack", SAME) and not _PATH.fullmatch(path):
                raise ValueError(f"{name} must be a path such as my_module:my_function, it is {path!r}")
        if self.stack == SAME and (self.parameters is not None or self.draws):
            what = "has weights" if self.parameters is not None else "draws random numbers"
            raise ValueError(f"it {what}, so stack must name a form of its own or be None; it is {SAME!r}")
        least, most = self.inputs
        if least < 1 or (most is not None and most < least):
            raise ValueError(f"inputs must be a least number above 0 and a greatest one, it is {self.inputs}")
        for name, full in self.short.items():
            if unknown := [one for one in full if one not in self.settings]:
                raise ValueError(f"{name} stands for {unknown[0]}, which is no setting")

    def complete(self, given: Settings) -> dict[str, Any]:
        """All settings in their order. Raises ValueError for one that is unknown, missing or out of range."""
        given = {full: value for key, value in given.items() for full in self.short.get(key, (key,))}
        for key in given:
            if key not in self.settings:
                raise ValueError(f"it has no setting {key}; it has {', '.join(self.settings) or 'none'}")
        found = {}
        for key, setting in self.settings.items():
            try:
                found[key] = setting.check(given.get(key, setting.default))
            except ValueError as error:
                raise ValueError(f"{key} {error}") from None
        return found

    def check_inputs(self, count: int) -> None:
        """Raises ValueError for a number of inputs that the operation does not take."""
        least, most = self.inputs
        if least <= count and (most is None or count <= most):
            return
        words = {1: "one input", 2: "two inputs"}
        if most is None:
            wanted = f"{words.get(least, f'{least} inputs')} or more"
        elif least == most:
            wanted = words.get(least, f"{least} inputs")
        else:
            wanted = f"{least} to {most} inputs"
        raise ValueError(f"it takes {wanted}, not {count}")
