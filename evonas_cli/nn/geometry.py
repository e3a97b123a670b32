"""What a stacked convolution is called, and the form that a setting chooses for it; without torch.

A name says what the layer is for one member: channels x height x width of its maps, its own channels, kernel; then
stride, padding, dilation and groups where they are not 1, 0, 1 and 1. `8x12x12_to16_k5` has 16 kernels of 8x5x5 on maps
of 12x12; `_k3x1_s2_p1x0` is 3 high and 1 wide, moves by 2, and is padded above and below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TypeAlias

from evonas_cli.core.ops import Settings, Shape, conv_padding

FORMS = ("grouped", "unfold", "branches", "implicit")
AUTO = "auto"

Choice: TypeAlias = str | Mapping[str, str]
"""One form for all, `auto` (grouped), or forms by name: of a layer at any width, or with `_w<width>` at that alone."""

_PAIR = r"\d+(x\d+)?"
_NAME = re.compile(rf"\d+x\d+x\d+_to\d+_k{_PAIR}(_s{_PAIR})?(_p{_PAIR})?(_d\d+)?(_g\d+)?(_w\d+)?")


def layer_name(shape: Shape, settings: Settings) -> str:
    """The name of a convolution with these settings of a plan on maps of this shape, (channels, height, width)."""
    text = f"{'x'.join(map(str, shape))}_to{settings['channels']}_k{_pair(settings['kernel_h'], settings['kernel_w'])}"
    for letter, usual, value in (
        ("s", "1", _pair(settings["stride_h"], settings["stride_w"])),
        ("p", "0", _pair(*conv_padding(settings))),
        ("d", "1", str(settings["dilation"])),
        ("g", "1", str(settings["groups"])),
    ):
        text += f"_{letter}{value}" if value != usual else ""
    return text


def chosen(choice: Choice, layer: str, width: int) -> str:
    """The form of a layer in a stack of `width` members; grouped for what is not listed."""
    if isinstance(choice, str):
        return "grouped" if choice == AUTO else choice
    return choice.get(f"{layer}_w{width}", choice.get(layer, "grouped"))


def is_choice(value: object) -> bool:
    """Whether it is a `Choice` whose words exist and whose names can be those of layers."""
    if not isinstance(value, Mapping):
        return value in (AUTO, *FORMS)
    return all([isinstance(key, str) and _NAME.fullmatch(key) and form in FORMS for key, form in value.items()])


def unknown(choice: Choice, layers: Collection[str]) -> list[str]:
    """The names of a choice, without their widths, that none of these layers has."""
    names = [] if isinstance(choice, str) else [re.sub(r"_w\d+$", "", name) for name in choice]
    return [name for name in names if name not in layers]


def _pair(height: int, width: int) -> str:
    return str(height) if height == width else f"{height}x{width}"
