"""Layers of the device `meta` get memory of the shapes, types and strides that torch itself would give them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from evonas_cli.nn.layers.allocation import allocated

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(3, 4, device="meta"),
    "convolution": lambda: nn.Conv2d(4, 6, (3, 1), groups=2, bias=False, device="meta", dtype=torch.bfloat16),
    "recurrent": lambda: nn.LSTM(3, 5, bidirectional=True, device="meta"),
    "buffers": lambda: nn.BatchNorm2d(3, device="meta"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_it_is_what_to_empty_gives(name: str) -> None:
    found, expected = (
        [
            (key, tensor.shape, tensor.dtype, tensor.stride(), tensor.device)
            for key, tensor in layer.state_dict().items()
        ]
        for layer in (allocated(LAYERS[name]()), LAYERS[name]().to_empty(device="cpu"))
    )
    assert found == expected and all(device.type == "cpu" for *_, device in found)
