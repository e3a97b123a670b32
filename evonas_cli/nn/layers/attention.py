"""Self-attention with several heads (Vaswani et al., NeurIPS 2017) over the positions of a sequence.

Three kinds: full and local attention with a softmax, and linear attention (Katharopoulos et al., ICML 2020, equation 7
with the feature map elu(x) + 1), whose cost grows linearly with the length.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.network.op import Settings, Shape
from evonas_cli.nn.layers.embedding import PADDING
from evonas_cli.nn.layers.linear import drawn_linear


def rotated(x: Tensor) -> Tensor:
    """(..., length, width) with each pair of channels (i, i + width / 2) rotated by position x 10000^(-2i / width).

    The product of a rotated query and a rotated key depends on their distance alone (Su et al., 2021, equation 16;
    there neighbouring channels are the pairs, which learned projections make the same).
    """
    half = x.shape[-1] // 2
    speeds = 10000.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32).unsqueeze(1) * speeds
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


class Attention(nn.Module):
    """(batch, channels, length) to the same shape; no position sees padding where token ids are given.

    `window` above 0: a position sees so many positions on each side. `linear`: attention by feature maps. `rotary`:
    queries and keys are rotated by their positions. The softmax is written out: torch's fused kernels have gradients on
    CUDA devices that are not deterministic.
    """

    def __init__(
        self,
        projections: nn.Module,
        output: nn.Module,
        heads: int,
        window: int = 0,
        linear: bool = False,
        rotary: bool = False,
    ) -> None:
        super().__init__()
        self.projections, self.output, self.heads = projections, output, heads
        self.window, self.linear, self.rotary = window, linear, rotary

    def forward(self, x: Tensor, ids: Tensor | None = None) -> Tensor:
        batch, channels, length = x.shape
        heads = self.projections(x.transpose(1, 2)).view(batch, length, 3, self.heads, channels // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        seen = self.attend(query, key, value, None if ids is None else ids != PADDING)
        made: Tensor = self.output(seen.transpose(1, 2).flatten(2)).transpose(1, 2)
        return made if ids is None else made.masked_fill((ids == PADDING).unsqueeze(1), 0.0)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, real: Tensor | None) -> Tensor:
        """What each position sees, (batch, heads, length, width), of values that are none of padding.

        `real` (batch, length) is False at padding; None says that there is none.
        """
        if self.linear:
            return self.attend_linearly(query, key, value, real)
        if self.rotary:
            query, key = rotated(query), rotated(key)
        scores = query @ key.transpose(2, 3) / sqrt(query.shape[3])
        if real is not None:
            scores = scores.masked_fill(~real[:, None, None], torch.finfo(scores.dtype).min)
        if self.window:
            places = torch.arange(scores.shape[3], device=scores.device)
            far = (places - places.unsqueeze(1)).abs() > self.window
            scores = scores.masked_fill(far, torch.finfo(scores.dtype).min)
        return scores.softmax(3) @ value

    def attend_linearly(self, query: Tensor, key: Tensor, value: Tensor, real: Tensor | None) -> Tensor:
        """As `attend`; rotated feature maps stand in the numerator alone (Su et al., 2021, equation 19)."""
        query, key = F.elu(query) + 1, F.elu(key) + 1
        if real is not None:
            key = key.masked_fill(~real[:, None, :, None], 0.0)
        weights = (query @ key.sum(2).unsqueeze(3)).clamp(min=1e-6)
        if self.rotary:
            query, key = rotated(query), rotated(key)
        return query @ (key.transpose(2, 3) @ value) / weights


def attention(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """Queries, keys and values from one linear layer, and a linear layer on what all heads have seen."""
    channels = shapes[0][0]
    projections = drawn_linear(channels, 3 * channels, True, generator)
    output = drawn_linear(channels, channels, True, generator)
    linear, rotary = bool(settings["linear"]), bool(settings["rotary"])
    return Attention(projections, output, settings["heads"], settings["window"], linear, rotary)
