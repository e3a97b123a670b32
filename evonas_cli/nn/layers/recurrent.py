"""Long short-term memory (Hochreiter and Schmidhuber, 1997) and gated recurrent units (Cho et al., EMNLP 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Settings, Shape
from evonas_cli.nn.layers.allocation import allocated


class _Recurrent(nn.Module):
    """torch's recurrent layer on (batch, channels, length), not (batch, length, channels); the state begins at 0.

    torch has no bfloat16 form for CPUs without instructions of their own for it, so that it is float32 there.
    """

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        if x.device.type != "cpu":
            return self.layer(x)[0].transpose(1, 2)  # type: ignore[no-any-return]
        with torch.autocast("cpu", enabled=False):
            return self.layer(x.float())[0].to(x.dtype).transpose(1, 2)  # type: ignore[no-any-return]


def lstm(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """(batch, channels, length) to (batch, hidden, length), or twice `hidden` with `bidirectional`."""
    return _drawn(nn.LSTM, shapes, settings, generator)


def gru(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """As `lstm`."""
    return _drawn(nn.GRU, shapes, settings, generator)


def _drawn(
    kind: type[nn.LSTM] | type[nn.GRU], shapes: Sequence[Shape], settings: Settings, generator: torch.Generator
) -> nn.Module:
    hidden = settings["hidden"]
    both = bool(settings["bidirectional"])
    layer = allocated(kind(shapes[0][0], hidden, batch_first=True, bidirectional=both, device="meta"))
    bound = 1 / sqrt(hidden)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith("bias"):
                parameter.zero_()
            else:
                parameter.uniform_(-bound, bound, generator=generator)
    return _Recurrent(layer)
