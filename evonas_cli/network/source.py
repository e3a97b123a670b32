"""The plain PyTorch form of an operation: how a person would write one node of a network in a file without evonas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evonas_cli.network.op import Settings, Shape, SourceRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One node as text.

    layer    the expression that makes the layer in `__init__`, such as `nn.Linear(8, 2)`; None: the node has none
    call     the expression of the forward pass. `{0}`, `{1}`, ... stand for the inputs, which are names, and `{layer}`
             for the layer
    name     what the layer's attribute is called, before its number; "": as the operation
    classes  "module:name" of classes whose definitions the file needs; each may use `torch`, `nn`, `F`, `Tensor` and
             `lines`
    lines    further lines that the file needs at its head, such as `from math import sqrt`
    prefix   what the names of the weights of evonas' module have before those of the layer
    shapes   shapes of weights that the layer holds in another shape than evonas' module, by the layer's name of them

    torch, nn (torch.nn) and F (torch.nn.functional) are imported in the file.
    """

    call: str = "{layer}({0})"
    layer: str | None = None
    name: str = ""
    classes: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    prefix: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def expression(call: str) -> SourceRule:
    """The rule of an operation without settings and weights: an expression of its input, `{0}`."""
    return lambda shapes, settings: Source(call=call)


def arguments(required: Sequence[object], **optional: tuple[object, object]) -> str:
    """The arguments of a call: the required ones, then `name=value` for each optional (value, default) that differs."""
    named = [f"{name}={value!r}" for name, (value, default) in optional.items() if value != default]
    return ", ".join([*map(repr, required), *named])


def side(rows: int, columns: int) -> int | tuple[int, int]:
    """A size of maps as one number where both sides are equal."""
    return rows if rows == columns else (rows, columns)


def max_pooled(function: str) -> SourceRule:
    """The rule of a max pool, which is a call of `function`."""

    def rule(shapes: Sequence[Shape], settings: Settings) -> Source:
        words = arguments((settings["kernel"], settings["stride"]), padding=(settings["padding"], 0))
        return Source(call=f"{function}({{0}}, {words})")

    return rule


def avg_pooled(function: str) -> SourceRule:
    """The rule of an average pool, which is a call of `function` and does not count padding."""

    def rule(shapes: Sequence[Shape], settings: Settings) -> Source:
        more = {"padding": (settings["padding"], 0), "count_include_pad": (not settings["padding"], True)}
        return Source(call=f"{function}({{0}}, {arguments((settings['kernel'], settings['stride']), **more)})")

    return rule


def masked(name: str, module: str, plain: str) -> SourceRule:
    """The rule of an operation that may have token ids as a second input: `plain` without them, else a layer of the
    class `name` in `module`."""

    def rule(shapes: Sequence[Shape], settings: Settings) -> Source:
        if len(shapes) == 1:
            return Source(call=plain)
        return Source(layer=f"{name}()", call="{layer}({0}, {1})", classes=(f"{module}:{name}",), lines=(PADDING,))

    return rule


PADDING = "PADDING = 0  # the token id of padding"
"""The line that classes with token ids need."""
